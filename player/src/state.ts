import type { MatchmakerMessage } from './connection/messages';
import { optional } from './optional';

/** Why the session ended. The page does not reconnect until the user asks for it. */
export type EndCause =
  | 'over' // the server ended a session that had played
  | 'left' // the application closed this player's connection
  | 'kicked' // the host removed this player
  | 'elsewhere' // the session goes on over a newer connection, such as another tab's
  | 'time-over' // the session has reached its longest time
  | 'session-full' // the session that an invite names admits no more people
  | 'idle' // the session had no input for too long
  | 'not-allowed' // authentication or authorization failed
  | 'too-many-sessions' // the person or its tenant plays in as many sessions as it may
  | 'no-minutes' // the person or its tenant has used its minutes of the day
  | 'refused' // the streamer accepts no more players, or not this one
  | 'origin' // the server accepts no players from the address of this page
  | 'not-found' // no application or session has the requested name
  | 'incompatible' // one side did not understand the other's messages
  | 'unreachable' // every reconnect attempt failed
  | 'no-video' // the connection was negotiated, and no video arrived
  | 'codec' // this browser supports no codec of the stream
  | 'configuration' // this browser refused the server's configuration of the peer connection
  | 'network' // ICE found no path to the streamer
  | 'link' // the link names a server that page.json does not list
  | 'unsupported'; // this browser has no WebRTC

/** Why the page waits before it reconnects. */
export type WaitCause =
  | 'no-streamer' // no streamer is connected
  | 'full' // the server accepts no more connections
  | 'closing' // the server is shutting down
  | 'queue-timeout' // no streamer became free in time
  | 'too-fast' // rate limit exceeded
  | 'no-service' // a part of the service is unavailable
  | 'upgrade' // requests reach the server, and websockets do not
  | 'gateway'; // a proxy answers in place of the server

/** The details of an end. */
export interface EndDetails {
  /** The server's reason, in place of the page's own text. */
  readonly text?: string;
  /** The close code, or the HTTP status. */
  readonly code?: number;
  /** The codecs of a stream that this browser does not support, for example "H264" or "AV1, VP9". */
  readonly codec?: string;
  /** What the browser reported, for the operator. */
  readonly error?: string;
  /** What the page waited for in vain, with the cause `unreachable`. */
  readonly waited?: WaitCause;
}

/** The server's warning of the session's end. */
export interface Warning {
  /** What ends it: the longest session, or the time without input. */
  readonly limit: 'time' | 'idle';
  /** When, in milliseconds since 1970. */
  readonly endsAt: number;
}

/**
 * The state of the page. All that is shown derives from it.
 *
 * `cut` is set while the last attempt found no ICE path, until video plays again or the user retries. `away` is set
 * while the page returns to its server or waits for the path of its media, and everything else goes on. `warning` is set
 * while the session is about to end.
 */
export type State =
  | { phase: 'connecting' }
  | {
      phase: 'queued';
      position?: number;
      ahead?: number;
      etaSeconds?: number;
      unserved?: true;
      text?: string;
      cut?: true;
      away?: true;
    }
  | { phase: 'waiting'; cause: WaitCause; text?: string; code?: number; cut?: true }
  | { phase: 'starting'; cut?: true; away?: true; warning?: Warning }
  // The browser requires a click before it plays; `paused`: it has paused a stream that played.
  | { phase: 'blocked'; paused?: true; ending?: true; text?: string; away?: true; warning?: Warning }
  // `ending`: the server announced its shutdown
  | { phase: 'playing'; ending?: true; text?: string; away?: true; warning?: Warning }
  // `lasting`: several attempts in a row have failed.
  | { phase: 'reconnecting'; played: boolean; lasting?: true; text?: string; cut?: true }
  | ({ phase: 'ended'; cause: EndCause } & EndDetails);

export type Phase = State['phase'];

/** An input of the state machine. */
export type StateEvent =
  | { type: 'matchmaker'; message: MatchmakerMessage }
  | { type: 'configured' } // the signalling server sent `config`: a peer connection is about to be made
  | { type: 'no-streamer' } // the signalling server lists no streamer
  | { type: 'negotiated' } // offer and answer are exchanged
  | { type: 'play-rejected' } // the browser refused to play without a click
  | { type: 'frame' } // the video plays
  | { type: 'paused' } // the browser paused the video
  | { type: 'ending'; text?: string } // the server announced its shutdown, with its reason if it sent one
  | { type: 'away' } // the connection to the server was lost, and the session goes on
  | { type: 'returned' } // it is there again
  | { type: 'warned'; warning?: Warning } // the session is about to end; without a warning, no longer
  | { type: 'disconnected'; lasting?: true; text?: string; cut?: true } // the page reconnects
  | { type: 'deferred'; cause: WaitCause; text?: string; code?: number } // the page reconnects later
  | ({ type: 'ended'; cause: EndCause } & EndDetails)
  | { type: 'retry' }; // the user asked for a new attempt

