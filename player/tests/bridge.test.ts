import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CONTROL_TIMEOUT, MAX_PENDING } from '../src/embed/control_calls';
import { Bridge, type PlayerApi } from '../src/embed/bridge';
import type { State } from '../src/state';

const PICTURE = new Blob(['a picture'], { type: 'image/png' });

const PLAYING: State = { phase: 'playing' };

interface Fixture {
  posted: object[];
  calls: unknown[][];
  bridge: Bridge;
  player: { -readonly [Key in keyof PlayerApi]: PlayerApi[Key] };
  connected: boolean;
}

function setUp(functions: readonly string[] = []): Fixture {
  const posted: object[] = [];
  const calls: unknown[][] = [];
  const record =
    (name: string) =>
    (...args: unknown[]): boolean => {
      calls.push([name, ...args]);
      return made.connected;
    };
  const player = {
    state: { phase: 'queued', position: 2 } as State,
    stats: undefined,
    interact: record('interact'),
    command: record('command'),
    control: record('control'),
    testLatency: record('testLatency'),
    mute: record('mute') as (muted: boolean) => void,
    fullscreen: (on: boolean) => (on ? Promise.resolve() : Promise.reject(new TypeError('not in full screen'))),
    setQuality: record('quality') as (quality: string) => void,
    screenshot: () => Promise.resolve(PICTURE),
    leave: record('leave') as () => void,
    retry: record('retry') as () => void,
    useToken: record('useToken') as () => void,
  };
  const made: Fixture = {
    posted,
    calls,
    player,
    connected: true,
    bridge: undefined as unknown as Bridge,
  };
  const settings = { parents: ['https://shop.test'], functions, signallingHosts: [], signIn: false };
  made.bridge = new Bridge(settings, player, (message) => posted.push(message));
  return made;
}

/** Returns the messages posted since the last call. */
const takePosted = ({ posted }: Fixture): object[] => posted.splice(0);

const byId = (one: object, other: object): number =>
  (one as { id: number }).id - (other as { id: number }).id;

