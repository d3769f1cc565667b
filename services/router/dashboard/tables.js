/** How each kind of row looks. */
import { reasonOf, formatDuration, formatWait } from './fleet.js';

/** @typedef {import('./fleet.js').Streamer} Streamer */
/** @typedef {{id: string, app: string, streamer: string, state: string, role: string, matchedAt: number | null}} Session */
/** @typedef {{id: string, app: string, position: number, wants: string | null, labels: Record<string, string>,
 *   priority: number, arrivedAt: number}} Waiting */
/** @typedef {{className: string, words: string, small?: string, narrow?: boolean, state?: string, title?: string}} Cell */
/** @typedef {{label: string, path: string, method: string, sure: boolean}} Action */
/** @typedef {{label: string, heads: string[], key: (item: any) => string, words: (item: any) => string,
 *   cells: (item: any, now: number) => Cell[], action: (item: any) => Action, none: string}} Kind */

/** @type {Record<string, string>} */
const STATE_WORDS = {
  free: 'Free',
  busy: 'Busy',
  aside: 'Set aside',
  draining: 'Draining',
  'not ready': 'Not ready',
  held: 'Playing',
  matched: 'Matched',
  claimed: 'On its way',
};

/** @type {{streamers: Kind, sessions: Kind, queue: Kind}} */
export const TABLES = {
  streamers: {
    label: 'Streamers',
    heads: ['State', 'Streamer', 'App', 'Node', 'Players', 'Age', ''],
    key: (/** @type {Streamer} */ item) => item.id,
    words: (/** @type {Streamer} */ item) => `${item.id} ${item.node} ${item.app}`,
    cells: (/** @type {Streamer} */ item, now) => [
      state(item.state),
      { className: 'name', words: item.endpointId, small: reasonOf(item) || item.serverId, title: item.id },
      { className: 'wide', words: item.app },
      { className: 'wide', words: item.node || '–' },
      { className: 'number count', words: `${String(item.taken)} / ${item.capacity === null ? '∞' : String(item.capacity)}` },
      { className: 'number age', words: formatDuration(now - item.since) },
    ],
    action: (/** @type {Streamer} */ item) => {
      const does = item.state === 'draining' ? 'undrain' : 'drain';
      return { label: does === 'drain' ? 'Drain' : 'Undrain', path: `api/v1/streamers/${encodeURIComponent(item.id)}/${does}`, method: 'POST', sure: false };
    },
    none: 'No streamers. One is listed as soon as its signalling server reports it.',
  },
  sessions: {
    label: 'Sessions',
    heads: ['State', 'Session', 'App', 'Streamer', 'Role', 'Age', ''],
    key: (/** @type {Session} */ item) => item.id,
    words: (/** @type {Session} */ item) => `${item.id} ${item.streamer} ${item.app}`,
    cells: (/** @type {Session} */ item, now) => [
      state(item.state),
      { className: 'name', words: item.id.slice(0, 12), small: item.role === 'spectator' ? `looks on at ${nameOf(item.streamer)}` : nameOf(item.streamer), narrow: true, title: item.id },
      { className: 'wide', words: item.app },
      { className: 'wide', words: nameOf(item.streamer), small: item.streamer.split('/')[0] ?? '', title: item.streamer },
      { className: 'wide', words: item.role },
      { className: 'number age', words: item.matchedAt === null ? '–' : formatDuration(now - item.matchedAt) },
    ],
    action: (/** @type {Session} */ item) => ({ label: 'Kick', path: `api/v1/sessions/${encodeURIComponent(item.id)}`, method: 'DELETE', sure: true }),
    none: 'Nobody is playing.',
  },
  queue: {
    label: 'Queue',
    heads: ['Place', 'Session', 'App', 'Wants', 'Priority', 'Waits', ''],
    key: (/** @type {Waiting} */ item) => item.id,
    words: (/** @type {Waiting} */ item) => `${item.id} ${item.app} ${item.wants ?? ''}`,
    cells: (/** @type {Waiting} */ item, now) => [
      { className: 'number status', words: `# ${String(item.position)}` },
      { className: 'name', words: item.id.slice(0, 12), small: item.app, narrow: true, title: item.id },
      { className: 'wide', words: item.app },
      { className: 'wide', words: item.wants ?? (Object.entries(item.labels).map((pair) => pair.join(' ')).join(', ') || 'any') },
      { className: 'wide number', words: String(item.priority) },
      { className: 'number age', words: formatWait(now - item.arrivedAt) },
    ],
    action: (/** @type {Waiting} */ item) => ({ label: 'Kick', path: `api/v1/sessions/${encodeURIComponent(item.id)}`, method: 'DELETE', sure: true }),
    none: 'Nobody is waiting.',
  },
};

/** What a person calls a streamer: the part of its key that the application chose. */
function nameOf(/** @type {string} */ key) {
  return key.split('/').at(-1) ?? key;
}

/** @returns {Cell} */
function state(/** @type {string} */ name) {
  return { className: 'status', words: STATE_WORDS[name] ?? name, state: name };
}

/**
 * Draws one row, or leaves one that would look the same.
 *
 * @param {Kind} kind
 * @param {any} item
 * @param {number} now on the store's clock, seconds
 * @param {HTMLElement | undefined} row what is there so far
 * @param {(action: Action, button: HTMLButtonElement) => void} act what a click does
 */
export function drawRow(kind, item, now, row, act) {
  const cells = kind.cells(item, now);
  const action = kind.action(item);
  const looks = JSON.stringify([kind.key(item), cells, action.label]);
  if (row !== undefined && (row.dataset['looks'] === looks || row.contains(document.activeElement))) {
    return row; // a button that is about to be pressed does not change under the finger
  }
  const made = document.createElement('div');
  made.className = 'row';
  made.dataset['looks'] = looks;
  made.append(...cells.map(drawCell));
  const last = drawCell({ className: 'action', words: '' });
  const button = document.createElement('button');
  button.className = 'act';
  button.type = 'button';
  button.textContent = action.label;
  button.setAttribute('aria-label', `${action.label} ${kind.key(item)}`);
  button.addEventListener('click', () => {
    act(action, button);
  });
  last.append(button);
  made.append(last);
  return made;
}

function drawCell(/** @type {Cell} */ cell) {
  const made = document.createElement('div');
  made.className = `cell ${cell.className}`;
  made.setAttribute('role', 'cell');
  if (cell.title !== undefined) {
    made.title = cell.title;
  }
  if (cell.state !== undefined) {
    const badge = document.createElement('span');
    badge.className = 'state';
    badge.dataset['state'] = cell.state;
    badge.textContent = cell.words;
    made.append(badge);
  } else {
    made.append(cell.words);
  }
  if (cell.small) {
    const small = document.createElement('small');
    small.textContent = cell.small;
    small.className = cell.narrow ? 'narrow' : '';
    made.append(small);
  }
  return made;
}
