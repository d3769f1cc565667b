import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PreconnectedSocket } from '../src/connection/preconnected_socket';
import { STORAGE_KEY } from '../src/resume/tab_claim';
import { FakeSocket } from './fake_socket';

/** Grants a lock unless another tab has it. */
function stubTab(stored: string | null, isGranted: boolean): void {
  vi.stubGlobal('sessionStorage', { getItem: (key: string) => (key === STORAGE_KEY ? stored : null) });
  const request = async (_name: string, _options: object, callback: () => Promise<void>): Promise<void> => {
    await (isGranted ? callback() : Promise.reject(new DOMException('', 'TimeoutError')));
  };
  vi.stubGlobal('navigator', { locks: { request } });
}

describe('PreconnectedSocket', () => {
  beforeEach(() => {
    FakeSocket.instances.length = 0;
    vi.stubGlobal('WebSocket', FakeSocket);
  });

  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it('opens at once, and passes buffered events in order before newer ones', async () => {
    const early = new PreconnectedSocket('ws://play.test/ws?app=city');
    const socket = FakeSocket.last;
    expect(socket.url).toBe('ws://play.test/ws?app=city&resume=1&subscribe=1');
    socket.open();
    socket.receive('first');
    const { takeOver, dial, tab } = await early.dialled;
    expect({ dial, tab }).toEqual({ dial: { resume: '1', subscribe: true }, tab: undefined });
    const log: string[] = [];
    takeOver((event) => log.push(event instanceof MessageEvent ? String(event.data) : event.type));
    socket.receive('second');
    socket.drop(4200);
    expect(log).toEqual(['open', 'first', 'second', 'close']);
  });

  it('returns to the session of the page before', async () => {
    stubTab('one T.1', true);
    const { dial, tab } = await new PreconnectedSocket('ws://play.test/ws').dialled;
    expect(FakeSocket.last.url).toBe('ws://play.test/ws?resume=T.1&fresh=1&subscribe=1');
    expect({ dial, tab }).toEqual({ dial: { resume: 'T.1', fresh: true, subscribe: true }, tab: 'one' });
  });

  it('leaves the session to the tab that this one is a copy of', async () => {
    stubTab('one T.1', false);
    const { dial, tab } = await new PreconnectedSocket('ws://play.test/ws').dialled;
    expect(FakeSocket.last.url).toBe('ws://play.test/ws?resume=1&subscribe=1');
    expect({ dial, tab }).toEqual({ dial: { resume: '1', subscribe: true }, tab: undefined });
  });

  it.each(['OfferToReceive=true', 'app=city&browsersendoffer'])('is not subscribed on its arrival when it offers: %s', (query) => {
    new PreconnectedSocket(`ws://play.test/ws?${query}`);
    expect(new URL(FakeSocket.last.url).searchParams.has('subscribe')).toBe(false);
  });

  it.each(['', 'one', ' T'])('ignores what is no session in the storage: "%s"', async (stored) => {
    stubTab(stored, true);
    const { dial } = await new PreconnectedSocket('ws://play.test/ws').dialled;
    expect(dial).toEqual({ resume: '1', subscribe: true });
  });
});
