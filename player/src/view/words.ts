import type { EndCause, State } from '../state';

/** What the overlay says and offers in a state. */
export interface Words {
  /** The one sentence that is read first. */
  readonly title: string;
  /** What there is to know beside it. */
  readonly detail?: string;
  /** The label of the button, where there is something to do. */
  readonly action?: string;
  /** Whether something is under way that needs nobody. */
  readonly busy: boolean;
}

const ENDINGS: Readonly<Record<EndCause, Words>> = {
  over: { title: 'The session is over', action: 'Start again', busy: false },
  refused: { title: 'This stream cannot be joined', action: 'Try again', busy: false },
  unreachable: {
    title: 'The server cannot be reached',
    detail: 'Check the connection to the network, then try again.',
    action: 'Try again',
    busy: false,
  },
  'no-video': {
    title: 'No picture arrived',
    detail: 'A firewall between here and the stream may hold video back. Another network may help.',
    action: 'Try again',
    busy: false,
  },
  blocked: {
    title: 'Your network blocks video',
    detail: 'No way through it was found. A firewall or a VPN may be in between; another network may help.',
    action: 'Try again',
    busy: false,
  },
  unsupported: {
    title: 'This browser cannot play the stream',
    detail: 'It has no WebRTC, or WebRTC is switched off. A current Chrome, Edge, Firefox or Safari can play it.',
    busy: false,
  },
};

const CONNECTION_LOST = 'The connection was lost. The stream comes back by itself.';
const CUT: Words = {
  title: 'Your network blocks video',
  detail: 'No way through it was found so far. The page tries again by itself.',
  busy: true,
};
const SLOW_START = 'This takes longer than usual. The page tries again by itself.';

/** What to show in `state`; undefined when the picture speaks for itself. */
export function wordsFor(state: State): Words | undefined {
  switch (state.phase) {
    case 'playing':
      return undefined;
    case 'connecting':
      return { title: 'Connecting', busy: true };
    case 'starting':
      return state.cut === true ? CUT : { title: 'Starting the stream', busy: true };
    case 'queued':
      return queued(state);
    case 'blocked':
      return { title: 'Ready to play', detail: 'The browser asks for a click before it plays.', action: 'Play', busy: false };
    case 'reconnecting':
      if (state.cut === true && state.text === undefined) {
        return CUT;
      }
      return {
        title: state.played ? 'Reconnecting' : 'Still connecting',
        detail: sentence(state.text) ?? (state.played ? CONNECTION_LOST : SLOW_START),
        busy: true,
      };
    case 'ended':
      return { ...ENDINGS[state.cause], ...detail([sentence(state.text) ?? ENDINGS[state.cause].detail]) };
  }
}

/** The line over the picture when the server says that it will go: its own words, if it has any, behind ours. */
export function goingAway(serverSays: string | undefined): string {
  const sentence = 'This stream will end soon';
  return serverSays === undefined ? `${sentence}.` : `${sentence}: ${serverSays}`;
}

function queued(state: Extract<State, { phase: 'queued' }>): Words {
  const position = state.position ?? (state.ahead === undefined ? undefined : state.ahead + 1);
  if (position === undefined) {
    return { title: 'Waiting for a free stream', ...detail([sentence(state.text), wait(state.etaSeconds)]), busy: true };
  }
  const title = position === 1 ? 'You are next' : `You are number\u00a0${String(position)} in the queue`;
  return { title, ...detail([crowd(state.ahead ?? position - 1), wait(state.etaSeconds)]), busy: true };
}

function crowd(ahead: number): string {
  if (ahead === 0) {
    return 'The next free stream is yours.';
  }
  return ahead === 1 ? 'One person is ahead of you.' : `${String(ahead)} people are ahead of you.`;
}

/** An estimate in the words that a person would use, never more exact than it is. */
function wait(etaSeconds: number | undefined): string | undefined {
  if (etaSeconds === undefined) {
    return undefined;
  }
  if (etaSeconds < 10) {
    return 'Only a few seconds to go.';
  }
  if (etaSeconds < 55) {
    return `About ${String(Math.ceil(etaSeconds / 10) * 10)} seconds to go.`;
  }
  const minutes = Math.round(etaSeconds / 60);
  if (minutes < 60) {
    return minutes === 1 ? 'About a minute to go.' : `About ${String(minutes)} minutes to go.`;
  }
  const hours = Math.round(minutes / 60);
  return hours === 1 ? 'About an hour to go.' : `About ${String(hours)} hours to go.`;
}

/** A server's reason, which is often a fragment, as a sentence. */
function sentence(reason: string | undefined): string | undefined {
  if (reason === undefined) {
    return undefined;
  }
  const opened = reason.charAt(0).toUpperCase() + reason.slice(1);
  return /[.!?…]$/.test(opened) ? opened : `${opened}.`;
}

/** Puts each sentence that there is on a line of its own. */
function detail(sentences: readonly (string | undefined)[]): { detail?: string } {
  const said = sentences.filter((sentence) => sentence !== undefined);
  return said.length === 0 ? {} : { detail: said.join('\n') };
}
