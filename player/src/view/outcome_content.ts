import { optional } from '../optional';
import type { EndCause, State, WaitCause } from '../state';
import { interpolate, sentence, type TextKey, type Texts } from '../texts';
import type { Action, Icon, PartialContent } from './overlay_content';

type Buttons = readonly (readonly [Action, TextKey])[];

const SIGN_IN: Buttons = [['sign-in', 'action.sign-in']];
const TRY_AGAIN: Buttons = [['retry', 'action.try-again']];
const CONTINUE_HERE: Buttons = [['retry', 'action.continue-here']];
const START_AGAIN: Buttons = [['retry', 'action.start-again']];
const RELOAD: Buttons = [['reload', 'action.reload']];
const COPY_LINK: Buttons = [['copy-link', 'action.copy-link']];

/** Why the stream does not play. */
interface Explanation {
  readonly icon: Icon;
  readonly title: string;
  readonly detail: string;
}

const END_CONTENT: Readonly<Record<EndCause, { icon: Icon; buttons: Buttons }>> = {
  over: { icon: 'done', buttons: START_AGAIN },
  left: { icon: 'done', buttons: START_AGAIN },
  kicked: { icon: 'exit', buttons: [] },
  elsewhere: { icon: 'exit', buttons: CONTINUE_HERE },
  'time-over': { icon: 'hourglass', buttons: START_AGAIN },
  'session-full': { icon: 'hourglass', buttons: TRY_AGAIN },
  idle: { icon: 'hourglass', buttons: START_AGAIN },
  'not-allowed': { icon: 'lock', buttons: TRY_AGAIN },
  'too-many-sessions': { icon: 'hourglass', buttons: TRY_AGAIN },
  'no-minutes': { icon: 'hourglass', buttons: [] },
  refused: { icon: 'lock', buttons: TRY_AGAIN },
  origin: { icon: 'lock', buttons: TRY_AGAIN },
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
  upgrade: 'shield',
  gateway: 'offline',
};

/** The content while the page waits before it reconnects. */
export function waiting(state: Extract<State, { phase: 'waiting' }>, texts: Texts): PartialContent {
  return {
    ...waitContent(state.cause, texts),
    ...optional('detail', sentence(state.text)),
    buttons: [{ action: 'retry', label: texts['action.try-now'] }],
    ...(state.code !== undefined && { reference: reference(state.code, undefined, texts) }),
  };
}

/** The cause of a wait, and what to do. */
function waitContent(cause: WaitCause, texts: Texts): Explanation & { readonly hint: string } {
  return {
    icon: WAIT_ICONS[cause],
    title: texts[`waiting.${cause}.title`],
    detail: texts[`waiting.${cause}.detail`],
    hint: texts[cause === 'upgrade' ? 'waiting.upgrade.hint' : 'waiting.hint'],
  };
}

/**
 * The content after the session ended.
 *
 * @param canSignIn - whether this page can lead to a sign-in, which a refused player is then offered
 */
export function ended(
  state: Extract<State, { phase: 'ended' }>,
  texts: Texts,
  canSignIn: boolean,
): PartialContent {
  const { icon, buttons } = END_CONTENT[state.cause];
  if (canSignIn && state.cause === 'not-allowed') {
    return {
      icon,
      title: texts['ended.sign-in.title'],
      detail: texts['ended.sign-in.detail'],
      buttons: SIGN_IN.map(([action, label]) => ({ action, label: texts[label] })),
      ...(state.code !== undefined && { reference: reference(state.code, state.error, texts) }),
    };
  }
  return {
    icon,
    title: texts[`ended.${state.cause}.title`],
    detail: sentence(state.text) ?? texts[`ended.${state.cause}.detail`],
    ...(state.waited !== undefined && waitedContent(state.waited, texts)),
    ...(state.codec !== undefined && codecContent(state.codec, texts)),
    buttons: buttons.map(([action, label]) => ({ action, label: texts[label] })),
    ...(state.code !== undefined && { reference: reference(state.code, state.error, texts) }),
  };
}

/** What the page waited for in vain, without the promise that it goes on trying. */
function waitedContent(cause: WaitCause, texts: Texts): Explanation & { readonly hint?: string } {
  const { hint, ...content } = waitContent(cause, texts);
  return cause === 'upgrade' ? { ...content, hint } : content;
}

/** The codecs of a stream that the browser does not support, and what helps against it. */
function codecContent(codec: string, texts: Texts): { readonly detail: string; readonly hint?: string } {
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
