import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RefusalProbe } from '../src/connection/refusal_probe';

const URL_OF_PAGE = 'wss://play.test/game/ws?id=7';

/** Answers the next plain request; without a status it fails. */
function answer(status?: number, headers: Record<string, string> = {}): void {
  const result = status === undefined ? Promise.reject(new TypeError('unreachable')) : new Response(null, { status, headers });
  vi.mocked(fetch).mockReturnValueOnce(Promise.resolve(result));
}

describe('RefusalProbe', () => {
  beforeEach(() => {
    vi.stubGlobal('location', { origin: 'https://play.test' });
    vi.stubGlobal('fetch', vi.fn());
  });

  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it('asks the URL of the websocket over HTTP', async () => {
    answer(503, { 'X-Pixelfleet-Refusal': 'full' });
    expect(await new RefusalProbe(() => URL_OF_PAGE).ask()).toEqual({ refusal: { wait: 'full' }, status: 503 });
    expect(fetch).toHaveBeenCalledExactlyOnceWith('https://play.test/game/ws?id=7', {
      method: 'HEAD',
      cache: 'no-store',
      headers: { 'X-Pixelfleet-Origin': 'https://play.test' },
    });
  });

  it("tells a proxy's answer from the server's, and believes it when it comes twice in a row", async () => {
    const probe = new RefusalProbe(() => URL_OF_PAGE);
    answer(503);
    expect(await probe.ask()).toBeUndefined();
    answer(502);
    expect(await probe.ask()).toEqual({ refusal: { wait: 'gateway' }, status: 502 });
    answer(426);
    expect(await probe.ask()).toBeUndefined();
    expect(probe.isUpgradeBlocked).toBe(false);
  });

  it('asks no server of another origin', async () => {
    expect(await new RefusalProbe(() => 'wss://other.test/ws').ask()).toBeUndefined();
    expect(fetch).not.toHaveBeenCalled();
  });

  it('finds lost upgrades only when two in a row are lost', async () => {
    const probe = new RefusalProbe(() => URL_OF_PAGE);
    answer(426);
    expect(await probe.ask()).toBeUndefined();
    expect(probe.isUpgradeBlocked).toBe(false);
    answer();
    expect(await probe.ask()).toBeUndefined();
    answer(426);
    expect(await probe.ask()).toBeUndefined();
    answer(426);
    expect(await probe.ask()).toEqual({ refusal: { wait: 'upgrade' }, status: 426 });
    expect(probe.isUpgradeBlocked).toBe(true);
    probe.opened();
    expect(probe.isUpgradeBlocked).toBe(false);
  });

  it('knows whether the last websocket was opened', () => {
    const probe = new RefusalProbe(() => URL_OF_PAGE);
    expect(probe.closed()).toBe(false);
    probe.opened();
    expect(probe.closed()).toBe(true);
    expect(probe.closed()).toBe(false);
  });
});
