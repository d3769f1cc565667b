import type { PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ActivityReporter } from '../src/limits/activity_reporter';
import { watchPlayback } from '../src/playback';
import { watchNetwork } from '../src/resume/network_events';

/** A target that counts its listeners. */
class CountingTarget extends EventTarget {
  count = 0;
  hidden = false;

  override addEventListener(type: string, listener: EventListener, options: AddEventListenerOptions = {}): void {
    this.count += 1;
    options.signal?.addEventListener('abort', () => {
      this.count -= 1;
    });
    super.addEventListener(type, listener, options);
  }
}

// A player that is removed from a page must leave no listener there.
describe('a signal removes all listeners from window and document', () => {
  const targets = { window: new CountingTarget(), document: new CountingTarget() };
  const stream = {
    addEventListener: vi.fn(),
    webRtcController: { videoPlayer: { getVideoElement: () => new EventTarget() } },
  } as unknown as PixelStreaming;
  const playback = { onBlocked: vi.fn(), onPlaying: vi.fn(), onPaused: vi.fn(), resumes: () => false };

  beforeEach(() => {
    vi.stubGlobal('window', targets.window);
    vi.stubGlobal('document', targets.document);
  });

  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it.each<[string, (signal: AbortSignal) => void]>([
    [
      'network',
      (signal): void => {
        watchNetwork(vi.fn(), signal);
      },
    ],
    [
      'input',
      (signal): void => {
        new ActivityReporter(vi.fn(), signal);
      },
    ],
    [
      'playback',
      (signal): void => {
        watchPlayback(stream, playback, signal);
      },
    ],
  ])('%s', (_, watch) => {
    const end = new AbortController();
    watch(end.signal);
    expect(targets.window.count + targets.document.count).toBeGreaterThan(0);
    end.abort();
    expect([targets.window.count, targets.document.count]).toEqual([0, 0]);
  });
});
