import { Logger, LogLevel, WebSocketTransport } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PreconnectedSocket } from '../src/connection/preconnected_socket';

/** A websocket whose events the test dispatches. */
class FakeSocket extends EventTarget {
  static readonly instances: FakeSocket[] = [];
  readonly url: string;
  readonly send = vi.fn();
  onopen: ((event: Event) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;
  onmessage: ((event: Event) => void) | null = null;
  onclose: ((event: Event) => void) | null = null;

  constructor(url: string) {
    super();
    this.url = url;
    FakeSocket.instances.push(this);
    for (const type of ['open', 'error', 'message', 'close'] as const) {
      this.addEventListener(type, (event) => this[`on${type}`]?.(event));
    }
  }

  open(): void {
    this.dispatchEvent(new Event('open'));
  }

  receive(data: string): void {
    this.dispatchEvent(new MessageEvent('message', { data }));
  }

  close(code: number): void {
    this.dispatchEvent(Object.assign(new Event('close'), { code, reason: '' }));
  }
}

/** A transport, and a log of its events. */
function loggedTransport(): { transport: WebSocketTransport; log: string[] } {
  const transport = new WebSocketTransport();
  const log: string[] = [];
  transport.on('open', () => log.push('open'));
  transport.on('close', ({ code }: CloseEvent) => log.push(`close ${String(code)}`));
  transport.onMessage = (message): void => {
    log.push(message);
  };
  return { transport, log };
}

function preconnected(): { preconnectedSocket: PreconnectedSocket; socket: FakeSocket } {
  const preconnectedSocket = new PreconnectedSocket('ws://play.test/ws');
  const [socket] = FakeSocket.instances;
  if (socket === undefined) {
    throw new Error('no websocket was opened');
  }
  return { preconnectedSocket, socket };
}

describe('PreconnectedSocket', () => {
  beforeEach(() => {
    Logger.InitLogging(LogLevel.Error, false);
    FakeSocket.instances.length = 0;
    vi.stubGlobal('WebSocket', FakeSocket);
  });

  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it('replays buffered events in order, after connect has returned', async () => {
    const { preconnectedSocket, socket } = preconnected();
    socket.open();
    socket.receive('first');
    socket.receive('second');
    const { transport, log } = loggedTransport();
    preconnectedSocket.attachTo(transport);
    expect(transport.connect('ws://play.test/ws')).toBe(true);
    expect(log).toEqual([]);
    await Promise.resolve();
    expect(log).toEqual(['open', 'first', 'second']);
    socket.receive('third');
    expect(log).toEqual(['open', 'first', 'second', 'third']);
    transport.sendMessage('mine');
    expect(socket.send).toHaveBeenCalledWith('mine');
    expect(FakeSocket.instances).toHaveLength(1);
  });

  it('replays a close', async () => {
    const { preconnectedSocket, socket } = preconnected();
    socket.close(4200);
    const { transport, log } = loggedTransport();
    preconnectedSocket.attachTo(transport);
    transport.connect('ws://play.test/ws');
    await Promise.resolve();
    expect(log).toEqual(['close 4200']);
  });

  it('is used for the first connection only', async () => {
    const { preconnectedSocket, socket } = preconnected();
    const { transport, log } = loggedTransport();
    preconnectedSocket.attachTo(transport);
    transport.connect('ws://play.test/ws');
    await Promise.resolve();
    socket.close(1006);
    transport.connect('ws://play.test/again');
    expect(FakeSocket.instances.map(({ url }) => url)).toEqual(['ws://play.test/ws', 'ws://play.test/again']);
    FakeSocket.instances[1]?.open();
    expect(log).toEqual(['close 1006', 'open']);
  });
});