export const INITIAL: State = { phase: 'connecting' };

/** Returns the state after `event`; the same object when nothing changes. */
export function reduce(state: State, event: StateEvent): State {
  switch (event.type) {
    case 'matchmaker':
      return onMatchmaker(state, event.message);
    case 'configured':
      return { phase: 'starting', ...keepCut(state) };
    case 'no-streamer':
      return { phase: 'waiting', cause: 'no-streamer', ...keepCut(state) };
    case 'negotiated':
      return state.phase === 'playing' ? state : { phase: 'starting', ...keepCut(state), ...keepWarning(state) };
    case 'play-rejected':
      return state.phase === 'starting' ? { phase: 'blocked', ...keepWarning(state) } : state;
    case 'frame':
      return onFrame(state);
    case 'paused':
      return state.phase === 'playing' ? { ...state, phase: 'blocked', paused: true } : state;
    case 'ending':
      return state.phase === 'playing' || (state.phase === 'blocked' && state.paused)
        ? { ...state, ending: true, ...optional('text', event.text) }
        : state;
    case 'away':
      return state.phase === 'queued' || hasStreamer(state) ? { ...state, away: true } : state;
    case 'returned':
      return onReturned(state);
    case 'warned':
      return onWarned(state, event.warning);
    case 'disconnected':
      return onDisconnected(state, event);
    case 'deferred': {
      const { type: _, ...wait } = event;
      return { phase: 'waiting', ...wait, ...keepCut(state) };
    }
    case 'ended': {
      const { type: _, ...end } = event;
      return { phase: 'ended', ...end };
    }
    case 'retry':
      return INITIAL;
  }
}

function onMatchmaker(state: State, message: MatchmakerMessage): State {
  if (message.kind === 'matched') {
    return { phase: 'starting', ...keepCut(state) };
  }
  const { kind: _, ...position } = message;
  if (state.phase === 'queued' && !state.unserved && Object.keys(position).length === 0) {
    return onReturned(state); // the first message after a return has no figures yet
  }
  return { phase: 'queued', ...position, ...keepCut(state) };
}

function onFrame(state: State): State {
  if (state.phase === 'starting') {
    return { phase: 'playing', ...(state.away && { away: true }), ...keepWarning(state) };
  }
  if (state.phase === 'blocked') {
    const { paused: _, ...playing } = state;
    return { ...playing, phase: 'playing' };
  }
  return state;
}

function onReturned(state: State): State {
  if (!('away' in state)) {
    return state;
  }
  const { away: _, ...returned } = state;
  return returned;
}

function onWarned(state: State, warning: Warning | undefined): State {
  if (!hasStreamer(state) || state.warning === warning) {
    return state;
  }
  const { warning: _, ...unwarned } = state;
  return { ...unwarned, ...optional('warning', warning) };
}

function keepWarning(state: State): { warning?: Warning } {
  return 'warning' in state ? { warning: state.warning } : {};
}

/** While the page waits, a failed attempt changes nothing: the shown cause is still the right one. */
function onDisconnected(state: State, { lasting, text, cut }: Extract<StateEvent, { type: 'disconnected' }>): State {
  if (state.phase === 'waiting') {
    return state;
  }
  return {
    phase: 'reconnecting',
    played: hasPlayed(state),
    ...optional('lasting', lasting),
    ...optional('text', text),
    ...(cut ? { cut } : keepCut(state)),
  };
}

function keepCut(state: State): { cut?: true } {
  return 'cut' in state ? { cut: true } : {};
}

/** Whether video plays, or played until it was paused or the connection was lost. */
export function hasPlayed(state: State): boolean {
  return (
    state.phase === 'playing' ||
    (state.phase === 'blocked' && state.paused === true) ||
    (state.phase === 'reconnecting' && state.played)
  );
}

/** Whether the page is connected to a streamer, or to a server that is connecting it to one. */
export function hasStreamer(state: State): state is Extract<State, { phase: 'starting' | 'blocked' | 'playing' }> {
  return state.phase === 'starting' || state.phase === 'blocked' || state.phase === 'playing';
}
