/** Elements of the settings panel. The style of each is that of the fields in index.html. */

/** A group of fields that is folded until it is opened. */
export interface Group {
  readonly root: HTMLDetailsElement;
  readonly body: HTMLElement;
}

export function group(id: string, title: string): Group {
  const root = create('details', 'group');
  root.id = id;
  const summary = create('summary', '');
  summary.textContent = title;
  const body = create('div', 'group-body');
  root.append(summary, body);
  return { root, body };
}

/** A switch. `write` returns what the switch shows afterwards, if that is not what the user chose. */
export function flagField(
  id: string,
  label: string,
  checked: boolean,
  write: (checked: boolean) => unknown,
): HTMLElement {
  const root = create('label', 'check');
  const input = create('input', '');
  Object.assign(input, { id, type: 'checkbox', checked });
  input.setAttribute('role', 'switch');
  input.addEventListener('change', () => {
    write(input.checked);
  });
  root.append(input, textOf(label));
  return root;
}

/** The range and the unit of a number. */
export interface NumberRange {
  readonly min: number;
  readonly max: number;
  /** What the user sees for a value of 1. */
  readonly factor?: number;
}

/** A number; a value outside of the range is moved to its nearest end. */
export function numberField(
  id: string,
  label: string,
  { min, max, factor = 1 }: NumberRange,
  value: number,
  write: (value: number) => void,
): HTMLElement {
  const input = create('input', 'number');
  Object.assign(input, { id, type: 'number', min: min * factor, max: max * factor, value: Math.round(value * factor) });
  input.addEventListener('change', () => {
    const wanted = input.valueAsNumber / factor;
    const accepted = Number.isNaN(wanted) ? value : Math.min(max, Math.max(min, wanted));
    input.value = String(Math.round(accepted * factor));
    write(accepted);
  });
  return row(id, label, input);
}

/** A choice of values with their labels. */
export function selectField(
  id: string,
  label: string,
  options: readonly (readonly [value: string, label: string])[],
  value: string,
  write: (value: string) => void,
): HTMLElement {
  const select = create('select', '');
  select.id = id;
  for (const [option, text] of options) {
    select.add(new Option(text, option, false, option === value));
  }
  select.addEventListener('change', () => {
    write(select.value);
  });
  const root = create('div', 'field');
  root.append(labelFor(id, label), select);
  return root;
}

export function buttonField(id: string, label: string, onClick: () => unknown): HTMLButtonElement {
  const button = create('button', 'button small');
  Object.assign(button, { id, type: 'button' });
  button.textContent = label;
  button.addEventListener('click', () => {
    onClick();
  });
  return button;
}

function row(id: string, label: string, control: HTMLElement): HTMLElement {
  const root = create('div', 'field row');
  root.append(labelFor(id, label), control);
  return root;
}

function labelFor(id: string, label: string): HTMLLabelElement {
  const target = create('label', '');
  target.htmlFor = id;
  target.textContent = label;
  return target;
}

function textOf(text: string): HTMLSpanElement {
  const span = create('span', '');
  span.textContent = text;
  return span;
}

export function create<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  className: string,
): HTMLElementTagNameMap[Tag] {
  const created = document.createElement(tag);
  if (className !== '') {
    created.className = className;
  }
  return created;
}
