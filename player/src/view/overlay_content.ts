import type { EndCause, State, WaitCause } from '../state';
import { interpolate, type TextKey, type Texts } from '../texts';

/** What a button of the overlay does. */
export type Action = 'retry' | 'play' | 'copy-link';

/** A button of the overlay. */
export interface ActionButton {
  readonly act: Action;
  readonly label: string;
}

/** A figure of the queue: what it is, and how much. */
export interface Fact {
  readonly label: string;
  readonly value: string;
}

/** The drawing that stands over the words; "busy" is one that moves. */
export type Icon =
  | 'busy'
  | 'play'
  | 'done'
  | 'lock'
  | 'door'
  | 'offline'
  | 'shield'
  | 'no-picture'
  | 'link'
  | 'browser'
  | 'hourglass';

/** Which of the steps on the way to a picture is being taken. */
export type Step = 'connect' | 'queue' | 'start';

/** What the overlay shows and offers in a state. */
export interface OverlayContent {
  readonly mark: Icon;
  readonly step?: Step;
  /** The one sentence that is read first. */
  readonly title: string;
  /** What there is to know beside it. */
  readonly detail?: string;
  readonly facts: readonly Fact[];
  /** What the person should do, or need not do. */
  readonly hint?: string;
  readonly offers: readonly ActionButton[];
  /** What to tell whoever runs the service. */
  readonly reference?: string;
  /** All of it in sentences, for those who listen. */
  readonly announcement: string;
  /** What the tab says in place of the title. */
  readonly tab: string;
}

type Parts = Omit<OverlayContent, 'announcement' | 'facts' | 'offers' | 'tab'> &
  Partial<Pick<OverlayContent, 'facts' | 'offers' | 'tab'>> & { readonly said?: readonly (string | undefined)[] };

const ENDINGS: Readonly<Record<EndCause, { mark: Icon; offers: readonly (readonly [Action, TextKey])[] }>> = {
  over: { mark: 'done', offers: [['retry', 'action.start-again']] },
  left: { mark: 'done', offers: [['retry', 'action.start-again']] },
  kicked: { mark: 'door', offers: [] },
  'not-allowed': { mark: 'lock', offers: [['retry', 'action.try-again']] },
  refused: { mark: 'lock', offers: [['retry', 'action.try-again']] },
  unreachable: { mark: 'offline', offers: [['retry', 'action.try-again']] },
  'no-video': { mark: 'no-picture', offers: [['retry', 'action.try-again']] },
  network: { mark: 'shield', offers: [['retry', 'action.try-again'], ['copy-link', 'action.copy-link']] },
  link: { mark: 'link', offers: [] },
  unsupported: { mark: 'browser', offers: [['copy-link', 'action.copy-link']] },
};

const WAITS: Readonly<Record<WaitCause, Icon>> = {
  'no-streamer': 'hourglass',
  full: 'hourglass',
  closing: 'hourglass',
  'queue-timeout': 'hourglass',
  'too-fast': 'hourglass',
  'no-service': 'offline',
};

/** What to show in `state`; undefined when the picture speaks for itself. */
export function overlayContent(state: State, texts: Texts): OverlayContent | undefined {
  const parts = partsFor(state, texts);
  if (parts === undefined) {
    return undefined;
  }
  const { said, ...shown } = parts;
  const announcement = [shown.title, ...(said ?? [shown.detail, shown.hint])]
    .flatMap((words) => sentence(words) ?? [])
    .join(' ');
  return { tab: shown.title, facts: [], offers: [], ...shown, announcement };
}

/** The line over the picture when the server says that it will go: its own words, if it has any, behind ours. */
export function shutdownNotice(serverSays: string | undefined, texts: Texts): string {
  return serverSays === undefined ? texts['notice.ending'] : interpolate(texts['notice.ending.why'], { reason: serverSays });
}

/** A duration in seconds as a person would say it, never more exact than an estimate is. */
export function formatDuration(seconds: number, texts: Texts): string {
  if (seconds < 55) {
    return interpolate(texts['duration.seconds'], { count: Math.max(1, Math.ceil(seconds / 10)) * 10 });
  }
  const minutes = Math.max(1, Math.round(seconds / 60));
  return minutes < 60
    ? interpolate(texts['duration.minutes'], { count: minutes })
    : interpolate(texts['duration.hours'], { count: Math.round(minutes / 60) });
}

