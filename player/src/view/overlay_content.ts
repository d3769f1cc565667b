import type { State } from '../state';
import { interpolate, plural, sentence, type Texts } from '../texts';
import { formatUnit, type UnitDisplay } from './figures';
import { ended, waiting } from './outcome_content';

/** What a button of the overlay does. */
export type Action = 'retry' | 'play' | 'reload' | 'copy-link' | 'sign-in';

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
export type PartialContent = Omit<OverlayContent, 'announcement' | 'facts' | 'buttons' | 'tab'> &
  Partial<Pick<OverlayContent, 'facts' | 'buttons' | 'tab'>> & { readonly announced?: readonly (string | undefined)[] };

/**
 * Returns the content of the overlay in `state`; undefined while video plays.
 *
 * @param canSignIn - whether a refused player can sign in
 */
export function overlayContent(state: State, texts: Texts, canSignIn = false): OverlayContent | undefined {
  const content = contentOf(state, texts, canSignIn);
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

/** Formats an estimated duration in seconds, rounded to 10 s, minutes or hours, in the language of the texts. */
export function formatDuration(seconds: number, texts: Texts, display: UnitDisplay = 'short'): string {
  const minutes = Math.max(1, Math.round(seconds / 60));
  const [unit, count] =
    seconds < 55
      ? (['second', Math.max(1, Math.ceil(seconds / 10)) * 10] as const)
      : minutes < 60
        ? (['minute', minutes] as const)
        : (['hour', Math.round(minutes / 60)] as const);
  return interpolate(texts[`duration.${unit}s`], { count, duration: formatUnit(count, unit, texts, display) });
}

function contentOf(state: State, texts: Texts, canSignIn: boolean): PartialContent | undefined {
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
      return waiting(state, texts);
    case 'blocked':
      return blocked(state, texts);
    case 'reconnecting':
      return state.cut && state.text === undefined ? networkBlocked(texts) : reconnecting(state, texts);
    case 'ended':
      return ended(state, texts, canSignIn);
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
  const announcedWait =
    state.etaSeconds === undefined
      ? undefined
      : interpolate(texts['queued.say.wait'], { wait: formatDuration(state.etaSeconds, texts, 'long') });
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
      ahead === 0 ? undefined : plural('queued.say.ahead', ahead, texts),
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
  const kind = state.lasting ? 'detail.lasting' : state.played ? 'detail' : 'detail.early';
  return {
    icon: 'busy',
    ...(!state.played && { step: 'connect' as const }),
    title: texts[state.played ? 'reconnecting.title' : 'reconnecting.title.early'],
    detail: sentence(state.text) ?? texts[`reconnecting.${kind}`],
    ...(state.lasting && { buttons: [{ action: 'retry', label: texts['action.try-now'] }] as const }),
  };
}

/** ICE has found no path, and the page keeps trying. */
function networkBlocked(texts: Texts): PartialContent {
  return { icon: 'shield', title: texts['cut.title'], detail: texts['cut.detail'], hint: texts['waiting.hint'] };
}
