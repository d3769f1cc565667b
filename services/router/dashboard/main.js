/** Puts the dashboard together. */
import { request, ApiError } from './api.js';
import { Fleet, formatWait } from './fleet.js';
import { drawRow, TABLES } from './tables.js';
import { Chart, setText } from './chart.js';
import { VirtualList } from './virtual_list.js';

const POLL_MS = 2_000;
const SURE_MS = 4_000;
const TOAST_MS = 6_000;
const LOST = 'Connection lost; trying again';
const UNREAD = 'The fleet has not been read yet.';

const at = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id));
const fleet = new Fleet();
const rows = new VirtualList(at('rows'));
const plots = {
  players: new Chart('plot-players'),
  free: new Chart('plot-free'),
  waiting: new Chart('plot-waiting'),
  wait: new Chart('plot-wait', formatWait),
};
const NAMES = /** @type {const} */ (['streamers', 'sessions', 'queue']);
/** @typedef {typeof NAMES[number]} Name */

/** @type {Name} */
let shown = 'streamers';
/** @type {{sessions: {items: any[], total: number}, queue: {items: any[], total: number}}} */
const polled = { sessions: { items: [], total: 0 }, queue: { items: [], total: 0 } };
let loaded = false;

// -- what is shown ---------------------------------------------------------------------------------

function refresh() {
  const kind = TABLES[shown];
  const all = shown === 'streamers' ? fleet.sorted() : polled[shown].items;
  const [app, state, search] = [at('app').value, at('state').value, at('search').value.trim().toLowerCase()];
  const items = all.filter(
    (item) =>
      (app === '' || item.app === app) &&
      (shown !== 'streamers' || state === '' || item.state === state) &&
      (search === '' || kind.words(item).toLowerCase().includes(search)),
  );
  rows.show(items);
  at('empty').hidden = items.length > 0;
  setText(at('empty'), all.length > 0 ? 'Nothing is like that. Change what is picked or searched.' : loaded ? kind.none : UNREAD);
  const total = shown === 'streamers' ? all.length : polled[shown].total;
  const listed = items.length === total ? '' : `${number(items.length)} of ${number(total)} are listed`;
  setText(at('note'), listed);
  tellCounts();
}

function tellCounts() {
  if (!loaded) {
    return;
  }
  const totals = fleet.totals();
  setText(at('tab-streamers').querySelector('i'), number(fleet.streamers.size));
  setText(at('tab-sessions').querySelector('i'), number(totals.players));
  setText(at('tab-queue').querySelector('i'), number(totals.waiting));
}

function tellTotals() {
  const totals = fleet.totals();
  plots.players.now(fleet.now, totals.players, totals.slots === null ? '' : `of ${number(totals.slots)} slots`);
  plots.free.now(fleet.now, totals.free, `of ${number(totals.streamers)}${totals.aside > 0 ? `, ${number(totals.aside)} set aside` : ''}`);
  plots.waiting.now(fleet.now, totals.waiting, totals.waiting === 1 ? 'player' : 'players');
  plots.wait.now(fleet.now, totals.wait, totals.waiting > 0 ? 'next in line' : '');
  const names = fleet.apps.map((app) => app.app);
  const select = at('app');
  if ([...select.options].slice(1).map((option) => option.value).join('\n') !== names.join('\n')) {
    const before = select.value;
    select.replaceChildren(new Option('All', ''), ...names.map((name) => new Option(name, name)));
    select.value = names.includes(before) ? before : '';
  }
}

const number = (/** @type {number} */ value) => value.toLocaleString('en');

function choose(/** @type {Name} */ name) {
  shown = name;
  for (const each of NAMES) {
    at(`tab-${each}`).setAttribute('aria-selected', String(each === name));
    at(`tab-${each}`).tabIndex = each === name ? 0 : -1;
  }
  const kind = TABLES[name];
  at('panel').className = `panel kind-${name}`;
  at('panel').setAttribute('aria-labelledby', `tab-${name}`);
  at('rows').setAttribute('aria-label', kind.label);
  at('state-pick').hidden = name !== 'streamers';
  at('head').replaceChildren(
    ...kind.heads.map((words) => {
      const cell = document.createElement('div');
      cell.className = `cell${['Players', 'Age', 'Waits', 'Place', 'Priority'].includes(words) ? ' number' : ''}`;
      cell.textContent = words;
      return cell;
    }),
  );
  rows.begin((item, row) => drawRow(kind, item, fleet.now, row, (action, button) => void act(action, button)));
  refresh();
  void poll();
}

