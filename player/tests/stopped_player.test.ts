import { describe, expect, it, vi } from 'vitest';
import { Bridge } from '../src/embed/bridge';
import type { State } from '../src/state';
import { StoppedPlayer } from '../src/stopped_player';

describe('StoppedPlayer', () => {
  it('gives an embedding page the reason, and refuses what needs a stream', async () => {
    const state: State = { phase: 'ended', cause: 'link' };
    const posted: object[] = [];
    const bridge = new Bridge({ parents: [], functions: [], signallingHosts: [], signIn: false }, new StoppedPlayer(state), (message) => {
      posted.push(message);
    });
    bridge.receive({ pixelfleet: 1, id: 1, method: 'state' });
    bridge.receive({ pixelfleet: 1, id: 2, method: 'interact', value: 'x' });
    bridge.receive({ pixelfleet: 1, id: 3, method: 'retry' });
    bridge.receive({ pixelfleet: 1, id: 4, method: 'screenshot' });
    await vi.waitUntil(() => posted.length === 5);
    expect(posted).toEqual([
      { pixelfleet: 1, event: 'ready', data: { state } },
      { pixelfleet: 1, id: 1, result: state },
      { pixelfleet: 1, id: 2, error: 'the stream is not connected' },
      { pixelfleet: 1, id: 3, result: true },
      { pixelfleet: 1, id: 4, error: 'the stream is not connected' },
    ]);
  });
});
