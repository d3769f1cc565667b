/** Connects the parts of the usage page. */
import { ApiError, request } from './api.js';
import { drawBars } from './bars.js';
import { element, setText } from './dom.js';
import { formatNumber } from './format.js';
import { appShares, dayCells, formatMinutes, formatTime, plural, sessionCells, shares } from './usage_views.js';

/**
 * @typedef {import('./usage_views.js').UsageReport} UsageReport
 * @typedef {import('./usage_views.js').DayUsage} DayUsage
 * @typedef {import('./usage_views.js').PastSession} PastSession
 * @typedef {import('./usage_views.js').Share} Share
 */

/** Interval at which the numbers are requested, in milliseconds; without a pause while records are being counted. */
const INTERVAL = 60_000;
const COUNTING_INTERVAL = 250;

/** Delay after a failed request, in milliseconds. */
const RETRY_INTERVAL = 5_000;

const SESSIONS_AT_ONCE = 25;

const PERCENTILES = { lower: 'median', upper: '95 %' };

const days = element('days', HTMLSelectElement);
const app = element('app', HTMLSelectElement);
const more = element('more', HTMLButtonElement);
let timer = 0;
/** The request whose answer is shown; those of earlier ones are ignored. */
let current = 0;
/** The value for the next page of past sessions. */
let next = /** @type {string | null} */ (null);

// -- Numbers ---------------------------------------------------------------------------------------

function render(/** @type {UsageReport} */ report) {
  const { total } = report;
  const isEmpty = total.sessions + total.abandoned === 0;
  element('content', HTMLElement).hidden = isEmpty;
  const message = element('message', HTMLElement);
  message.hidden = !isEmpty;
  setText(message, emptyText(report));
  renderApps(report.apps.map((each) => each.app));
  setText(element('sessions', HTMLElement), formatNumber(total.sessions));
  setText(element('sessions-note', HTMLElement), `${formatNumber(total.abandoned)} left the queue`);
  setText(element('played', HTMLElement), formatMinutes(total.minutes));
  const average = total.sessions === 0 ? '' : `${formatMinutes(total.minutes / total.sessions)} on average`;
  setText(element('played-note', HTMLElement), average);
  setText(element('peak', HTMLElement), formatNumber(total.peak));
  setText(element('wait', HTMLElement), formatTime(total.waitP50));
  setText(element('wait-note', HTMLElement), `95 % up to ${formatTime(total.waitP95)}`);
  setText(element('frame', HTMLElement), formatTime(total.firstFrameP50));
  setText(element('frame-note', HTMLElement), `95 % up to ${formatTime(total.firstFrameP95)}`);
  renderPlots(report.days);
  renderShares('ends', shares(total.ends, 'ends'), 'No sessions have ended.');
  renderShares('paths', shares(total.paths, 'paths'), 'No page has reported its path.');
  renderShares('apps', appShares(report.apps), 'No application was used.');
  element('by-day', HTMLElement).replaceChildren(...[...report.days].reverse().map((day) => tableRow(dayCells(day), day.day)));
}

function renderPlots(/** @type {DayUsage[]} */ all) {
  const bars = (/** @type {'sessions' | 'minutes' | 'peak' | 'abandoned'} */ name) =>
    all.map((day) => ({ label: day.day, upper: day[name] }));
  drawBars('plot-sessions', bars('sessions'), formatNumber);
  drawBars('plot-minutes', bars('minutes'), (minutes) => formatNumber(Math.round(minutes)));
  drawBars('plot-peak', bars('peak'), formatNumber);
  drawBars('plot-abandoned', bars('abandoned'), formatNumber);
  drawBars('plot-wait', all.map((day) => ({ label: day.day, upper: day.waitP95, lower: day.waitP50 })), formatTime, PERCENTILES);
  drawBars(
    'plot-frame',
    all.map((day) => ({ label: day.day, upper: day.firstFrameP95, lower: day.firstFrameP50 })),
    formatTime,
    PERCENTILES,
  );
}

