import { describe, expect, it } from 'vitest';
import { hasStreamer, INITIAL, reduce, type StateEvent, type State } from '../src/state';

/** The state after `events`, from the initial one. */
function after(...events: StateEvent[]): State {
  return events.reduce(reduce, INITIAL);
}

const CONFIGURED: StateEvent = { type: 'configured' };
const FRAME: StateEvent = { type: 'frame' };
const DISCONNECTED: StateEvent = { type: 'disconnected' };
const MATCHED: StateEvent = { type: 'matchmaker', message: { kind: 'matched', browserOffers: false } };
const QUEUED: StateEvent = { type: 'matchmaker', message: { kind: 'queued', position: 2, ahead: 1 } };
const REJECTED: StateEvent = { type: 'play-rejected' };

describe('reduce', () => {
  it('goes from connecting through the queue to playing', () => {
    expect(after()).toEqual({ phase: 'connecting' });
    expect(after(QUEUED)).toEqual({ phase: 'queued', position: 2, ahead: 1 });
    const unserved: StateEvent = { type: 'matchmaker', message: { kind: 'queued', unserved: true } };
    expect(after(QUEUED, unserved)).toEqual({ phase: 'queued', unserved: true });
    expect(after(unserved, QUEUED)).toEqual({ phase: 'queued', position: 2, ahead: 1 });
    expect(after(QUEUED, MATCHED)).toEqual({ phase: 'starting' });
    expect(after(QUEUED, MATCHED, CONFIGURED, FRAME)).toEqual({ phase: 'playing' });
  });

  it('waits while there is no streamer, and starts after an offer', () => {
    expect(after(CONFIGURED, { type: 'no-streamer' })).toEqual({ phase: 'waiting', cause: 'no-streamer' });
    expect(after(CONFIGURED, { type: 'no-streamer' }, { type: 'negotiated' })).toEqual({ phase: 'starting' });
  });

  it('keeps playing during a renegotiation', () => {
    expect(after(CONFIGURED, FRAME, { type: 'negotiated' })).toEqual({ phase: 'playing' });
  });

  it('is blocked until a click if the browser requires one', () => {
    expect(after(CONFIGURED, REJECTED)).toEqual({ phase: 'blocked' });
    expect(after(CONFIGURED, REJECTED, FRAME)).toEqual({ phase: 'playing' });
    expect(after(QUEUED, REJECTED)).toEqual({ phase: 'queued', position: 2, ahead: 1 });
  });

  it('is blocked while the browser has paused the video, and keeps an announced shutdown', () => {
    const paused: StateEvent = { type: 'paused' };
    const ending: StateEvent = { type: 'ending', text: 'update' };
    expect(after(CONFIGURED, FRAME, paused)).toEqual({ phase: 'blocked', paused: true });
    expect(after(CONFIGURED, FRAME, paused, FRAME)).toEqual({ phase: 'playing' });
    expect(after(CONFIGURED, FRAME, ending, paused, FRAME)).toEqual({ phase: 'playing', ending: true, text: 'update' });
    expect(after(CONFIGURED, FRAME, paused, ending, FRAME)).toEqual({ phase: 'playing', ending: true, text: 'update' });
    expect(after(CONFIGURED, FRAME, paused, DISCONNECTED)).toEqual({ phase: 'reconnecting', played: true });
    expect(after(CONFIGURED, paused)).toEqual({ phase: 'starting' });
    expect(after(CONFIGURED, REJECTED, ending)).toEqual({ phase: 'blocked' });
  });

  it('is lasting after several failed attempts, until the server answers', () => {
    const lasting: StateEvent = { type: 'disconnected', lasting: true };
    expect(after(CONFIGURED, FRAME, DISCONNECTED, lasting)).toEqual({ phase: 'reconnecting', played: true, lasting: true });
    expect(after(lasting, CONFIGURED, DISCONNECTED)).toEqual({ phase: 'reconnecting', played: false });
  });

  it('remembers while reconnecting whether video had played', () => {
    expect(after(DISCONNECTED)).toEqual({ phase: 'reconnecting', played: false });
    expect(after(CONFIGURED, FRAME, DISCONNECTED)).toEqual({ phase: 'reconnecting', played: true });
    expect(after(CONFIGURED, FRAME, DISCONNECTED, { type: 'disconnected', text: 'all busy' })).toEqual({
      phase: 'reconnecting',
      played: true,
      text: 'all busy',
    });
  });

  it('ignores frames of the old stream', () => {
    expect(after(CONFIGURED, FRAME, DISCONNECTED, FRAME).phase).toBe('reconnecting');
    expect(after(CONFIGURED, FRAME, DISCONNECTED, QUEUED, FRAME).phase).toBe('queued');
    expect(after(CONFIGURED, FRAME, DISCONNECTED, CONFIGURED, FRAME).phase).toBe('playing');
  });

  it('announces a server shutdown only while playing', () => {
    expect(after(CONFIGURED, FRAME, { type: 'ending', text: 'update' })).toEqual({
      phase: 'playing',
      ending: true,
      text: 'update',
    });
    expect(after(CONFIGURED, FRAME, { type: 'ending' })).toEqual({ phase: 'playing', ending: true });
    expect(after({ type: 'ending' })).toEqual({ phase: 'connecting' });
  });

  it('waits while the server defers the page', () => {
    const deferred: StateEvent = { type: 'deferred', cause: 'full', text: 'come tomorrow' };
    expect(after(deferred)).toEqual({ phase: 'waiting', cause: 'full', text: 'come tomorrow' });
    expect(after(deferred, DISCONNECTED)).toEqual({ phase: 'waiting', cause: 'full', text: 'come tomorrow' });
    expect(after(deferred, QUEUED).phase).toBe('queued');
    expect(after(CONFIGURED, FRAME, { type: 'deferred', cause: 'closing' })).toEqual({ phase: 'waiting', cause: 'closing' });
  });

  it('keeps `cut` until video plays or the user retries', () => {
    const cut: StateEvent = { type: 'disconnected', cut: true };
    const deferred: StateEvent = { type: 'deferred', cause: 'full' };
    expect(after(CONFIGURED, FRAME, cut)).toEqual({ phase: 'reconnecting', played: true, cut: true });
    expect(after(CONFIGURED, FRAME, cut, QUEUED)).toMatchObject({ phase: 'queued', cut: true });
    expect(after(CONFIGURED, FRAME, cut, QUEUED, MATCHED, CONFIGURED)).toEqual({ phase: 'starting', cut: true });
    expect(after(CONFIGURED, FRAME, cut, CONFIGURED, DISCONNECTED)).toMatchObject({ phase: 'reconnecting', cut: true });
    expect(after(CONFIGURED, FRAME, cut, deferred)).toEqual({ phase: 'waiting', cause: 'full', cut: true });
    expect(after(CONFIGURED, FRAME, cut, { type: 'no-streamer' }, CONFIGURED)).toEqual({ phase: 'starting', cut: true });
    expect(after(CONFIGURED, FRAME, cut, CONFIGURED, FRAME, DISCONNECTED)).toEqual({ phase: 'reconnecting', played: true });
    expect(after(CONFIGURED, cut, { type: 'retry' }, CONFIGURED)).toEqual({ phase: 'starting' });
  });

  it('is away while the page returns to its server, and everything else goes on', () => {
    const away: StateEvent = { type: 'away' };
    const returned: StateEvent = { type: 'returned' };
    expect(after(CONFIGURED, FRAME, away)).toEqual({ phase: 'playing', away: true });
    expect(after(CONFIGURED, FRAME, away, { type: 'paused' })).toEqual({ phase: 'blocked', paused: true, away: true });
    expect(after(CONFIGURED, away, FRAME)).toEqual({ phase: 'playing', away: true });
    expect(after(CONFIGURED, FRAME, away, returned)).toEqual({ phase: 'playing' });
    expect(after(CONFIGURED, FRAME, away, DISCONNECTED)).toEqual({ phase: 'reconnecting', played: true });
    expect(after(away)).toEqual(INITIAL);
    expect(reduce(INITIAL, returned)).toBe(INITIAL);
  });

  it('has the warning of the end of the session until the server takes it back', () => {
    const warning = { limit: 'idle', endsAt: 1_000 } as const;
    const warned: StateEvent = { type: 'warned', warning };
    expect(after(CONFIGURED, FRAME, warned)).toEqual({ phase: 'playing', warning });
    expect(after(CONFIGURED, warned, FRAME)).toEqual({ phase: 'playing', warning });
    expect(after(CONFIGURED, warned, REJECTED)).toEqual({ phase: 'blocked', warning });
    expect(after(CONFIGURED, warned, { type: 'negotiated' })).toEqual({ phase: 'starting', warning });
    expect(after(CONFIGURED, FRAME, warned, { type: 'away' })).toEqual({ phase: 'playing', away: true, warning });
    expect(after(CONFIGURED, FRAME, warned, { type: 'warned' })).toEqual({ phase: 'playing' });
    expect(after(CONFIGURED, FRAME, warned, DISCONNECTED)).toEqual({ phase: 'reconnecting', played: true });
    expect(after(warned)).toEqual(INITIAL);
  });

  it('keeps the shown position on a return to the queue until there is a newer one', () => {
    const first: StateEvent = { type: 'matchmaker', message: { kind: 'queued' } };
    expect(after(QUEUED, { type: 'away' })).toEqual({ phase: 'queued', position: 2, ahead: 1, away: true });
    expect(after(QUEUED, { type: 'away' }, first)).toEqual({ phase: 'queued', position: 2, ahead: 1 });
    expect(after(first)).toEqual({ phase: 'queued' });
    expect(after({ type: 'matchmaker', message: { kind: 'queued', unserved: true } }, first)).toEqual({ phase: 'queued' });
  });

  it('stays ended until the user retries', () => {
    const ended: StateEvent = { type: 'ended', cause: 'over', text: 'time is up' };
    expect(after(CONFIGURED, FRAME, ended)).toEqual({ phase: 'ended', cause: 'over', text: 'time is up' });
    expect(after({ ...ended, code: 4202 })).toMatchObject({ code: 4202 });
    expect(after(ended, FRAME, REJECTED)).toEqual({ phase: 'ended', cause: 'over', text: 'time is up' });
    expect(after(ended, { type: 'retry' })).toEqual(INITIAL);
  });

  it('reconnects after a refusal if the close code asks for it', () => {
    expect(after({ type: 'ended', cause: 'refused' }, DISCONNECTED)).toEqual({ phase: 'reconnecting', played: false });
  });

  it('returns the same object when nothing changes', () => {
    const state: State = { phase: 'playing' };
    expect(reduce(state, FRAME)).toBe(state);
  });
});

describe('hasStreamer', () => {
  it.each<State>([{ phase: 'starting' }, { phase: 'blocked' }, { phase: 'playing' }])('is true in %j', (state) => {
    expect(hasStreamer(state)).toBe(true);
  });

  it.each<State>([
    { phase: 'connecting' },
    { phase: 'queued' },
    { phase: 'waiting', cause: 'full' },
    { phase: 'reconnecting', played: true },
    { phase: 'ended', cause: 'over' },
  ])('is false in %j', (state) => {
    expect(hasStreamer(state)).toBe(false);
  });
});