// -- what a person does ----------------------------------------------------------------------------

/** Does something to the fleet; what cannot be taken back is asked for twice. */
async function act(/** @type {import('./tables.js').Action} */ action, /** @type {HTMLButtonElement} */ button) {
  if (action.sure && button.dataset['sure'] === undefined) {
    button.dataset['sure'] = '';
    button.textContent = 'Sure?';
    setTimeout(() => {
      delete button.dataset['sure'];
      button.textContent = action.label;
    }, SURE_MS);
    return;
  }
  button.disabled = true;
  try {
    await request(action.path, action.method);
    button.blur();
    await poll();
  } catch (error) {
    tell(`${action.label} did not work: ${error instanceof Error ? error.message : String(error)}`);
    button.disabled = false;
  }
}

let toastTimer = 0;

function tell(/** @type {string} */ words) {
  setText(at('toast'), words);
  at('toast').hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => {
    at('toast').hidden = true;
  }, TOAST_MS);
}

// -- where it comes from ---------------------------------------------------------------------------

async function poll() {
  const kind = shown;
  if (kind === 'streamers' || document.hidden) {
    return;
  }
  try {
    const { items, total } = await request(`api/v1/${kind}?limit=1000`);
    polled[kind] = { items, total };
    if (kind === shown) {
      refresh();
    }
  } catch {
    // the state of the connection tells it
  }
}

function live(/** @type {'connecting' | 'live' | 'lost'} */ state, /** @type {string} */ words) {
  at('live').dataset.state = state;
  setText(at('live'), words);
}

function listen() {
  const events = new EventSource('api/v1/events');
  events.addEventListener('totals', ({ data }) => {
    fleet.applyTotals(JSON.parse(data));
    live('live', fleet.young ? 'The fleet is being read' : 'Live');
    tellTotals();
    refresh();
  });
  events.addEventListener('streamers', ({ data }) => {
    loaded = true;
    fleet.applyStreamers(JSON.parse(data));
    refresh();
  });
  events.addEventListener('unavailable', () => {
    live('lost', loaded ? 'The fleet is out of reach; shown as it was' : 'The fleet is out of reach');
  });
  events.addEventListener('error', () => {
    if (events.readyState === EventSource.CLOSED) {
      setTimeout(listen, POLL_MS); // refused with a status, after which a browser gives up
      void tellWhyLost();
    } else {
      live('lost', LOST);
    }
  });
}

/** A browser does not tell with which status it was refused; another question has the same answer. */
async function tellWhyLost() {
  try {
    await request('history');
    live('lost', LOST);
  } catch (error) {
    live('lost', error instanceof ApiError && error.isAccessDenied ? 'You may not see this; load the page again' : LOST);
  }
}

async function begin() {
  try {
    const { samples, user } = await request('history');
    setText(at('user'), user);
    Object.values(plots).forEach((plot, index) => {
      plot.begin(samples.map((/** @type {number[]} */ sample) => [sample[0], sample[index + 1]]));
    });
  } catch {
    // the plots begin with what comes
  }
}

for (const name of NAMES) {
  at(`tab-${name}`).addEventListener('click', () => {
    choose(name);
  });
}
document.querySelector('.tabs')?.addEventListener('keydown', (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[/** @type {KeyboardEvent} */ (event).key];
  const next = NAMES.at((NAMES.indexOf(shown) + (step ?? 0)) % NAMES.length);
  if (step !== undefined && next !== undefined) {
    choose(next);
    at(`tab-${next}`).focus();
  }
});
for (const id of ['app', 'state', 'search']) {
  at(id).addEventListener('input', refresh);
}
choose('streamers');
setInterval(() => void poll(), POLL_MS);
void begin();
listen();