const ask = (target: Fixture, id: number, fields: object): void => {
  target.bridge.receive({ pixelfleet: 1, id, ...fields });
};

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe('Bridge', () => {
  it('first sends the state', () => {
    const ready = { pixelfleet: 1, event: 'ready', data: { state: { phase: 'queued', position: 2 } } };
    expect(takePosted(setUp())).toEqual([ready]);
  });

  it('sends states and responses, and statistics on request', () => {
    const fixture = setUp();
    takePosted(fixture);
    fixture.bridge.onStats({ health: 'good' });
    fixture.bridge.onState(PLAYING);
    fixture.bridge.onResponse('{"score":3}');
    expect(takePosted(fixture)).toEqual([
      { pixelfleet: 1, event: 'state', data: PLAYING },
      { pixelfleet: 1, event: 'response', data: '{"score":3}' },
    ]);
    ask(fixture, 1, { method: 'watch', stats: true });
    fixture.bridge.onStats({ health: 'good' });
    ask(fixture, 2, { method: 'watch', stats: false });
    fixture.bridge.onStats({ health: 'poor' });
    expect(takePosted(fixture)).toEqual([
      { pixelfleet: 1, id: 1, result: true },
      { pixelfleet: 1, event: 'stats', data: { health: 'good' } },
      { pixelfleet: 1, id: 2, result: true },
    ]);
  });

  it('replies to requests', () => {
    const fixture = setUp();
    takePosted(fixture);
    ask(fixture, 1, { method: 'state' });
    ask(fixture, 2, { method: 'stats' });
    fixture.player.stats = { health: 'fair' };
    ask(fixture, 3, { method: 'stats' });
    ask(fixture, 4, { method: 'interact', value: { a: 1 } });
    ask(fixture, 5, { method: 'retry' });
    ask(fixture, 6, { method: 'token', token: 'a.b.c' });
    ask(fixture, 7, { method: 'nothing' });
    expect(takePosted(fixture)).toEqual([
      { pixelfleet: 1, id: 1, result: { phase: 'queued', position: 2 } },
      { pixelfleet: 1, id: 2, result: null },
      { pixelfleet: 1, id: 3, result: { health: 'fair' } },
      { pixelfleet: 1, id: 4, result: true },
      { pixelfleet: 1, id: 5, result: true },
      { pixelfleet: 1, id: 6, result: true },
      { pixelfleet: 1, id: 7, error: 'unknown method' },
    ]);
    expect(fixture.calls).toEqual([['interact', { a: 1 }], ['retry'], ['useToken', 'a.b.c']]);
  });

  it('replies with an error while the stream is not connected', () => {
    const fixture = setUp();
    fixture.connected = false;
    takePosted(fixture);
    ask(fixture, 1, { method: 'interact', value: 'x' });
    ask(fixture, 2, { method: 'control', action: 'a' });
    expect(takePosted(fixture)).toEqual([
      { pixelfleet: 1, id: 1, error: 'the stream is not connected' },
      { pixelfleet: 1, id: 2, error: 'the stream is not connected' },
    ]);
  });

  it('controls sound, picture and session', async () => {
    const fixture = setUp();
    takePosted(fixture);
    ask(fixture, 1, { method: 'mute', muted: false });
    ask(fixture, 2, { method: 'quality', quality: 'low' });
    ask(fixture, 3, { method: 'leave' });
    ask(fixture, 4, { method: 'fullscreen', on: true });
    ask(fixture, 5, { method: 'fullscreen', on: false });
    ask(fixture, 6, { method: 'screenshot' });
    await vi.runAllTimersAsync();
    expect(takePosted(fixture).toSorted(byId)).toEqual([
      { pixelfleet: 1, id: 1, result: true },
      { pixelfleet: 1, id: 2, result: true },
      { pixelfleet: 1, id: 3, result: true },
      { pixelfleet: 1, id: 4, result: true },
      { pixelfleet: 1, id: 5, error: 'not in full screen' },
      { pixelfleet: 1, id: 6, result: PICTURE },
    ]);
    expect(fixture.calls).toEqual([['mute', false], ['quality', 'low'], ['leave']]);
  });

  it('reports the failure of a request without an id as an event', () => {
    const fixture = setUp();
    takePosted(fixture);
    fixture.bridge.receive({ pixelfleet: 1, method: 'interact', value: 'x' });
    expect(takePosted(fixture)).toEqual([]);
    fixture.connected = false;
    fixture.bridge.receive({ pixelfleet: 1, method: 'interact', value: 'x' });
    fixture.bridge.receive({ pixelfleet: 1, method: 'control', action: 'a' });
    fixture.bridge.receive({ pixelfleet: 1, method: 'nothing' });
    const refused = (data: object): object => ({ pixelfleet: 1, event: 'refused', data });
    expect(takePosted(fixture)).toEqual([
      refused({ method: 'interact', error: 'the stream is not connected' }),
      refused({ method: 'control', error: 'the stream is not connected' }),
      refused({ error: 'unknown method' }),
    ]);
  });

  it.each<State>([
    { phase: 'connecting' },
    { phase: 'queued', position: 2 },
    { phase: 'waiting', cause: 'no-streamer' },
    { phase: 'reconnecting', played: true },
    { phase: 'ended', cause: 'over' },
  ])('fails pending calls when the streamer is lost: %j', (state) => {
    const fixture = setUp();
    fixture.bridge.onState(PLAYING);
    ask(fixture, 1, { method: 'control', action: 'a' });
    takePosted(fixture);
    fixture.bridge.onState(state);
    expect(takePosted(fixture).at(-1)).toEqual({ pixelfleet: 1, id: 1, error: 'the stream is not connected' });
  });

  it('matches responses to calls by action, in the order of the calls', () => {
    const fixture = setUp();
    takePosted(fixture);
    ask(fixture, 1, { method: 'control', action: 'a' });
    ask(fixture, 2, { method: 'control', action: 'b', payload: { x: 1 } });
    ask(fixture, 3, { method: 'control', action: 'a' });
    expect(fixture.calls).toEqual([
      ['control', 'a', undefined],
      ['control', 'b', { x: 1 }],
      ['control', 'a', undefined],
    ]);
    fixture.bridge.onControlResponse({ type: 'response', action: 'b', error: 'HTTP 500' });
    fixture.bridge.onControlResponse({ type: 'response', action: 'a', response: 'first' });
    fixture.bridge.onControlResponse({ type: 'response', action: 'a', error: { code: 1 } });
    fixture.bridge.onControlResponse({ type: 'response', action: 'a', response: 'without a call' });
    fixture.bridge.onControlResponse(null);
    expect(takePosted(fixture)).toEqual([
      { pixelfleet: 1, id: 2, error: 'HTTP 500' },
      { pixelfleet: 1, id: 1, result: 'first' },
      { pixelfleet: 1, id: 3, error: '{"code":1}' },
    ]);
  });

  it('fails a call after the timeout, and all calls when the connection is lost', () => {
    const fixture = setUp();
    takePosted(fixture);
    ask(fixture, 1, { method: 'control', action: 'a' });
    vi.advanceTimersByTime(CONTROL_TIMEOUT);
    expect(takePosted(fixture)).toEqual([{ pixelfleet: 1, id: 1, error: 'the server did not respond within 60 s' }]);
    ask(fixture, 2, { method: 'control', action: 'a' });
    fixture.bridge.onState({ phase: 'reconnecting', played: true });
    expect(takePosted(fixture).at(-1)).toEqual({ pixelfleet: 1, id: 2, error: 'the stream is not connected' });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('limits the number of pending calls', () => {
    const fixture = setUp();
    for (let id = 0; id < MAX_PENDING; id += 1) {
      ask(fixture, id, { method: 'control', action: 'a' });
    }
    takePosted(fixture);
    ask(fixture, 99, { method: 'control', action: 'a' });
    const error = `too many pending control calls (at most ${String(MAX_PENDING)})`;
    expect(takePosted(fixture)).toEqual([{ pixelfleet: 1, id: 99, error }]);
    expect(fixture.calls).toHaveLength(MAX_PENDING);
  });
});

describe('legacy protocol', () => {
  const ALL = ['emitUIInteraction', 'emitCommand', 'emitSocketInteraction', 'sendStartLatencyTest', 'connect', 'eval'];

  const invoke = (target: Fixture, name: string, ...args: unknown[]): void => {
    target.bridge.receive({ invoke: name, args });
  };

  it('is off unless page.json allows a function', () => {
    const fixture = setUp();
    takePosted(fixture);
    invoke(fixture, 'emitUIInteraction', { a: 1 });
    expect(fixture.calls).toEqual([]);
    expect(takePosted(fixture)).toEqual([
      { notice: { ok: false, type: 'invoke', status: 'refused', invoke: 'emitUIInteraction', detail: 'not allowed' } },
    ]);
    fixture.bridge.onResponse('x');
    fixture.bridge.onMatchmaker({ matched: true });
    expect(takePosted(fixture)).toEqual([{ pixelfleet: 1, event: 'response', data: 'x' }]);
  });

  it('calls allowed functions', () => {
    const fixture = setUp(ALL);
    invoke(fixture, 'emitUIInteraction', { a: 1 });
    invoke(fixture, 'emitUIInteraction', 'text');
    invoke(fixture, 'emitCommand', { 'Encoder.MaxQP': 40 });
    invoke(fixture, 'emitSocketInteraction', 'level/load', { name: 'x' });
    invoke(fixture, 'sendStartLatencyTest');
    invoke(fixture, 'connect');
    expect(fixture.calls).toEqual([
      ['interact', { a: 1 }],
      ['interact', 'text'],
      ['command', { 'Encoder.MaxQP': 40 }],
      ['control', 'level/load', { name: 'x' }],
      ['testLatency'],
      ['retry'],
    ]);
  });

  it.each([
    ['eval', ['1'], 'unknown function'],
    ['toString', [], 'not allowed'],
    ['emitUIInteraction', [], 'the argument must be an object or a string'],
    ['emitCommand', ['text'], 'the argument must be an object'],
    ['emitSocketInteraction', [5], 'control: "action" must be a string of 1 to 512 characters'],
  ])('refuses %s%j', (name, args, detail) => {
    const fixture = setUp(ALL);
    takePosted(fixture);
    invoke(fixture, name, ...args);
    expect(fixture.calls).toEqual([]);
    const notice = { ok: false, type: 'invoke', status: 'refused', invoke: name, detail };
    expect(takePosted(fixture)).toEqual([{ notice }]);
  });

  it('sends notices and responses', () => {
    const fixture = setUp(['emitUIInteraction']);
    takePosted(fixture);
    fixture.bridge.onMatchmaker({ type: 'matchmaker', queued: true, matched: false, detail: 'waiting' });
    fixture.bridge.onState(PLAYING);
    fixture.bridge.onState({ ...PLAYING, ending: true });
    fixture.bridge.onResponse('text');
    fixture.bridge.onControlResponse({ type: 'response', action: 'a', response: 1 });
    fixture.bridge.onState({ phase: 'ended', cause: 'over' });
    const legacy = takePosted(fixture).filter((message) => !('pixelfleet' in message));
    expect(legacy).toEqual([
      { notice: { ok: false, type: 'matchmaker', detail: 'waiting' } },
      { notice: { ok: true, type: 'player', status: 'playing' } },
      { response: 'text' },
      { type: 'response', action: 'a', response: 1 },
      { notice: { ok: false, type: 'ws', status: 'closed' } },
    ]);
  });
});
