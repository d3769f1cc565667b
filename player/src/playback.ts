import type { PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { mutePlaybackIfBlocked } from './connection/autoplay';
import { hasLiveTrack } from './connection/live_track';
import { UNENDING } from './unending';

/** Receives the changes of the video's playback. */
export interface PlaybackObserver {
  /** The browser requires a click before it plays. */
  onBlocked(): void;
  onPlaying(): void;
  /** The browser paused the video: in a hidden tab, by a media key, or for another application. */
  onPaused(): void;
  /** Whether a paused video is to play again when its tab becomes visible. */
  resumes(): boolean;
}

/**
 * Watches the playback of the video, and resumes one that was paused while its tab was hidden.
 *
 * @param signal - ends the watch of the tab
 */
export function watchPlayback(stream: PixelStreaming, observer: PlaybackObserver, signal = UNENDING): void {
  mutePlaybackIfBlocked(stream, () => {
    observer.onBlocked();
  });
  const video = stream.webRtcController.videoPlayer.getVideoElement();
  video.addEventListener('playing', () => {
    if (hasLiveTrack(video)) {
      observer.onPlaying();
    }
  });
  video.addEventListener('pause', () => {
    if (!video.ended) {
      observer.onPaused();
    }
  });
  const onVisibility = (): void => {
    if (!document.hidden && observer.resumes()) {
      stream.play();
    }
  };
  document.addEventListener('visibilitychange', onVisibility, { signal });
}
