/** Connects the parts of the dashboard. */
import { request } from './api.js';
import { Chart } from './chart.js';
import { element, setText } from './dom.js';
import { Fleet } from './fleet.js';
import { formatNumber, formatWait } from './format.js';
import { connect } from './live_updates.js';
import { drawRow } from './row_view.js';
import { offerSignOut } from './sign_out.js';
import { queueRow, sessionRow, streamerRow, TABLES } from './tables.js';
import { VirtualList } from './virtual_list.js';

/**
 * @typedef {import('./tables.js').Row} Row
 * @typedef {import('./tables.js').Action} Action
 * @typedef {typeof TABS[number]} Tab
 */

/** Interval at which sessions and the queue are requested, in milliseconds; streamers come as events. */
const POLL_INTERVAL = 2_000;

/** How long a button waits for the confirming click, in milliseconds. */
const CONFIRM_TIMEOUT = 4_000;

const TOAST_DURATION = 6_000;

const TABS = /** @type {const} */ (['streamers', 'sessions', 'queue']);

const fleet = new Fleet();
const charts = {
  players: new Chart('plot-players'),
  free: new Chart('plot-free'),
  waiting: new Chart('plot-waiting'),
  longestWait: new Chart('plot-wait', formatWait),
};
const appFilter = element('app', HTMLSelectElement);
const stateFilter = element('state', HTMLSelectElement);
const search = element('search', HTMLInputElement);
const empty = element('empty', HTMLElement);
const toast = element('toast', HTMLElement);
const list = new VirtualList(element('rows', HTMLElement), (/** @type {Row} */ row, existing) =>
  drawRow(row, fleet.now, existing, (action, button) => void perform(action, button)),
);

/** @type {Tab} */
let tab = 'streamers';
let isLoaded = false;
/** @type {{sessions: {items: Row[], total: number}, queue: {items: Row[], total: number}}} */
const polled = { sessions: { items: [], total: 0 }, queue: { items: [], total: 0 } };

// -- Table -----------------------------------------------------------------------------------------

function renderTable() {
  const rows = tab === 'streamers' ? fleet.sorted().map(streamerRow) : polled[tab].items;
  const searched = search.value.trim().toLowerCase();
  const shown = rows.filter(
    (row) =>
      (appFilter.value === '' || row.app === appFilter.value) &&
      (tab !== 'streamers' || stateFilter.value === '' || row.state === stateFilter.value) &&
      row.searchText.toLowerCase().includes(searched),
  );
  list.show(shown);
  empty.hidden = shown.length > 0;
  setText(empty, emptyText(rows.length));
  const total = tab === 'streamers' ? rows.length : polled[tab].total;
  const count = `Showing ${formatNumber(shown.length)} of ${formatNumber(total)}`;
  setText(element('note', HTMLElement), shown.length === total ? '' : count);
  if (isLoaded) {
    renderTabCounts();
  }
}

function emptyText(/** @type {number} */ unfiltered) {
  if (unfiltered > 0) {
    return 'No matches. Change the filters or the search.';
  }
  return isLoaded ? TABLES[tab].empty : 'No data yet.';
}

function renderTabCounts() {
  const { players, waiting } = fleet.totals();
  const counts = { streamers: fleet.streamers.size, sessions: players, queue: waiting };
  for (const each of TABS) {
    setText(tabButton(each).querySelector('i'), formatNumber(counts[each]));
  }
}

function selectTab(/** @type {Tab} */ selected) {
  tab = selected;
  for (const each of TABS) {
    tabButton(each).setAttribute('aria-selected', String(each === tab));
    tabButton(each).tabIndex = each === tab ? 0 : -1;
  }
  const panel = element('panel', HTMLElement);
  panel.className = `panel kind-${tab}`;
  panel.setAttribute('aria-labelledby', `tab-${tab}`);
  element('rows', HTMLElement).setAttribute('aria-label', TABLES[tab].label);
  element('state-filter', HTMLElement).hidden = tab !== 'streamers';
  element('head', HTMLElement).replaceChildren(
    ...TABLES[tab].columns.map(({ title, number }) => {
      const cell = document.createElement('div');
      cell.className = number ? 'cell number' : 'cell';
      cell.textContent = title;
      return cell;
    }),
  );
  list.reset();
  renderTable();
  void poll();
}

function tabButton(/** @type {Tab} */ name) {
  return element(`tab-${name}`, HTMLButtonElement);
}

// -- Totals ----------------------------------------------------------------------------------------

