import { Flags, type PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import type { Media } from '../core';
import type { State } from '../state';
import type { Texts } from '../texts';
import { element, setLabel } from './dom';
import { showIcon } from './icon';

/** Mutes and unmutes the stream. It starts muted: browsers play sound only after a click. */
export class Sound {
  readonly #unmuteButton = element('unmute', HTMLButtonElement);
  readonly #toggleButton = element('sound', HTMLButtonElement);
  readonly #icon = element('sound-icon', SVGUseElement);
  readonly #stream: PixelStreaming;
  readonly #media: Media;
  #texts: Texts;
  /** Whether the user has used either button; the large one is then hidden. */
  #used = false;
  #playing = false;

  constructor(texts: Texts, stream: PixelStreaming, media: Media) {
    this.#texts = texts;
    this.#stream = stream;
    this.#media = media;
    // The library mutes the video only when it starts playback, which may be after the first frame.
    this.#video.muted = stream.config.isFlagEnabled(Flags.StartVideoMuted);
    this.#unmuteButton.addEventListener('click', () => {
      this.#setSound(true);
    });
    this.#toggleButton.addEventListener('click', () => {
      this.#setSound(this.#media.isMuted);
    });
    this.#video.addEventListener('volumechange', () => {
      this.#draw(); // an embedding page may have muted it
    });
    // An audio track may be added after the video track, without an event.
    stream.addEventListener('statsReceived', () => {
      this.#draw();
    });
  }

  setTexts(texts: Texts): void {
    this.#texts = texts;
    this.#draw();
  }

  show(state: State): void {
    this.#playing = state.phase === 'playing';
    this.#draw();
  }

  get #video(): HTMLVideoElement {
    return this.#stream.webRtcController.videoPlayer.getVideoElement();
  }

  /** The library's audio element, for audio in a separate stream. */
  get #audio(): HTMLAudioElement {
    return this.#stream.webRtcController.streamController.audioElement;
  }

  #draw(): void {
    const sound = this.#playing && this.#hasSound();
    this.#toggleButton.hidden = !sound;
    this.#unmuteButton.hidden = !sound || !this.#media.isMuted || this.#used;
    showIcon(this.#icon, this.#media.isMuted ? 'muted' : 'sound');
    setLabel(this.#toggleButton, this.#texts[this.#media.isMuted ? 'controls.unmute' : 'controls.mute']);
  }

  #hasSound(): boolean {
    return [this.#video, this.#audio].some(
      ({ srcObject }) => srcObject instanceof MediaStream && srcObject.getAudioTracks().length > 0,
    );
  }

  #setSound(on: boolean): void {
    this.#used = true;
    this.#media.mute(!on);
    this.#draw();
  }
}