function renderShares(/** @type {string} */ id, /** @type {Share[]} */ parts, /** @type {string} */ none) {
  const whole = parts.reduce((sum, { value }) => sum + value, 0);
  const rows = parts.map((part) => {
    const row = document.createElement('li');
    const meter = document.createElement('progress');
    meter.max = Math.max(1, whole);
    meter.value = part.value;
    meter.setAttribute('aria-hidden', 'true'); // the text beside it has the same value
    const percent = whole === 0 ? 0 : Math.round((100 * part.value) / whole);
    row.append(cell('span', part.label), cell('b', `${String(percent)} %`), meter, cell('small', part.text));
    return row;
  });
  element(id, HTMLElement).replaceChildren(...(rows.length > 0 ? rows : [cell('li', none)]));
}

function renderApps(/** @type {string[]} */ names) {
  const selected = app.value;
  const all = selected === '' || names.includes(selected) ? names : [...names, selected];
  if ([...app.options].slice(1).map(({ value }) => value).join('\n') !== all.join('\n')) {
    app.replaceChildren(new Option('All', ''), ...all.map((name) => new Option(name, name)));
    app.value = selected;
  }
}

function emptyText(/** @type {UsageReport} */ { recording, complete }) {
  if (!recording) {
    return 'Sessions are not recorded. Set --history-sessions of the matchmaker to record them.';
  }
  return complete ? 'No sessions ended in this period.' : 'The records are being counted.';
}

async function refresh() {
  clearTimeout(timer);
  const sent = ++current;
  const query = new URLSearchParams({ days: days.value, ...(app.value === '' ? {} : { app: app.value }) });
  let delay = RETRY_INTERVAL;
  try {
    const report = /** @type {UsageReport} */ (await request(`api/v1/usage?${query.toString()}`));
    if (sent !== current) {
      return;
    }
    render(report);
    setStatus('live', report.complete ? plural(report.records, 'record') : `Counting, ${plural(report.records, 'record')}`);
    delay = report.complete ? INTERVAL : COUNTING_INTERVAL;
  } catch (error) {
    if (sent !== current) {
      return;
    }
    const isDenied = error instanceof ApiError && error.isAccessDenied;
    setStatus('lost', isDenied ? 'Access denied. Reload the page to sign in' : 'Not available. Trying again');
  }
  timer = setTimeout(() => void refresh(), delay);
}

// -- Past sessions ---------------------------------------------------------------------------------

async function loadSessions(/** @type {boolean} */ anew) {
  const query = new URLSearchParams({ limit: String(SESSIONS_AT_ONCE) });
  if (app.value !== '') {
    query.set('app', app.value);
  }
  if (!anew && next !== null) {
    query.set('after', next);
  }
  more.disabled = true;
  try {
    const page = /** @type {{now: number, items: PastSession[], next: string | null}} */ (
      await request(`api/v1/sessions/history?${query.toString()}`)
    );
    const rows = page.items.map((session) => tableRow(sessionCells(session, page.now), session.session));
    const body = element('history', HTMLElement);
    if (anew) {
      body.replaceChildren(...rows);
    } else {
      body.append(...rows);
    }
    next = page.next;
    more.hidden = next === null;
  } catch {
    // The status shows the failure; the button stays for another attempt.
  }
  more.disabled = false;
}

// -- Helpers ---------------------------------------------------------------------------------------

function tableRow(/** @type {string[]} */ texts, /** @type {string} */ title) {
  const row = document.createElement('tr');
  row.title = title;
  row.append(...texts.map((text) => cell('td', text)));
  return row;
}

function cell(/** @type {string} */ name, /** @type {string} */ text) {
  const created = document.createElement(name);
  created.textContent = text;
  return created;
}

function setStatus(/** @type {'live' | 'lost'} */ state, /** @type {string} */ text) {
  const status = element('status', HTMLElement);
  status.dataset['state'] = state;
  setText(status, text);
}

days.addEventListener('input', () => void refresh());
app.addEventListener('input', () => {
  void refresh();
  void loadSessions(true);
});
more.addEventListener('click', () => void loadSessions(false));
void refresh();
void loadSessions(true);
