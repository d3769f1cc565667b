/** Turns the usage and past sessions into what the usage page shows. No DOM, no network. */
import { formatDuration, formatNumber } from './format.js';

/**
 * @typedef {{sessions: number, abandoned: number, minutes: number, peak: number, waitP50: number | null,
 *   waitP95: number | null, firstFrameP50: number | null, firstFrameP95: number | null,
 *   ends: Record<string, number>, paths: Record<string, number>}} Usage
 * @typedef {Usage & {day: string}} DayUsage
 * @typedef {{now: number, complete: boolean, recording: boolean, records: number, total: Usage, days: DayUsage[],
 *   apps: (Usage & {app: string})[]}} UsageReport
 * @typedef {{id: string, session: string, app: string, who: string | null, address: string | null,
 *   streamer: string | null, node: string | null, waitedSeconds: number | null, startedAt: number | null,
 *   endedAt: number, playedSeconds: number, firstFrameSeconds: Record<string, number> | null, path: string | null,
 *   longestStallSeconds: number, ending: string, by: string, operator: string | null}} PastSession
 *
 * One day of a plot: `upper` is the value at the top of the bar, `lower` that of its darker part. Null is no value.
 * @typedef {{label: string, upper: number | null, lower?: number | null}} Bar
 *
 * One part of a whole.
 * @typedef {{label: string, value: number, text: string}} Share
 */

/** The longest list of parts; the smallest ones beyond it are one part. */
const MAX_SHARES = 8;

/** @type {Record<string, string>} */
const ENDINGS = {
  left: 'Player left',
  closed: 'Tab closed',
  lost: 'Connection lost',
  timed_out: 'Connection timed out',
  abandoned: 'Left the queue',
  kicked: 'Ended by an operator',
  time_over: 'Longest session reached',
  idle: 'No input for too long',
  queue_timeout: 'Waited too long',
  streamer_left: 'Streamer left',
  streamer_lost: 'Streamer lost',
  stream_unavailable: 'Streamer unreachable',
  disconnected_by_streamer: 'Ended by the streamer',
  server_lost: 'Server lost',
  restarting: 'Server restarted',
  shutting_down: 'Server shut down',
  no_media: 'No video in time',
  no_codec: 'No common codec',
  unknown: 'Unknown',
};

/** @type {Record<string, string>} */
const PATHS = { direct: 'Direct', relayed: 'Relayed by TURN' };

/** Formats a measured time: `350 ms`, `2.4 s`, `1 min`; a dash for no value. */
export function formatTime(/** @type {number | null} */ seconds) {
  if (seconds === null) {
    return '–';
  }
  if (seconds === 0) {
    return '0 s';
  }
  if (seconds < 0.9995) {
    return `${String(Math.max(1, Math.round(seconds * 1000)))} ms`;
  }
  return seconds < 59.95 ? `${seconds.toFixed(1)} s` : formatDuration(seconds);
}

/** Formats a sum of minutes: `45 min`, `12.5 h`, `1,200 h`. */
export function formatMinutes(/** @type {number} */ minutes) {
  const hours = minutes / 60;
  return minutes < 90 ? `${String(Math.round(minutes))} min` : `${formatNumber(hours < 100 ? Math.round(hours * 10) / 10 : Math.round(hours))} h`;
}

/** The date of a day as it is read: `31 Jan`. */
export function dayLabel(/** @type {string} */ day) {
  return new Date(`${day}T00:00:00Z`).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
}

/** The label of a session's end. */
export function endLabel(/** @type {string} */ ending) {
  return ENDINGS[ending] ?? ending.replaceAll('_', ' ');
}

/** @returns {Share[]} the numbers of ends, or of paths, largest first */
export function shares(/** @type {Record<string, number>} */ counts, /** @type {'ends' | 'paths'} */ kind) {
  const label = (/** @type {string} */ name) => (kind === 'ends' ? endLabel(name) : (PATHS[name] ?? name));
  return largest(Object.entries(counts).map(([name, value]) => ({ label: label(name), value, text: formatNumber(value) })));
}

/** @returns {Share[]} the minutes of applications, largest first */
export function appShares(/** @type {UsageReport['apps']} */ apps) {
  return largest(apps.map(({ app, minutes, sessions }) => ({
    label: app,
    value: minutes,
    text: `${formatMinutes(minutes)}, ${plural(sessions, 'session')}`,
  })));
}

function largest(/** @type {Share[]} */ all) {
  const sorted = [...all].sort((a, b) => b.value - a.value);
  if (sorted.length <= MAX_SHARES) {
    return sorted;
  }
  const rest = sorted.slice(MAX_SHARES - 1);
  const value = rest.reduce((sum, each) => sum + each.value, 0);
  return [...sorted.slice(0, MAX_SHARES - 1), { label: `${String(rest.length)} others`, value, text: formatNumber(Math.round(value)) }];
}

/** A number with its unit: `1 session`, `2 sessions`. */
export function plural(/** @type {number} */ count, /** @type {string} */ unit) {
  return `${formatNumber(count)} ${unit}${count === 1 ? '' : 's'}`;
}

/** The cells of one day. @returns {string[]} */
export function dayCells(/** @type {DayUsage} */ day) {
  return [
    day.day,
    formatNumber(day.sessions),
    formatNumber(day.abandoned),
    formatNumber(Math.round(day.minutes)),
    formatNumber(day.peak),
    ...[day.waitP50, day.waitP95, day.firstFrameP50, day.firstFrameP95].map(formatTime),
  ];
}

/** The cells of one past session. @returns {string[]} */
export function sessionCells(/** @type {PastSession} */ session, /** @type {number} */ now) {
  const played = session.startedAt === null ? '–' : formatDuration(session.playedSeconds);
  const by = session.by === 'operator' && session.operator !== null ? ` (${session.operator})` : '';
  return [
    `${formatDuration(now - session.endedAt)} ago`,
    session.app,
    session.who ?? '–',
    session.streamer?.split('/').at(-1) ?? '–',
    formatTime(session.waitedSeconds),
    played,
    formatTime(session.firstFrameSeconds?.['total'] ?? null),
    session.path ?? '–',
    session.longestStallSeconds > 0 ? formatTime(session.longestStallSeconds) : '–',
    endLabel(session.ending) + by,
  ];
}
