import { Logger, LogLevel, WebSocketTransport } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { PreconnectedSocket } from '../src/connection/preconnected_socket';
import { RETURN_TIMEOUT } from '../src/resume/redials';
import { ResumingTransport } from '../src/resume/resuming_transport';
import { STORAGE_KEY } from '../src/resume/tab_claim';
import { useFakeBrowser } from './fake_browser';
import { FakeCloseEvent, FakeSocket } from './fake_socket';

const URL = 'ws://play.test/ws';
const SESSION = '{"type":"session","token":"T1","resumeSeconds":30,"reloadSeconds":5}';

let stored: Map<string, string>;
let browserWindow: EventTarget;

/** A library on the transport, with a log of what it notices. */
function setUp(early?: PreconnectedSocket): { transport: WebSocketTransport; resuming: ResumingTransport; log: string[] } {
  const transport = new WebSocketTransport();
  const resuming = new ResumingTransport(transport, early);
  const log: string[] = [];
  transport.on('open', () => log.push('open'));
  transport.on('close', ({ code }: CloseEvent) => log.push(`close ${String(code)}`));
  transport.onMessage = (text): void => {
    log.push((JSON.parse(text) as { type: string }).type);
  };
  resuming.observe({ onAway: (isAway) => log.push(isAway ? 'away' : 'back'), onAnswered: vi.fn(), media: () => 'live' });
  return { transport, resuming, log };
}

function playing(): ReturnType<typeof setUp> {
  const page = setUp();
  page.transport.connect(URL);
  FakeSocket.last.open();
  FakeSocket.last.receive(SESSION);
  FakeSocket.last.receive('{"type":"config"}');
  return page;
}

describe('ResumingTransport', () => {
  useFakeBrowser(() => {
    browserWindow = Object.assign(new EventTarget(), { setTimeout, clearTimeout });
    return browserWindow;
  });

  beforeEach(() => {
    Logger.InitLogging(LogLevel.Error, false);
    FakeSocket.instances.length = 0;
    stored = new Map();
    vi.stubGlobal('WebSocket', FakeSocket);
    vi.stubGlobal('CloseEvent', FakeCloseEvent);
    vi.stubGlobal('document', new EventTarget());
    vi.stubGlobal('navigator', { locks: { request: () => new Promise(() => undefined) } });
    vi.stubGlobal('sessionStorage', {
      getItem: (key: string) => stored.get(key) ?? null,
      setItem: (key: string, value: string) => stored.set(key, value),
      removeItem: (key: string) => stored.delete(key),
    });
  });

  it('uses the websocket that was opened early, once', async () => {
    const early = new PreconnectedSocket(URL);
    FakeSocket.last.open();
    FakeSocket.last.receive('{"type":"config"}');
    const { transport, log } = setUp(early);
    expect(transport.connect(URL)).toBe(true);
    expect(log).toEqual([]);
    await Promise.resolve();
    await Promise.resolve();
    expect(log).toEqual(['open', 'config']);
    transport.sendMessage('{"type":"answer"}');
    expect(FakeSocket.last.sent).toEqual(['{"type":"answer"}']);
    FakeSocket.last.drop(1006);
    await Promise.resolve();
    transport.connect(URL);
    expect(log).toEqual(['open', 'config', 'close 1006']);
    expect(FakeSocket.instances).toHaveLength(2);
  });

  it('replaces a lost websocket, and the library notices nothing', () => {
    const { transport, log } = playing();
    FakeSocket.last.drop(1006);
    expect(FakeSocket.instances.map(({ url }) => url)).toEqual([`${URL}?resume=1`, `${URL}?resume=T1&received=1`]);
    transport.sendMessage('{"type":"stats"}');
    FakeSocket.last.open();
    FakeSocket.last.receive('{"type":"session","resumed":true,"received":0}');
    FakeSocket.last.receive('{"type":"iceCandidate"}');
    expect(FakeSocket.last.sent).toEqual(['{"type":"stats"}']);
    expect(log).toEqual(['open', 'config', 'away', 'back', 'iceCandidate']);
  });

  it('closes a silent websocket only after its successor is in use, so that its end is no goodbye', () => {
    const { log, resuming } = playing();
    const [silent] = FakeSocket.instances;
    resuming.hurry();
    vi.advanceTimersByTime(3_000);
    expect(FakeSocket.instances).toHaveLength(2);
    expect(silent?.closes).toEqual([]);
    FakeSocket.last.open();
    FakeSocket.last.receive('{"type":"session","resumed":true,"received":0}');
    expect(silent?.closes).toHaveLength(1);
    silent?.receive('{"type":"answer"}');
    silent?.drop(4208);
    expect(FakeSocket.instances).toHaveLength(2);
    expect(log).toEqual(['open', 'config', 'away', 'back']);
  });

  it('closes an attempt that gets no answer before the next: browsers open one at a time', () => {
    playing();
    FakeSocket.last.drop(1006);
    const attempt = FakeSocket.last;
    vi.advanceTimersByTime(RETURN_TIMEOUT + 1_000);
    expect(attempt.closes).toHaveLength(1);
    expect(FakeSocket.instances).toHaveLength(3);
  });

  it('asks the server when the network is back', () => {
    playing();
    browserWindow.dispatchEvent(new Event('online'));
    expect(FakeSocket.last.sent).toHaveLength(1);
    expect(FakeSocket.last.sent[0]).toContain('"type":"ping"');
  });

  it('stores the token for a reload, and forgets it with the session', () => {
    const { transport } = playing();
    expect(stored.get(STORAGE_KEY)).toMatch(/^\d+-\d+ T1$/);
    transport.disconnect(1000);
    expect(stored.size).toBe(0);
  });

  it('tells the library of a disconnect after its caller has returned', async () => {
    const { transport, log } = playing();
    transport.disconnect(1000, 'bye');
    expect(FakeSocket.last.closes).toEqual([1000]);
    expect(transport.isConnected()).toBe(false);
    expect(log).toEqual(['open', 'config']);
    await Promise.resolve();
    expect(log).toEqual(['open', 'config', 'close 1000']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('passes binary messages on', async () => {
    const { log } = playing();
    FakeSocket.last.receive(new Blob(['{"type":"playerCount"}']));
    await vi.waitFor(() => {
      expect(log).toContain('playerCount');
    });
  });
});
