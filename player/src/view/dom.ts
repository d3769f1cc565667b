/**
 * Returns an element of index.html.
 *
 * @throws Error when there is no element of that kind with that id
 */
export function element<Kind extends Element>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) {
    throw new Error(`index.html has no ${kind.name} with the id "${id}"`);
  }
  return found;
}

/** Sets a text, only if it differs so that screen readers do not repeat it; an empty text hides the element. */
export function setText(target: HTMLElement, text: string | undefined): void {
  if (target.textContent !== (text ?? '')) {
    target.textContent = text ?? '';
  }
  target.hidden = text === undefined || text === '';
}

/** Sets the accessible name and the tooltip of an icon button. */
export function setLabel(target: HTMLElement, label: string): void {
  target.setAttribute('aria-label', label);
  target.title = label;
}

/** Updates a description list to `rows`. */
export function updateList(list: HTMLElement, rows: readonly (readonly [label: string, value: string])[]): void {
  // Existing elements are kept, so that the cursor of a screen reader keeps its place.
  while (list.children.length > rows.length) {
    list.lastElementChild?.remove();
  }
  for (const [index, [label, value]] of rows.entries()) {
    const row = list.children[index] ?? list.appendChild(newRow());
    const [term, definition] = row.children;
    if (term !== undefined && term.textContent !== label) {
      term.textContent = label;
    }
    if (definition !== undefined && definition.textContent !== value) {
      definition.textContent = value;
    }
  }
}

function newRow(): HTMLElement {
  const row = document.createElement('div');
  row.append(document.createElement('dt'), document.createElement('dd'));
  return row;
}
