import { Flags, type PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';

/**
 * Starts playback muted when the browser blocks playback with sound.
 *
 * @param onBlocked - called when the browser blocks muted playback as well
 */
export function mutePlaybackIfBlocked(stream: PixelStreaming, onBlocked: () => void): void {
  stream.addEventListener('playStreamRejected', ({ data }) => {
    const reason: unknown = data.reason;
    if (!(reason instanceof DOMException) || reason.name !== 'NotAllowedError') {
      return; // replaced by a newer load, which plays by itself
    }
    if (stream.config.isFlagEnabled(Flags.StartVideoMuted)) {
      onBlocked();
    } else {
      stream.config.setFlagEnabled(Flags.StartVideoMuted, true);
      stream.play();
    }
  });
}
