import type { MatchmakerNews } from './connection/messages';

/** Why nothing plays and nothing will until the person asks for it. */
export type EndCause =
  | 'over' // the server ended a session that had played
  | 'refused' // the server does not let this player in
  | 'unreachable' // every attempt to come back failed
  | 'no-video' // all was agreed, and no picture came
  | 'blocked' // all was agreed, and no way through the network was found
  | 'unsupported'; // this browser has no WebRTC

/** Where the page is between "opened" and "over"; everything that is shown follows from it. */
export type State =
  | { phase: 'connecting' }
  | { phase: 'queued'; position?: number; ahead?: number; etaSeconds?: number; text?: string; cut?: true }
  | { phase: 'starting'; cut?: true } // cut: the last try found no way through the network
  | { phase: 'blocked' } // the browser wants a click before it plays
  | { phase: 'playing'; notice?: string }
  | { phase: 'reconnecting'; played: boolean; text?: string; cut?: true }
  | { phase: 'ended'; cause: EndCause; text?: string };

export type Phase = State['phase'];

/** What can happen to a page. */
export type Happening =
  | { type: 'news'; news: MatchmakerNews }
  | { type: 'configured' } // a streamer's server has spoken: a peer connection is being made
  | { type: 'no-streamer' } // the server is there, and no streamer with it yet
  | { type: 'negotiated' } // offer and answer are exchanged
  | { type: 'play-rejected' }
  | { type: 'frame' } // the video runs
  | { type: 'notice'; text: string }
  | { type: 'lost'; text?: string; cut?: true } // the connection is gone and will be made again
  | { type: 'over'; cause: EndCause; text?: string }
  | { type: 'retry' };

export const INITIAL: State = { phase: 'connecting' };

/** The state after `happening` in `state`; the same object when nothing changes. */
export function next(state: State, happening: Happening): State {
  switch (happening.type) {
    case 'news':
      return onNews(state, happening.news);
    case 'configured':
      return { phase: 'starting', ...cutOf(state) };
    case 'no-streamer':
      return { phase: 'queued', ...cutOf(state) };
    case 'negotiated':
      return state.phase === 'playing' ? state : { phase: 'starting', ...cutOf(state) };
    case 'play-rejected':
      return state.phase === 'starting' ? { phase: 'blocked' } : state;
    case 'frame':
      return state.phase === 'starting' || state.phase === 'blocked' ? { phase: 'playing' } : state;
    case 'notice':
      return state.phase === 'playing' ? { phase: 'playing', notice: happening.text } : state;
    case 'lost':
      return onLost(state, happening.text, happening.cut);
    case 'over':
      return { phase: 'ended', cause: happening.cause, ...withText(happening.text) };
    case 'retry':
      return INITIAL;
  }
}

function onNews(state: State, news: MatchmakerNews): State {
  if (news.kind === 'matched') {
    return { phase: 'starting', ...cutOf(state) };
  }
  const { kind: _, ...place } = news;
  return { phase: 'queued', ...place, ...cutOf(state) };
}

function onLost(state: State, text: string | undefined, cut: true | undefined): State {
  const told = cut === true ? { cut } : cutOf(state);
  return { phase: 'reconnecting', played: hasPlayed(state), ...withText(text), ...told };
}

/** What the last try found is remembered until a picture comes, or the person starts over. */
function cutOf(state: State): { cut?: true } {
  return 'cut' in state ? { cut: true } : {};
}

/** Whether a picture was there until now, or until the connection was lost. */
export function hasPlayed(state: State): boolean {
  return state.phase === 'playing' || (state.phase === 'reconnecting' && state.played);
}

function withText(text: string | undefined): { text?: string } {
  return text === undefined ? {} : { text };
}