function partsFor(state: State, texts: Texts): Parts | undefined {
  switch (state.phase) {
    case 'playing':
      return undefined;
    case 'connecting':
      return { mark: 'busy', step: 'connect', title: texts['connecting.title'], detail: texts['connecting.detail'] };
    case 'starting':
      return state.cut
        ? cut(texts)
        : { mark: 'busy', step: 'start', title: texts['starting.title'], detail: texts['starting.detail'] };
    case 'queued':
      return queued(state, texts);
    case 'waiting':
      return {
        mark: WAITS[state.cause],
        title: texts[`waiting.${state.cause}.title`],
        detail: sentence(state.text) ?? texts[`waiting.${state.cause}.detail`],
        hint: texts['waiting.hint'],
        offers: [{ act: 'retry', label: texts['action.try-now'] }],
      };
    case 'blocked':
      return {
        mark: 'play',
        step: 'start',
        title: texts['blocked.title'],
        detail: texts['blocked.detail'],
        offers: [{ act: 'play', label: texts['action.play'] }],
      };
    case 'reconnecting':
      return state.cut && state.text === undefined ? cut(texts) : reconnecting(state, texts);
    case 'ended':
      return ended(state, texts);
  }
}

function queued(state: Extract<State, { phase: 'queued' }>, texts: Texts): Parts {
  const position = state.position ?? (state.ahead === undefined ? undefined : state.ahead + 1);
  const wait = state.etaSeconds === undefined ? undefined : formatDuration(state.etaSeconds, texts);
  const common = { mark: 'busy', step: 'queue', hint: texts['queued.hint'] } as const;
  const waitSaid = wait === undefined ? undefined : interpolate(texts['queued.say.wait'], { wait });
  if (position === undefined) {
    return {
      ...common,
      title: texts['queued.anywhere'],
      ...(state.text !== undefined && { detail: sentence(state.text) ?? '' }),
      ...(wait !== undefined && { facts: [{ label: texts['queued.wait'], value: wait }] }),
      said: [state.text, waitSaid, common.hint],
    };
  }
  const ahead = state.ahead ?? position - 1;
  const facts = [
    { label: texts['queued.place'], value: String(position) },
    { label: texts['queued.ahead'], value: String(ahead) },
    { label: texts['queued.wait'], value: wait ?? texts['queued.wait.unknown'] },
  ];
  const aheadSaid = ahead === 1 ? texts['queued.say.ahead.one'] : interpolate(texts['queued.say.ahead'], { count: ahead });
  return {
    ...common,
    title: texts[ahead === 0 ? 'queued.next' : 'queued.title'],
    facts,
    tab: interpolate(texts['queued.tab'], { place: position }),
    said: [interpolate(texts['queued.say.place'], { place: position }), ahead === 0 ? undefined : aheadSaid, waitSaid, common.hint],
  };
}

function reconnecting(state: Extract<State, { phase: 'reconnecting' }>, texts: Texts): Parts {
  return {
    mark: 'busy',
    ...(!state.played && { step: 'connect' as const }),
    title: texts[state.played ? 'reconnecting.title' : 'reconnecting.title.early'],
    detail: sentence(state.text) ?? texts[state.played ? 'reconnecting.detail' : 'reconnecting.detail.early'],
  };
}

/** Nothing gets through, and the page goes on looking for a way. */
function cut(texts: Texts): Parts {
  return { mark: 'shield', title: texts['cut.title'], detail: texts['cut.detail'], hint: texts['waiting.hint'] };
}

function ended(state: Extract<State, { phase: 'ended' }>, texts: Texts): Parts {
  const { mark, offers } = ENDINGS[state.cause];
  return {
    mark,
    title: texts[`ended.${state.cause}.title`],
    detail: sentence(state.text) ?? texts[`ended.${state.cause}.detail`],
    offers: offers.map(([act, label]) => ({ act, label: texts[label] })),
    ...(state.code !== undefined && { reference: interpolate(texts['ended.reference'], { code: state.code }) }),
  };
}

/** A server's reason, which is often a fragment, as a sentence. */
function sentence(reason: string | undefined): string | undefined {
  if (reason === undefined || reason === '') {
    return undefined;
  }
  const opened = reason.charAt(0).toUpperCase() + reason.slice(1);
  return /[.!?…]$/.test(opened) ? opened : `${opened}.`;
}
