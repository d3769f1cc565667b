import { describe, expect, it } from 'vitest';
import { INITIAL, reduce, type StateEvent, type State } from '../src/state';

/** The state after all of `events`, from the first one on. */
function after(...events: StateEvent[]): State {
  return events.reduce(reduce, INITIAL);
}

const CONFIGURED: StateEvent = { type: 'configured' };
const FRAME: StateEvent = { type: 'frame' };
const LOST: StateEvent = { type: 'lost' };
const MATCHED: StateEvent = { type: 'news', news: { kind: 'matched', browserOffers: false } };
const QUEUED: StateEvent = { type: 'news', news: { kind: 'queued', position: 2, ahead: 1 } };
const REJECTED: StateEvent = { type: 'play-rejected' };

describe('reduce', () => {
  it('goes from connecting through the queue to playing', () => {
    expect(after()).toEqual({ phase: 'connecting' });
    expect(after(QUEUED)).toEqual({ phase: 'queued', position: 2, ahead: 1 });
    expect(after(QUEUED, MATCHED)).toEqual({ phase: 'starting' });
    expect(after(QUEUED, MATCHED, CONFIGURED, FRAME)).toEqual({ phase: 'playing' });
  });

  it('waits where the server has no streamer, and starts when one offers', () => {
    expect(after(CONFIGURED, { type: 'no-streamer' })).toEqual({ phase: 'waiting', cause: 'no-streamer' });
    expect(after(CONFIGURED, { type: 'no-streamer' }, { type: 'negotiated' })).toEqual({ phase: 'starting' });
  });

  it('keeps playing through a new negotiation', () => {
    expect(after(CONFIGURED, FRAME, { type: 'negotiated' })).toEqual({ phase: 'playing' });
  });

  it('asks for a click when the browser does, and plays after it', () => {
    expect(after(CONFIGURED, REJECTED)).toEqual({ phase: 'blocked' });
    expect(after(CONFIGURED, REJECTED, FRAME)).toEqual({ phase: 'playing' });
    expect(after(QUEUED, REJECTED)).toEqual({ phase: 'queued', position: 2, ahead: 1 });
  });

  it('remembers while it reconnects whether anything had played', () => {
    expect(after(LOST)).toEqual({ phase: 'reconnecting', played: false });
    expect(after(CONFIGURED, FRAME, LOST)).toEqual({ phase: 'reconnecting', played: true });
    expect(after(CONFIGURED, FRAME, LOST, { type: 'lost', text: 'all busy' })).toEqual({
      phase: 'reconnecting',
      played: true,
      text: 'all busy',
    });
  });

  it('takes no frame of the old stream for a sign of the new one', () => {
    expect(after(CONFIGURED, FRAME, LOST, FRAME).phase).toBe('reconnecting');
    expect(after(CONFIGURED, FRAME, LOST, QUEUED, FRAME).phase).toBe('queued');
    expect(after(CONFIGURED, FRAME, LOST, CONFIGURED, FRAME).phase).toBe('playing');
  });

  it('says over a picture, and only there, that the server will go', () => {
    expect(after(CONFIGURED, FRAME, { type: 'ending', text: 'update' })).toEqual({
      phase: 'playing',
      ending: true,
      text: 'update',
    });
    expect(after(CONFIGURED, FRAME, { type: 'ending' })).toEqual({ phase: 'playing', ending: true });
    expect(after({ type: 'ending' })).toEqual({ phase: 'connecting' });
  });

  it('waits, and goes on waiting, while the server puts it off', () => {
    const putOff: StateEvent = { type: 'put-off', cause: 'full', text: 'come tomorrow' };
    expect(after(putOff)).toEqual({ phase: 'waiting', cause: 'full', text: 'come tomorrow' });
    expect(after(putOff, LOST)).toEqual({ phase: 'waiting', cause: 'full', text: 'come tomorrow' });
    expect(after(putOff, QUEUED).phase).toBe('queued');
    expect(after(CONFIGURED, FRAME, { type: 'put-off', cause: 'closing' })).toEqual({ phase: 'waiting', cause: 'closing' });
  });

  it('remembers that no way through the network was found until a picture comes or the person starts over', () => {
    const cut: StateEvent = { type: 'lost', cut: true };
    const putOff: StateEvent = { type: 'put-off', cause: 'full' };
    expect(after(CONFIGURED, FRAME, cut)).toEqual({ phase: 'reconnecting', played: true, cut: true });
    expect(after(CONFIGURED, FRAME, cut, QUEUED)).toMatchObject({ phase: 'queued', cut: true });
    expect(after(CONFIGURED, FRAME, cut, QUEUED, MATCHED, CONFIGURED)).toEqual({ phase: 'starting', cut: true });
    expect(after(CONFIGURED, FRAME, cut, CONFIGURED, LOST)).toMatchObject({ phase: 'reconnecting', cut: true });
    expect(after(CONFIGURED, FRAME, cut, putOff)).toEqual({ phase: 'waiting', cause: 'full', cut: true });
    expect(after(CONFIGURED, FRAME, cut, { type: 'no-streamer' }, CONFIGURED)).toEqual({ phase: 'starting', cut: true });
    expect(after(CONFIGURED, FRAME, cut, CONFIGURED, FRAME, LOST)).toEqual({ phase: 'reconnecting', played: true });
    expect(after(CONFIGURED, cut, { type: 'retry' }, CONFIGURED)).toEqual({ phase: 'starting' });
  });

  it('stays over until the person starts again', () => {
    const over: StateEvent = { type: 'over', cause: 'over', text: 'time is up' };
    expect(after(CONFIGURED, FRAME, over)).toEqual({ phase: 'ended', cause: 'over', text: 'time is up' });
    expect(after({ ...over, code: 4202 })).toMatchObject({ code: 4202 });
    expect(after(over, FRAME, REJECTED)).toEqual({ phase: 'ended', cause: 'over', text: 'time is up' });
    expect(after(over, { type: 'retry' })).toEqual(INITIAL);
  });

  it('comes back from a refusal that the server takes back by its close code', () => {
    expect(after({ type: 'over', cause: 'refused' }, LOST)).toEqual({ phase: 'reconnecting', played: false });
  });

  it('gives the same object back when nothing changes', () => {
    const state: State = { phase: 'playing' };
    expect(reduce(state, FRAME)).toBe(state);
  });
});
