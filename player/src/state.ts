import type { MatchmakerMessage } from './connection/messages';
import { optional } from './optional';

/** Why nothing plays and nothing will until the person asks for it. */
export type EndCause =
  | 'over' // the server ended a session that had played
  | 'left' // the application let this player go
  | 'kicked' // the host did
  | 'not-allowed' // the person has no right to be here, or none any longer
  | 'refused' // this stream takes nobody, or not this player
  | 'unreachable' // every attempt to come back failed
  | 'no-video' // all was agreed, and no picture came
  | 'network' // no way for video was found between here and the streamer
  | 'link' // the link names a server that the page may not dial
  | 'unsupported'; // this browser has no WebRTC

/** Why there is nothing to play for the moment; the page tries again by itself. */
export type WaitCause =
  | 'no-streamer' // none is there
  | 'full' // there is no room for another player
  | 'closing' // the server is shutting down
  | 'queue-timeout' // none came free in time
  | 'too-fast' // too many attempts or messages from here
  | 'no-service'; // a part of the service cannot be reached

/** Where the page is between "opened" and "over"; everything that is shown follows from it. */
export type State =
  | { phase: 'connecting' }
  | { phase: 'queued'; position?: number; ahead?: number; etaSeconds?: number; text?: string; cut?: true }
  | { phase: 'waiting'; cause: WaitCause; text?: string; cut?: true }
  | { phase: 'starting'; cut?: true } // `cut`: the last try found no way through the network
  | { phase: 'blocked' } // the browser wants a click before it plays
  | { phase: 'playing'; ending?: true; text?: string } // `ending`: the server says that it will go
  | { phase: 'reconnecting'; played: boolean; text?: string; cut?: true }
  | { phase: 'ended'; cause: EndCause; text?: string; code?: number };

export type Phase = State['phase'];

/** What can happen to a page. */
export type StateEvent =
  | { type: 'news'; news: MatchmakerMessage }
  | { type: 'configured' } // a streamer's server has spoken: a peer connection is being made
  | { type: 'no-streamer' } // the server is there, and no streamer with it yet
  | { type: 'negotiated' } // offer and answer are exchanged
  | { type: 'play-rejected' }
  | { type: 'frame' } // the video runs
  | { type: 'ending'; text?: string } // the server will go, and has perhaps said why
  | { type: 'lost'; text?: string; cut?: true } // the connection is gone and will be made again
  | { type: 'put-off'; cause: WaitCause; text?: string } // the server asks to come back later
  | { type: 'over'; cause: EndCause; text?: string; code?: number }
  | { type: 'retry' };

export const INITIAL: State = { phase: 'connecting' };

/** The state after `event` in `state`; the same object when nothing changes. */
export function reduce(state: State, event: StateEvent): State {
  switch (event.type) {
    case 'news':
      return onNews(state, event.news);
    case 'configured':
      return { phase: 'starting', ...cutOf(state) };
    case 'no-streamer':
      return { phase: 'waiting', cause: 'no-streamer', ...cutOf(state) };
    case 'negotiated':
      return state.phase === 'playing' ? state : { phase: 'starting', ...cutOf(state) };
    case 'play-rejected':
      return state.phase === 'starting' ? { phase: 'blocked' } : state;
    case 'frame':
      return state.phase === 'starting' || state.phase === 'blocked' ? { phase: 'playing' } : state;
    case 'ending':
      return state.phase === 'playing' ? { phase: 'playing', ending: true, ...optional('text', event.text) } : state;
    case 'lost':
      return onLost(state, event);
    case 'put-off':
      return { phase: 'waiting', cause: event.cause, ...optional('text', event.text), ...cutOf(state) };
    case 'over':
      return {
        phase: 'ended',
        cause: event.cause,
        ...optional('text', event.text),
        ...optional('code', event.code),
      };
    case 'retry':
      return INITIAL;
  }
}

function onNews(state: State, news: MatchmakerMessage): State {
  if (news.kind === 'matched') {
    return { phase: 'starting', ...cutOf(state) };
  }
  const { kind: _, ...place } = news;
  return { phase: 'queued', ...place, ...cutOf(state) };
}

/** An attempt that fails while the page waits anyway is no news to the person. */
function onLost(state: State, { text, cut }: Extract<StateEvent, { type: 'lost' }>): State {
  if (state.phase === 'waiting') {
    return state;
  }
  return { phase: 'reconnecting', played: hasPlayed(state), ...optional('text', text), ...(cut ? { cut } : cutOf(state)) };
}

/** What the last try found is remembered until a picture comes, or the person starts over. */
function cutOf(state: State): { cut?: true } {
  return 'cut' in state ? { cut: true } : {};
}

/** Whether a picture was there until now, or until the connection was lost. */
export function hasPlayed(state: State): boolean {
  return state.phase === 'playing' || (state.phase === 'reconnecting' && state.played);
}
