import type { EndCause, State, WaitCause } from '../state';
import { interpolate, type TextKey, type Texts } from '../texts';

/** What a button of the overlay does. */
export type Action = 'retry' | 'play' | 'reload' | 'copy-link';

export interface ActionButton {
  readonly action: Action;
  readonly label: string;
}

/** A value of the queue, with its label. */
export interface Fact {
  readonly label: string;
  readonly value: string;
}

/** The icon above the title; "busy" is the animated loader. */
export type Icon =
  | 'busy'
  | 'play'
  | 'done'
  | 'lock'
  | 'exit'
  | 'offline'
  | 'shield'
  | 'no-video'
  | 'link'
  | 'search'
  | 'browser'
  | 'hourglass';

/** The current step of the progress bar. */
export type Step = 'connect' | 'queue' | 'start';

/** The content of the overlay in one state. */
export interface OverlayContent {
  readonly icon: Icon;
  readonly step?: Step;
  readonly title: string;
  /** Explains the title. */
  readonly detail?: string;
  readonly facts: readonly Fact[];
  /** What to do next. */
  readonly hint?: string;
  readonly buttons: readonly ActionButton[];
  /** A code for the operator. */
  readonly reference?: string;
  /** The whole content in sentences, for screen readers. */
  readonly announcement: string;
  /** The title of the browser tab. */
  readonly tab: string;
}

/** Content without its defaults; `announced` replaces detail and hint in the announcement. */
type PartialContent = Omit<OverlayContent, 'announcement' | 'facts' | 'buttons' | 'tab'> &
  Partial<Pick<OverlayContent, 'facts' | 'buttons' | 'tab'>> & { readonly announced?: readonly (string | undefined)[] };

type Buttons = readonly (readonly [Action, TextKey])[];

const TRY_AGAIN: Buttons = [['retry', 'action.try-again']];
const START_AGAIN: Buttons = [['retry', 'action.start-again']];
const RELOAD: Buttons = [['reload', 'action.reload']];
const COPY_LINK: Buttons = [['copy-link', 'action.copy-link']];

const END_CONTENT: Readonly<Record<EndCause, { icon: Icon; buttons: Buttons }>> = {
  over: { icon: 'done', buttons: START_AGAIN },
  left: { icon: 'done', buttons: START_AGAIN },
  kicked: { icon: 'exit', buttons: [] },
  'not-allowed': { icon: 'lock', buttons: TRY_AGAIN },
  refused: { icon: 'lock', buttons: TRY_AGAIN },
  'not-found': { icon: 'search', buttons: TRY_AGAIN },
  incompatible: { icon: 'browser', buttons: RELOAD },
  unreachable: { icon: 'offline', buttons: TRY_AGAIN },
  'no-video': { icon: 'no-video', buttons: TRY_AGAIN },
  codec: { icon: 'no-video', buttons: [...COPY_LINK, ...TRY_AGAIN] },
  configuration: { icon: 'no-video', buttons: TRY_AGAIN },
  network: { icon: 'shield', buttons: [...TRY_AGAIN, ...COPY_LINK] },
  link: { icon: 'link', buttons: [] },
  unsupported: { icon: 'browser', buttons: COPY_LINK },
};

const WAIT_ICONS: Readonly<Record<WaitCause, Icon>> = {
  'no-streamer': 'hourglass',
  full: 'hourglass',
  closing: 'hourglass',
  'queue-timeout': 'hourglass',
  'too-fast': 'hourglass',
  'no-service': 'offline',
};

/** Returns the content of the overlay in `state`; undefined while video plays. */
export function overlayContent(state: State, texts: Texts): OverlayContent | undefined {
  const content = contentOf(state, texts);
  if (content === undefined) {
    return undefined;
  }
  const { announced, ...shown } = content;
  const announcement = [shown.title, ...(announced ?? [shown.detail, shown.hint])]
    .flatMap((text) => sentence(text) ?? [])
    .join(' ');
  return { tab: shown.title, facts: [], buttons: [], ...shown, announcement };
}

/** The notice over the video when the server has announced its shutdown, with the server's reason if there is one. */
export function shutdownNotice(reason: string | undefined, texts: Texts): string {
  return reason === undefined ? texts['notice.ending'] : interpolate(texts['notice.ending.why'], { reason });
}

/** Formats an estimated duration in seconds, rounded to 10 s, minutes or hours. */
export function formatDuration(seconds: number, texts: Texts): string {
  if (seconds < 55) {
    return interpolate(texts['duration.seconds'], { count: Math.max(1, Math.ceil(seconds / 10)) * 10 });
  }
  const minutes = Math.max(1, Math.round(seconds / 60));
  return minutes < 60
    ? interpolate(texts['duration.minutes'], { count: minutes })
    : interpolate(texts['duration.hours'], { count: Math.round(minutes / 60) });
}

