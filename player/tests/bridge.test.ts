import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MAX_PENDING } from '../src/embed/control_calls';
import { CONTROL_TIMEOUT, Bridge, type PlayerApi } from '../src/embed/bridge';
import type { State } from '../src/state';

const PLAYING: State = { phase: 'playing' };

interface World {
  posted: object[];
  calls: unknown[][];
  dialogue: Bridge;
  player: { -readonly [Key in keyof PlayerApi]: PlayerApi[Key] };
  online: boolean;
}

function world(functions: readonly string[] = []): World {
  const posted: object[] = [];
  const calls: unknown[][] = [];
  const record =
    (name: string) =>
    (...args: unknown[]): boolean => {
      calls.push([name, ...args]);
      return made.online;
    };
  const player = {
    state: { phase: 'queued', position: 2 } as State,
    figures: undefined,
    interact: record('interact'),
    command: record('command'),
    control: record('control'),
    testLatency: record('testLatency'),
    retry: record('retry') as () => void,
  };
  const made: World = {
    posted,
    calls,
    player,
    online: true,
    dialogue: undefined as unknown as Bridge,
  };
  const settings = { parents: ['https://shop.test'], functions, signallingHosts: [] };
  made.dialogue = new Bridge(settings, player, (message) => posted.push(message));
  return made;
}

/** What was posted since the last look. */
const news = ({ posted }: World): object[] => posted.splice(0);

