/** Draws the rows of a table. */

/**
 * Returns the element of a row: `existing` if its content is unchanged, or a new one.
 *
 * @param {import('./tables.js').Row} row
 * @param {number} now in seconds on the store's clock
 * @param {HTMLElement | undefined} existing
 * @param {(action: import('./tables.js').Action, button: HTMLButtonElement) => void} onAction
 */
export function drawRow(row, now, existing, onAction) {
  const cells = row.cells(now);
  const { action } = row;
  const content = JSON.stringify([row.key, cells, action.label]);
  // A row with the focus stays, so that its button does not change while it is being pressed.
  if (existing?.dataset['content'] === content || existing?.contains(document.activeElement)) {
    return existing;
  }
  const drawn = document.createElement('div');
  drawn.className = 'row';
  drawn.dataset['content'] = content;
  const last = drawCell({ className: 'action', text: '' });
  last.append(drawButton(action, row.key, onAction));
  drawn.append(...cells.map(drawCell), last);
  return drawn;
}

/**
 * @param {import('./tables.js').Action} action
 * @param {string} key
 * @param {(action: import('./tables.js').Action, button: HTMLButtonElement) => void} onAction
 */
function drawButton(action, key, onAction) {
  const button = document.createElement('button');
  button.className = 'row-action';
  button.type = 'button';
  button.textContent = action.label;
  button.setAttribute('aria-label', `${action.label} ${key}`);
  button.addEventListener('click', () => {
    onAction(action, button);
  });
  return button;
}

function drawCell(/** @type {import('./tables.js').Cell} */ cell) {
  const drawn = document.createElement('div');
  drawn.className = `cell ${cell.className}`;
  drawn.setAttribute('role', 'cell');
  if (cell.title !== undefined) {
    drawn.title = cell.title;
  }
  if (cell.state === undefined) {
    drawn.append(cell.text);
  } else {
    const badge = document.createElement('span');
    badge.className = 'state';
    badge.dataset['state'] = cell.state;
    badge.textContent = cell.text;
    drawn.append(badge);
  }
  if (cell.detail !== undefined && cell.detail !== '') {
    const detail = document.createElement('small');
    detail.textContent = cell.detail;
    detail.className = cell.narrow ? 'narrow' : '';
    drawn.append(detail);
  }
  return drawn;
}
