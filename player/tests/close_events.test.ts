import { describe, expect, it } from 'vitest';
import { endOf, waitOf } from '../src/connection/close_events';

describe('endOf', () => {
  it('has the cause of the code, and the reason of the application', () => {
    expect(endOf('never', { code: 4208, reason: 'x' }, { phase: 'playing' })).toEqual({
      type: 'ended',
      cause: 'elsewhere',
      code: 4208,
    });
    expect(endOf('never', { code: 1011, reason: ' closed by\nits user' }, { phase: 'playing' })).toEqual({
      type: 'ended',
      cause: 'left',
      code: 1011,
      text: 'closed by its user',
    });
  });

  it('has what the page waited for when every attempt failed', () => {
    expect(endOf('later', { code: 4102, reason: '' }, { phase: 'waiting', cause: 'full' })).toEqual({
      type: 'ended',
      cause: 'unreachable',
      code: 4102,
      waited: 'full',
    });
    expect(endOf('now', { code: 1006, reason: '' }, { phase: 'connecting' })).toEqual({
      type: 'ended',
      cause: 'unreachable',
      code: 1006,
    });
  });
});

describe('waitOf', () => {
  it('has the cause of a later attempt, and the reason of an unknown code', () => {
    expect(waitOf('later', { code: 4102, reason: 'x' }, true)).toEqual({ type: 'deferred', cause: 'full' });
    expect(waitOf('later', { code: 4150, reason: 'x' }, false)).toEqual({ type: 'deferred', cause: 'no-service', text: 'x' });
    expect(waitOf('now', { code: 4000, reason: 'x' }, false)).toEqual({ type: 'disconnected' });
    expect(waitOf('now', { code: 4000, reason: 'x' }, true)).toEqual({ type: 'disconnected', lasting: true });
  });
});