function renderTotals() {
  const { now } = fleet;
  const { players, slots, free, streamers, quarantined, waiting, longestWait } = fleet.totals();
  const ofStreamers = `of ${formatNumber(streamers)}`;
  charts.players.update(now, players, slots === null ? '' : `of ${formatNumber(slots)} slots`);
  charts.free.update(
    now,
    free,
    quarantined > 0 ? `${ofStreamers}, ${formatNumber(quarantined)} quarantined` : ofStreamers,
  );
  charts.waiting.update(now, waiting, waiting === 1 ? 'player' : 'players');
  charts.longestWait.update(now, longestWait, '');
  renderAppFilter();
}

function renderAppFilter() {
  const apps = fleet.apps.map(({ app }) => app);
  const options = [...appFilter.options].slice(1).map(({ value }) => value);
  if (options.join('\n') !== apps.join('\n')) {
    const selected = appFilter.value;
    appFilter.replaceChildren(new Option('All', ''), ...apps.map((app) => new Option(app, app)));
    appFilter.value = apps.includes(selected) ? selected : '';
  }
}

async function loadHistory() {
  try {
    const { samples, user, signed_in } = /** @type {{samples: number[][], user: string, signed_in?: boolean}} */ (
      await request('history')
    );
    setText(element('user', HTMLElement), user);
    if (signed_in) {
      offerSignOut();
    }
    for (const [index, chart] of Object.values(charts).entries()) {
      chart.prepend(samples.map((sample) => [sample[0] ?? 0, sample[index + 1] ?? 0]));
    }
  } catch {
    // The charts start with the first event.
  }
}

// -- Actions ---------------------------------------------------------------------------------------

async function perform(/** @type {Action} */ action, /** @type {HTMLButtonElement} */ button) {
  if (action.confirm && button.dataset['confirm'] === undefined) {
    button.dataset['confirm'] = '';
    button.textContent = 'Confirm';
    setTimeout(() => {
      delete button.dataset['confirm'];
      button.textContent = action.label;
    }, CONFIRM_TIMEOUT);
    return;
  }
  button.disabled = true;
  try {
    await request(action.path, action.method);
    button.blur();
    await poll();
  } catch (error) {
    showToast(`${action.label} failed: ${error instanceof Error ? error.message : String(error)}`);
    button.disabled = false;
  }
}

let toastTimer = 0;

function showToast(/** @type {string} */ text) {
  setText(toast, text);
  toast.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => {
    toast.hidden = true;
  }, TOAST_DURATION);
}

// -- Data ------------------------------------------------------------------------------------------

async function poll() {
  const polledTab = tab;
  if (polledTab === 'streamers' || document.hidden) {
    return;
  }
  try {
    const body = await request(`api/v1/${polledTab}?limit=1000`);
    if (polledTab === 'sessions') {
      const { items, total } = /** @type {{items: import('./tables.js').Session[], total: number}} */ (body);
      polled.sessions = { items: items.map(sessionRow), total };
    } else {
      const { items, total } = /** @type {{items: import('./tables.js').QueueEntry[], total: number}} */ (body);
      polled.queue = { items: items.map(queueRow), total };
    }
    if (polledTab === tab) {
      renderTable();
    }
  } catch {
    // The connection status shows the failure.
  }
}

function setStatus(/** @type {'live' | 'lost'} */ state, /** @type {string} */ text) {
  const status = element('live', HTMLElement);
  status.dataset['state'] = state;
  setText(status, text);
}

connect({
  onTotals: (event) => {
    fleet.applyTotals(event);
    setStatus('live', fleet.warmingUp ? 'Warming up' : 'Live');
    renderTotals();
    renderTable();
  },
  onStreamers: (event) => {
    isLoaded = true;
    fleet.applyStreamers(event);
    renderTable();
  },
  onUnavailable: () => {
    setStatus('lost', isLoaded ? 'Fleet store unavailable. Data may be outdated' : 'Fleet store unavailable');
  },
  onLost: (accessDenied) => {
    setStatus('lost', accessDenied ? 'Access denied. Reload the page to sign in' : 'Connection lost. Reconnecting');
  },
});

for (const name of TABS) {
  tabButton(name).addEventListener('click', () => {
    selectTab(name);
  });
}
element('tabs', HTMLElement).addEventListener('keydown', ({ key }) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
  const next = TABS.at((TABS.indexOf(tab) + (step ?? 0)) % TABS.length);
  if (step !== undefined && next !== undefined) {
    selectTab(next);
    tabButton(next).focus();
  }
});
for (const filter of [appFilter, stateFilter, search]) {
  filter.addEventListener('input', renderTable);
}
selectTab('streamers');
setInterval(() => void poll(), POLL_INTERVAL);
void loadHistory();
