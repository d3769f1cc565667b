/** The three tables: streamers, sessions and the queue. No DOM, no network. */
import { formatDuration, formatWait } from './format.js';

/**
 * @typedef {import('./fleet.js').Streamer} Streamer
 * @typedef {{id: string, app: string, streamer: string, state: string, away: boolean,
 *   role: 'player' | 'guest' | 'spectator', matchedAt: number | null, who: string | null, node: string,
 *   waitedSeconds: number | null, firstFrameSeconds: Record<string, number> | null, path: string | null,
 *   longestStallSeconds: number, resumed: number, endsAt: number | null}} Session
 * @typedef {{id: string, app: string, position: number, wants: string | null, labels: Record<string, string>,
 *   priority: number, arrivedAt: number}} QueueEntry
 *
 * A cell: `detail` is a second line, shown on small screens only if `narrow` is set; `state` makes it a badge.
 * @typedef {{className: string, text: string, detail?: string, narrow?: boolean, state?: string, title?: string}} Cell
 *
 * The action of a row: `confirm` is whether it takes a second click.
 * @typedef {{label: string, path: string, method: string, confirm: boolean}} Action
 *
 * One row; `now` is in seconds on the store's clock.
 * @typedef {{key: string, app: string, state: string, searchText: string, cells: (now: number) => Cell[],
 *   action: Action}} Row
 *
 * @typedef {{label: string, columns: {title: string, number?: boolean}[], empty: string}} Table
 */

/** @type {{streamers: Table, sessions: Table, queue: Table}} */
export const TABLES = {
  streamers: {
    label: 'Streamers',
    columns: [
      { title: 'State' },
      { title: 'Streamer' },
      { title: 'App' },
      { title: 'Node' },
      { title: 'Players', number: true },
      { title: 'Age', number: true },
      { title: '' },
    ],
    empty: 'No streamers. A streamer appears here when its signalling server reports it.',
  },
  sessions: {
    label: 'Sessions',
    columns: [
      { title: 'State' },
      { title: 'Session' },
      { title: 'App' },
      { title: 'Streamer' },
      { title: 'First frame' },
      { title: 'Age', number: true },
      { title: '' },
    ],
    empty: 'No active sessions.',
  },
  queue: {
    label: 'Queue',
    columns: [
      { title: 'Position', number: true },
      { title: 'Session' },
      { title: 'App' },
      { title: 'Requested' },
      { title: 'Priority', number: true },
      { title: 'Waiting', number: true },
      { title: '' },
    ],
    empty: 'No players are waiting.',
  },
};

/** @type {Record<string, string>} */
const STATE_LABELS = {
  free: 'Free',
  busy: 'Busy',
  aside: 'Quarantined',
  draining: 'Draining',
  'not ready': 'Not ready',
  held: 'Playing',
  matched: 'Matched',
  claimed: 'Connecting',
  away: 'Away',
};

/** @returns {Row} */
export function streamerRow(/** @type {Streamer} */ item) {
  const verb = item.state === 'draining' ? 'undrain' : 'drain';
  const capacity = item.capacity === null ? '∞' : String(item.capacity);
  return {
    key: item.id,
    app: item.app,
    state: item.state,
    searchText: `${item.id} ${item.node} ${item.app}`,
    cells: (now) => [
      stateCell(item.state),
      { className: 'name', text: item.endpointId, detail: stateDetail(item) ?? item.serverId, title: item.id },
      { className: 'wide', text: item.app },
      { className: 'wide', text: item.node === '' ? '–' : item.node },
      { className: 'number count', text: `${String(item.taken)} / ${capacity}` },
      { className: 'number age', text: formatDuration(now - item.since) },
    ],
    action: {
      label: verb === 'drain' ? 'Drain' : 'Undrain',
      path: `api/v1/streamers/${encodeURIComponent(item.id)}/${verb}`,
      method: 'POST',
      confirm: false,
    },
  };
}

