import type { MatchmakerNews } from './connection/messages';

/** Why nothing plays and nothing will until the person asks for it. */
export type EndCause =
  | 'over' // the server ended a session that had played
  | 'refused' // the server does not let this player in
  | 'unreachable' // every attempt to come back failed
  | 'no-video' // all was agreed, and no picture came
  | 'unsupported'; // this browser has no WebRTC

/** Where the page is between "opened" and "over"; everything that is shown follows from it. */
export type State =
  | { phase: 'connecting' }
  | { phase: 'queued'; position?: number; ahead?: number; etaSeconds?: number; text?: string }
  | { phase: 'starting' }
  | { phase: 'blocked' } // the browser wants a click before it plays
  | { phase: 'playing'; notice?: string }
  | { phase: 'reconnecting'; played: boolean; text?: string }
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
  | { type: 'lost'; text?: string } // the connection is gone and will be made again
  | { type: 'over'; cause: EndCause; text?: string }
  | { type: 'retry' };

export const INITIAL: State = { phase: 'connecting' };

/** The state after `happening` in `state`; the same object when nothing changes. */
export function next(state: State, happening: Happening): State {
  switch (happening.type) {
    case 'news':
      return onNews(happening.news);
    case 'configured':
      return { phase: 'starting' };
    case 'no-streamer':
      return { phase: 'queued' };
    case 'negotiated':
      return state.phase === 'playing' ? state : { phase: 'starting' };
    case 'play-rejected':
      return state.phase === 'starting' ? { phase: 'blocked' } : state;
    case 'frame':
      return state.phase === 'starting' || state.phase === 'blocked' ? { phase: 'playing' } : state;
    case 'notice':
      return state.phase === 'playing' ? { phase: 'playing', notice: happening.text } : state;
    case 'lost':
      return onLost(state, happening.text);
    case 'over':
      return { phase: 'ended', cause: happening.cause, ...withText(happening.text) };
    case 'retry':
      return INITIAL;
  }
}

function onNews(news: MatchmakerNews): State {
  if (news.kind === 'matched') {
    return { phase: 'starting' };
  }
  const { kind: _, ...place } = news;
  return { phase: 'queued', ...place };
}

function onLost(state: State, text: string | undefined): State {
  return { phase: 'reconnecting', played: hasPlayed(state), ...withText(text) };
}

/** Whether a picture was there until now, or until the connection was lost. */
export function hasPlayed(state: State): boolean {
  return state.phase === 'playing' || (state.phase === 'reconnecting' && state.played);
}

function withText(text: string | undefined): { text?: string } {
  return text === undefined ? {} : { text };
}