const ask = (target: World, id: number, fields: object): void => {
  target.dialogue.receive({ pixelfleet: 1, id, ...fields });
};

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe('Bridge', () => {
  it('begins with where the page is', () => {
    expect(news(world())).toEqual([{ pixelfleet: 1, event: 'ready', data: { state: { phase: 'queued', position: 2 } } }]);
  });

  it('tells states and responses, and figures only to those who asked', () => {
    const there = world();
    news(there);
    there.dialogue.stats({ health: 'good' });
    there.dialogue.state(PLAYING);
    there.dialogue.response('{"score":3}');
    expect(news(there)).toEqual([
      { pixelfleet: 1, event: 'state', data: PLAYING },
      { pixelfleet: 1, event: 'response', data: '{"score":3}' },
    ]);
    ask(there, 1, { method: 'watch', stats: true });
    there.dialogue.stats({ health: 'good' });
    ask(there, 2, { method: 'watch', stats: false });
    there.dialogue.stats({ health: 'poor' });
    expect(news(there)).toEqual([
      { pixelfleet: 1, id: 1, result: true },
      { pixelfleet: 1, event: 'stats', data: { health: 'good' } },
      { pixelfleet: 1, id: 2, result: true },
    ]);
  });

  it('answers what it is asked', () => {
    const there = world();
    news(there);
    ask(there, 1, { method: 'state' });
    ask(there, 2, { method: 'stats' });
    there.player.figures = { health: 'fair' };
    ask(there, 3, { method: 'stats' });
    ask(there, 4, { method: 'interact', value: { a: 1 } });
    ask(there, 5, { method: 'retry' });
    ask(there, 6, { method: 'nothing' });
    expect(news(there)).toEqual([
      { pixelfleet: 1, id: 1, result: { phase: 'queued', position: 2 } },
      { pixelfleet: 1, id: 2, result: null },
      { pixelfleet: 1, id: 3, result: { health: 'fair' } },
      { pixelfleet: 1, id: 4, result: true },
      { pixelfleet: 1, id: 5, result: true },
      { pixelfleet: 1, id: 6, error: 'no such method' },
    ]);
    expect(there.calls).toEqual([['interact', { a: 1 }], ['retry']]);
  });

  it('says so when there is nothing to send to', () => {
    const there = world();
    there.online = false;
    news(there);
    ask(there, 1, { method: 'interact', value: 'x' });
    ask(there, 2, { method: 'control', action: 'a' });
    expect(news(there)).toEqual([
      { pixelfleet: 1, id: 1, error: 'the stream is not connected' },
      { pixelfleet: 1, id: 2, error: 'the stream is not connected' },
    ]);
  });

  it('brings each answer to its call, those to one action in their order', () => {
    const there = world();
    news(there);
    ask(there, 1, { method: 'control', action: 'a' });
    ask(there, 2, { method: 'control', action: 'b', payload: { x: 1 } });
    ask(there, 3, { method: 'control', action: 'a' });
    expect(there.calls).toEqual([['control', 'a', undefined], ['control', 'b', { x: 1 }], ['control', 'a', undefined]]);
    there.dialogue.controlAnswered({ type: 'response', action: 'b', error: 'HTTP 500' });
    there.dialogue.controlAnswered({ type: 'response', action: 'a', response: 'first' });
    there.dialogue.controlAnswered({ type: 'response', action: 'a', error: { code: 1 } });
    there.dialogue.controlAnswered({ type: 'response', action: 'a', response: 'to nobody' });
    there.dialogue.controlAnswered(null);
    expect(news(there)).toEqual([
      { pixelfleet: 1, id: 2, error: 'HTTP 500' },
      { pixelfleet: 1, id: 1, result: 'first' },
      { pixelfleet: 1, id: 3, error: '{"code":1}' },
    ]);
  });

  it('gives up a call that nobody answers, and all of them with the connection', () => {
    const there = world();
    news(there);
    ask(there, 1, { method: 'control', action: 'a' });
    vi.advanceTimersByTime(CONTROL_TIMEOUT);
    expect(news(there)).toEqual([{ pixelfleet: 1, id: 1, error: 'no answer came' }]);
    ask(there, 2, { method: 'control', action: 'a' });
    there.dialogue.state({ phase: 'reconnecting', played: true });
    expect(news(there).at(-1)).toEqual({ pixelfleet: 1, id: 2, error: 'the stream is not connected' });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('keeps only so many calls', () => {
    const there = world();
    for (let id = 0; id < MAX_PENDING; id += 1) {
      ask(there, id, { method: 'control', action: 'a' });
    }
    news(there);
    ask(there, 99, { method: 'control', action: 'a' });
    expect(news(there)).toEqual([{ pixelfleet: 1, id: 99, error: 'too many calls wait for their answer' }]);
    expect(there.calls).toHaveLength(MAX_PENDING);
  });
});

describe('the older dialect', () => {
  const ALL = ['emitUIInteraction', 'emitCommand', 'emitSocketInteraction', 'sendStartLatencyTest', 'connect', 'eval'];

  const invoke = (target: World, name: string, ...args: unknown[]): void => {
    target.dialogue.receive({ invoke: name, args });
  };

  it('is neither understood nor spoken where no function is allowed', () => {
    const there = world();
    news(there);
    invoke(there, 'emitUIInteraction', { a: 1 });
    expect(there.calls).toEqual([]);
    expect(news(there)).toEqual([
      { notice: { ok: false, type: 'invoke', status: 'refused', invoke: 'emitUIInteraction', detail: 'not allowed' } },
    ]);
    there.dialogue.response('x');
    there.dialogue.matchmaker({ matched: true });
    expect(news(there)).toEqual([{ pixelfleet: 1, event: 'response', data: 'x' }]);
  });

  it('calls what is allowed', () => {
    const there = world(ALL);
    invoke(there, 'emitUIInteraction', { a: 1 });
    invoke(there, 'emitUIInteraction', 'text');
    invoke(there, 'emitCommand', { 'Encoder.MaxQP': 40 });
    invoke(there, 'emitSocketInteraction', 'level/load', { name: 'x' });
    invoke(there, 'sendStartLatencyTest');
    invoke(there, 'connect');
    expect(there.calls).toEqual([
      ['interact', { a: 1 }],
      ['interact', 'text'],
      ['command', { 'Encoder.MaxQP': 40 }],
      ['control', 'level/load', { name: 'x' }],
      ['testLatency'],
      ['retry'],
    ]);
  });

  it.each([
    ['eval', ['1'], 'no such function'],
    ['toString', [], 'not allowed'],
    ['emitUIInteraction', [], 'an object or a text is needed'],
    ['emitCommand', ['text'], 'an object is needed'],
    ['emitSocketInteraction', [5], 'control: "action" must be a path of 1 to 512 characters'],
  ])('refuses %s%j', (name, args, detail) => {
    const there = world(ALL);
    news(there);
    invoke(there, name, ...args);
    expect(there.calls).toEqual([]);
    expect(news(there)).toEqual([{ notice: { ok: false, type: 'invoke', status: 'refused', invoke: name, detail } }]);
  });

  it('tells what such pages listen for', () => {
    const there = world(['emitUIInteraction']);
    news(there);
    there.dialogue.matchmaker({ type: 'matchmaker', queued: true, matched: false, detail: 'waiting' });
    there.dialogue.state(PLAYING);
    there.dialogue.state({ ...PLAYING, ending: true });
    there.dialogue.response('text');
    there.dialogue.controlAnswered({ type: 'response', action: 'a', response: 1 });
    there.dialogue.state({ phase: 'ended', cause: 'over' });
    const older = news(there).filter((message) => !('pixelfleet' in message));
    expect(older).toEqual([
      { notice: { ok: false, type: 'matchmaker', detail: 'waiting' } },
      { notice: { ok: true, type: 'player', status: 'playing' } },
      { response: 'text' },
      { type: 'response', action: 'a', response: 1 },
      { notice: { ok: false, type: 'ws', status: 'closed' } },
    ]);
  });
});
