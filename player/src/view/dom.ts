/**
 * An element that the page is written with.
 *
 * @throws Error when index.html has no such element of that kind
 */
export function element<Kind extends Element>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) {
    throw new Error(`index.html has no ${kind.name} with the id "${id}"`);
  }
  return found;
}

/** Changes a text only when it differs, so that a screen reader is not made to repeat itself; none hides it. */
export function setText(target: HTMLElement, words: string | undefined): void {
  if (target.textContent !== (words ?? '')) {
    target.textContent = words ?? '';
  }
  target.hidden = words === undefined || words === '';
}

/** Names a button for those who do not see its drawing, and for a mouse that rests on it. */
export function setLabel(target: HTMLElement, words: string): void {
  target.setAttribute('aria-label', words);
  target.title = words;
}

/** Rows of a list of terms, each a name and a value. */
export function updateList(list: HTMLElement, rows: readonly (readonly [label: string, value: string])[]): void {
  // Only values change from one time to the next: an element that stays does not flicker under a reader's cursor.
  while (list.children.length > rows.length) {
    list.lastElementChild?.remove();
  }
  for (const [at, [label, value]] of rows.entries()) {
    const row = list.children[at] ?? list.appendChild(newRow());
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
