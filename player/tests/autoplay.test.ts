import type { PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { describe, expect, it, vi } from 'vitest';
import { mutePlaybackIfBlocked } from '../src/connection/autoplay';

interface Fixture {
  reject: (reason: unknown) => void;
  mute: () => void;
  play: () => void;
  onBlocked: () => void;
}

function setUp(muted: boolean): Fixture {
  const [mute, play, onBlocked] = [vi.fn(), vi.fn(), vi.fn()];
  let listener: ((event: unknown) => void) | undefined;
  const stream = {
    addEventListener: (_type: string, added: (event: unknown) => void): void => {
      listener = added;
    },
    config: { isFlagEnabled: () => muted, setFlagEnabled: mute },
    play,
  };
  mutePlaybackIfBlocked(stream as unknown as PixelStreaming, onBlocked);
  const reject = (reason: unknown): void => {
    listener?.({ data: { reason } });
  };
  return { reject, mute, play, onBlocked };
}

const NOT_ALLOWED = new DOMException('blocked', 'NotAllowedError');

describe('mutePlaybackIfBlocked', () => {
  it('plays muted after playback with sound is blocked', () => {
    const { reject, mute, play, onBlocked } = setUp(false);
    reject(NOT_ALLOWED);
    expect(mute).toHaveBeenCalledExactlyOnceWith('StartVideoMuted', true);
    expect(play).toHaveBeenCalledTimes(1);
    expect(onBlocked).not.toHaveBeenCalled();
  });

  it('reports that muted playback is blocked', () => {
    const { reject, play, onBlocked } = setUp(true);
    reject(NOT_ALLOWED);
    expect(onBlocked).toHaveBeenCalledTimes(1);
    expect(play).not.toHaveBeenCalled();
  });

  it.each([new DOMException('replaced', 'AbortError'), new Error('other'), undefined])('ignores %s', (reason) => {
    const { reject, play, onBlocked } = setUp(false);
    reject(reason);
    expect(play).not.toHaveBeenCalled();
    expect(onBlocked).not.toHaveBeenCalled();
  });
});
