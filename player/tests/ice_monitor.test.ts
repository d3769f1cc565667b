import { describe, expect, it, vi } from 'vitest';
import { MAX_FAILED_ATTEMPTS, IceMonitor } from '../src/connection/ice_monitor';

/** The parts of a peer connection that the monitor uses. */
class Connection extends EventTarget {
  connectionState = 'connecting';
  iceConnectionState = 'checking';
  remoteDescription: object | null = {};

  fail(): void {
    this.connectionState = 'failed';
    this.dispatchEvent(new Event('connectionstatechange'));
  }
}

function setUp(): {
  monitor: IceMonitor;
  observer: { onLost: () => void; onFound: () => void; onKind: () => void };
  watch: () => Connection;
} {
  const observer = { onLost: vi.fn(), onFound: vi.fn(), onKind: vi.fn() };
  const monitor = new IceMonitor(observer);
  const watch = (): Connection => {
    const connection = new Connection();
    monitor.watch(connection as unknown as RTCPeerConnection);
    return connection;
  };
  return { monitor, observer, watch };
}

describe('IceMonitor', () => {
  it('gives up at once if video has never played', () => {
    const { monitor, observer, watch } = setUp();
    watch();
    expect(monitor.attemptFailed()).toBe(false);
    expect(observer.onKind).toHaveBeenCalledExactlyOnceWith('none');
  });

  it('retries a limited number of times after video has played, and counts again after the next video', () => {
    const { monitor } = setUp();
    for (const _ of ['first video', 'second video']) {
      monitor.videoPlayed();
      for (let attempt = 1; attempt < MAX_FAILED_ATTEMPTS; attempt += 1) {
        expect(monitor.attemptFailed()).toBe(true);
      }
    }
    expect(monitor.attemptFailed()).toBe(false);
  });

  it('forgets earlier video on reset', () => {
    const { monitor } = setUp();
    monitor.videoPlayed();
    monitor.reset();
    expect(monitor.attemptFailed()).toBe(false);
  });

  it('reports a missing path once for each connection', () => {
    const { monitor, observer, watch } = setUp();
    watch();
    monitor.attemptFailed();
    monitor.attemptFailed();
    expect(observer.onKind).toHaveBeenCalledTimes(1);
    watch();
    monitor.attemptFailed();
    expect(observer.onKind).toHaveBeenCalledTimes(2);
  });

  it('observes the current connection only', () => {
    const { monitor, observer, watch } = setUp();
    const old = watch();
    const newest = watch();
    old.fail();
    expect(observer.onLost).not.toHaveBeenCalled();
    newest.fail();
    expect(observer.onLost).toHaveBeenCalledTimes(1);
    monitor.unwatch();
    newest.fail();
    expect(observer.onLost).toHaveBeenCalledTimes(1);
  });

  it('has no path from negotiation until ICE is connected', () => {
    const { monitor, watch } = setUp();
    expect(monitor.hasNoPath).toBe(false);
    const connection = watch();
    expect(monitor.hasNoPath).toBe(true);
    connection.iceConnectionState = 'connected';
    expect(monitor.hasNoPath).toBe(false);
    connection.iceConnectionState = 'failed';
    expect(monitor.hasNoPath).toBe(true);
    connection.remoteDescription = null;
    expect(monitor.hasNoPath).toBe(false);
  });
});
