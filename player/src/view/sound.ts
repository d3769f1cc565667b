import { Flags, type PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import type { State } from '../state';
import { element } from './element';

/** The button that gives a stream its sound: browsers play without a click only what is muted. */
export class UnmuteButton {
  readonly #button = element('unmute', HTMLButtonElement);
  readonly #stream: PixelStreaming;

  constructor(stream: PixelStreaming) {
    this.#stream = stream;
    this.#button.addEventListener('click', () => {
      this.#unmute();
    });
  }

  /** Offers itself while a stream that has sound plays without it. */
  show(state: State): void {
    this.#button.hidden = state.phase !== 'playing' || !this.#video.muted || !this.#hasSound();
  }

  get #video(): HTMLVideoElement {
    return this.#stream.webRtcController.videoPlayer.getVideoElement();
  }

  /** The library's second player, for sound that comes in a stream of its own. */
  get #audio(): HTMLAudioElement {
    return this.#stream.webRtcController.streamController.audioElement;
  }

  #hasSound(): boolean {
    return [this.#video, this.#audio].some(
      ({ srcObject }) => srcObject instanceof MediaStream && srcObject.getAudioTracks().length > 0,
    );
  }

  #unmute(): void {
    // The setting too, so that the sound is still there after a reconnect.
    this.#stream.config.setFlagEnabled(Flags.StartVideoMuted, false);
    this.#stream.play();
    this.#button.hidden = true;
  }
}
