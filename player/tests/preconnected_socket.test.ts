import { Logger, LogLevel, WebSocketTransport } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PreconnectedSocket } from '../src/connection/preconnected_socket';

/** Stands in for a browser's websocket; the test says what comes. */
class FakeSocket extends EventTarget {
  static readonly made: FakeSocket[] = [];
  readonly url: string;
  readonly send = vi.fn();
  onopen: ((event: Event) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;
  onmessage: ((event: Event) => void) | null = null;
  onclose: ((event: Event) => void) | null = null;

  constructor(url: string) {
    super();
    this.url = url;
    FakeSocket.made.push(this);
    for (const type of ['open', 'error', 'message', 'close'] as const) {
      this.addEventListener(type, (event) => this[`on${type}`]?.(event));
    }
  }

  opens(): void {
    this.dispatchEvent(new Event('open'));
  }

  says(data: string): void {
    this.dispatchEvent(new MessageEvent('message', { data }));
  }

  closes(code: number): void {
    this.dispatchEvent(Object.assign(new Event('close'), { code, reason: '' }));
  }
}

/** A transport, and what it tells. */
function listening(): { transport: WebSocketTransport; told: string[] } {
  const transport = new WebSocketTransport();
  const told: string[] = [];
  transport.on('open', () => told.push('open'));
  transport.on('close', ({ code }: CloseEvent) => told.push(`close ${String(code)}`));
  transport.onMessage = (message): void => {
    told.push(message);
  };
  return { transport, told };
}

function dialled(): { early: PreconnectedSocket; socket: FakeSocket } {
  const early = new PreconnectedSocket('ws://play.test/ws');
  const [socket] = FakeSocket.made;
  if (socket === undefined) {
    throw new Error('nothing was dialled');
  }
  return { early, socket };
}

describe('PreconnectedSocket', () => {
  beforeEach(() => {
    Logger.InitLogging(LogLevel.Error, false);
    FakeSocket.made.length = 0;
    vi.stubGlobal('WebSocket', FakeSocket);
  });

  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it('tells what came before it was lent, in its order, and not before connecting is done', async () => {
    const { early, socket } = dialled();
    socket.opens();
    socket.says('first');
    socket.says('second');
    const { transport, told } = listening();
    early.attachTo(transport);
    expect(transport.connect('ws://play.test/ws')).toBe(true);
    expect(told).toEqual([]);
    await Promise.resolve();
    expect(told).toEqual(['open', 'first', 'second']);
    socket.says('third');
    expect(told).toEqual(['open', 'first', 'second', 'third']);
    transport.sendMessage('mine');
    expect(socket.send).toHaveBeenCalledWith('mine');
    expect(FakeSocket.made).toHaveLength(1);
  });

  it('tells of a close that came before it was lent', async () => {
    const { early, socket } = dialled();
    socket.closes(4200);
    const { transport, told } = listening();
    early.attachTo(transport);
    transport.connect('ws://play.test/ws');
    await Promise.resolve();
    expect(told).toEqual(['close 4200']);
  });

  it('serves the first connection alone', async () => {
    const { early, socket } = dialled();
    const { transport, told } = listening();
    early.attachTo(transport);
    transport.connect('ws://play.test/ws');
    await Promise.resolve();
    socket.closes(1006);
    transport.connect('ws://play.test/again');
    expect(FakeSocket.made.map(({ url }) => url)).toEqual(['ws://play.test/ws', 'ws://play.test/again']);
    FakeSocket.made[1]?.opens();
    expect(told).toEqual(['close 1006', 'open']);
  });
});