function contentOf(state: State, texts: Texts): PartialContent | undefined {
  switch (state.phase) {
    case 'playing':
      return undefined;
    case 'connecting':
      return { icon: 'busy', step: 'connect', title: texts['connecting.title'], detail: texts['connecting.detail'] };
    case 'starting':
      return state.cut
        ? networkBlocked(texts)
        : { icon: 'busy', step: 'start', title: texts['starting.title'], detail: texts['starting.detail'] };
    case 'queued':
      return queued(state, texts);
    case 'waiting':
      return {
        icon: WAIT_ICONS[state.cause],
        title: texts[`waiting.${state.cause}.title`],
        detail: sentence(state.text) ?? texts[`waiting.${state.cause}.detail`],
        hint: texts['waiting.hint'],
        buttons: [{ action: 'retry', label: texts['action.try-now'] }],
      };
    case 'blocked':
      return blocked(state, texts);
    case 'reconnecting':
      return state.cut && state.text === undefined ? networkBlocked(texts) : reconnecting(state, texts);
    case 'ended':
      return ended(state, texts);
  }
}

function queued(state: Extract<State, { phase: 'queued' }>, texts: Texts): PartialContent {
  if (state.unserved) {
    return {
      icon: 'busy',
      step: 'queue',
      title: texts['queued.unserved'],
      detail: texts['queued.unserved.detail'],
      hint: texts['queued.unserved.hint'],
    };
  }
  const position = state.position ?? (state.ahead === undefined ? undefined : state.ahead + 1);
  const wait = state.etaSeconds === undefined ? undefined : formatDuration(state.etaSeconds, texts);
  const common = { icon: 'busy', step: 'queue', hint: texts['queued.hint'] } as const;
  const announcedWait = wait === undefined ? undefined : interpolate(texts['queued.say.wait'], { wait });
  if (position === undefined) {
    return {
      ...common,
      title: texts['queued.anywhere'],
      ...(state.text !== undefined && { detail: sentence(state.text) ?? '' }),
      ...(wait !== undefined && { facts: [{ label: texts['queued.wait'], value: wait }] }),
      announced: [state.text, announcedWait, common.hint],
    };
  }
  const ahead = state.ahead ?? position - 1;
  const announcedAhead =
    ahead === 1 ? texts['queued.say.ahead.one'] : interpolate(texts['queued.say.ahead'], { count: ahead });
  return {
    ...common,
    title: texts[ahead === 0 ? 'queued.next' : 'queued.title'],
    facts: [
      { label: texts['queued.place'], value: String(position) },
      { label: texts['queued.ahead'], value: String(ahead) },
      { label: texts['queued.wait'], value: wait ?? texts['queued.wait.unknown'] },
    ],
    tab: interpolate(texts['queued.tab'], { place: position }),
    announced: [
      interpolate(texts['queued.say.place'], { place: position }),
      ahead === 0 ? undefined : announcedAhead,
      announcedWait,
      common.hint,
    ],
  };
}

function blocked(state: Extract<State, { phase: 'blocked' }>, texts: Texts): PartialContent {
  const buttons = [{ action: 'play', label: texts['action.play'] }] as const;
  return state.paused
    ? { icon: 'play', title: texts['paused.title'], detail: texts['paused.detail'], buttons }
    : { icon: 'play', step: 'start', title: texts['blocked.title'], detail: texts['blocked.detail'], buttons };
}

function reconnecting(state: Extract<State, { phase: 'reconnecting' }>, texts: Texts): PartialContent {
  return {
    icon: 'busy',
    ...(!state.played && { step: 'connect' as const }),
    title: texts[state.played ? 'reconnecting.title' : 'reconnecting.title.early'],
    detail: sentence(state.text) ?? texts[state.played ? 'reconnecting.detail' : 'reconnecting.detail.early'],
  };
}

/** ICE has found no path, and the page keeps trying. */
function networkBlocked(texts: Texts): PartialContent {
  return { icon: 'shield', title: texts['cut.title'], detail: texts['cut.detail'], hint: texts['waiting.hint'] };
}

function ended(state: Extract<State, { phase: 'ended' }>, texts: Texts): PartialContent {
  const { icon, buttons } = END_CONTENT[state.cause];
  return {
    icon,
    title: texts[`ended.${state.cause}.title`],
    detail: sentence(state.text) ?? texts[`ended.${state.cause}.detail`],
    ...(state.codec !== undefined && codecContent(state.codec, texts)),
    buttons: buttons.map(([action, label]) => ({ action, label: texts[label] })),
    ...(state.code !== undefined && { reference: reference(state.code, state.error, texts) }),
  };
}

/** The codecs of a stream that the browser does not support, and what helps against it. */
function codecContent(codec: string, texts: Texts): Pick<PartialContent, 'detail' | 'hint'> {
  return {
    detail: interpolate(texts['ended.codec.detail.named'], { codec: codec.replace(/\bH26(\d)\b/gi, 'H.26$1') }),
    ...(/\bH264\b/i.test(codec) && { hint: texts['ended.codec.hint.h264'] }),
  };
}

function reference(code: number, error: string | undefined, texts: Texts): string {
  return error === undefined
    ? interpolate(texts['ended.reference'], { code })
    : interpolate(texts['ended.reference.error'], { code, error });
}

/** Turns a text, such as a server's reason, into a sentence: with a capital letter and a full stop. */
function sentence(text: string | undefined): string | undefined {
  if (text === undefined || text === '') {
    return undefined;
  }
  const capitalized = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(capitalized) ? capitalized : `${capitalized}.`;
}