/** @returns {Row} */
export function sessionRow(/** @type {Session} */ item) {
  const state = item.away ? 'away' : item.state;
  const streamer = endpointOf(item.streamer);
  const server = item.streamer.split('/')[0] ?? '';
  const roles = { spectator: 'Spectator of ', guest: 'Guest on ', player: '' };
  const detail = `${roles[item.role]}${streamer}`;
  const names = { spectator: 'Spectator', guest: 'Guest', player: '' };
  return {
    key: item.id,
    app: item.app,
    state,
    searchText: `${item.id} ${item.streamer} ${item.app} ${item.who ?? ''} ${item.node}`,
    cells: (now) => [
      stateCell(state),
      { className: 'name', text: item.who ?? item.id.slice(0, 12), detail, narrow: true, title: item.id },
      { className: 'wide', text: item.app, detail: names[item.role] },
      { className: 'wide', text: streamer, detail: item.node === '' ? server : item.node, title: item.streamer },
      { className: 'wide', text: firstFrame(item), detail: connection(item) },
      {
        className: 'number age',
        text: item.matchedAt === null ? '–' : formatDuration(now - item.matchedAt),
        detail: item.endsAt === null ? '' : `ends in ${formatDuration(item.endsAt - now)}`,
        narrow: false,
      },
    ],
    action: kick(item.id),
  };
}

/** The time to the first frame of a session. */
function firstFrame(/** @type {Session} */ { firstFrameSeconds }) {
  if (firstFrameSeconds === null) {
    return '–';
  }
  const seconds = Object.values(firstFrameSeconds).reduce((sum, step) => sum + step, 0);
  return `${seconds.toFixed(1)} s`;
}

/** What is known of the connection of a session, without what is normal. */
function connection(/** @type {Session} */ { path, longestStallSeconds, resumed }) {
  return [
    path ?? '',
    longestStallSeconds >= 1 ? `stall ${longestStallSeconds.toFixed(1)} s` : '',
    resumed > 0 ? `resumed ${String(resumed)}×` : '',
  ].filter((part) => part !== '').join(', ');
}

/** @returns {Row} */
export function queueRow(/** @type {QueueEntry} */ item) {
  const labels = Object.entries(item.labels).map(([name, value]) => `${name} ${value}`).join(', ');
  const requested = item.wants ?? (labels === '' ? 'any' : labels);
  return {
    key: item.id,
    app: item.app,
    state: '',
    searchText: `${item.id} ${item.app} ${item.wants ?? ''}`,
    cells: (now) => [
      { className: 'number status', text: `# ${String(item.position)}` },
      { className: 'name', text: item.id.slice(0, 12), detail: item.app, narrow: true, title: item.id },
      { className: 'wide', text: item.app },
      { className: 'wide', text: requested },
      { className: 'wide number', text: String(item.priority) },
      { className: 'number age', text: formatWait(now - item.arrivedAt) },
    ],
    action: kick(item.id),
  };
}

/** Why a streamer gets no players, or what an operator should know of it; undefined where its state is enough. */
function stateDetail(/** @type {Streamer} */ { state, failedDials, spectatorInput }) {
  switch (state) {
    case 'aside':
      return failedDials === 1 ? '1 failed connection' : `${String(failedDials)} failed connections`;
    case 'draining':
      return 'Accepts no new players';
    case 'not ready':
      return 'The application is not connected';
    default:
      return spectatorInput ? 'Spectators can send input' : undefined;
  }
}

/** @returns {Action} */
function kick(/** @type {string} */ session) {
  return { label: 'Kick', path: `api/v1/sessions/${encodeURIComponent(session)}`, method: 'DELETE', confirm: true };
}

/** @returns {Cell} */
function stateCell(/** @type {string} */ state) {
  return { className: 'status', text: STATE_LABELS[state] ?? state, state };
}

/** The endpoint id in a streamer's key, `server/endpoint`. */
function endpointOf(/** @type {string} */ key) {
  return key.split('/').at(-1) ?? key;
}
