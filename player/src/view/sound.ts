import { Flags, type PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import type { State } from '../state';
import type { Texts } from '../texts';
import { element, setLabel } from './dom';
import { showIcon } from './icon';

/** Turns the sound on and off. A stream begins without: browsers play without a click only what is muted. */
export class Sound {
  readonly #offer = element('unmute', HTMLButtonElement);
  readonly #tool = element('sound', HTMLButtonElement);
  readonly #icon = element('sound-icon', SVGUseElement);
  readonly #stream: PixelStreaming;
  #texts: Texts;
  /** Whether the person has chosen: the large button is then in the way. */
  #chosen = false;
  #playing = false;

  constructor(texts: Texts, stream: PixelStreaming) {
    this.#texts = texts;
    this.#stream = stream;
    // The library mutes only when it plays, and a frame may be decoded before that.
    this.#video.muted = stream.config.isFlagEnabled(Flags.StartVideoMuted);
    this.#offer.addEventListener('click', () => {
      this.#turn(true);
    });
    this.#tool.addEventListener('click', () => {
      this.#turn(this.#muted);
    });
    // Sound may come some time after the picture, and nothing else tells of it.
    stream.addEventListener('statsReceived', () => {
      this.#draw();
    });
  }

  setTexts(texts: Texts): void {
    this.#texts = texts;
    this.#draw();
  }

  /** Offers itself while a stream that has sound plays. */
  show(state: State): void {
    this.#playing = state.phase === 'playing';
    this.#draw();
  }

  get #muted(): boolean {
    return this.#video.muted;
  }

  get #video(): HTMLVideoElement {
    return this.#stream.webRtcController.videoPlayer.getVideoElement();
  }

  /** The library's second player, for sound that comes in a stream of its own. */
  get #audio(): HTMLAudioElement {
    return this.#stream.webRtcController.streamController.audioElement;
  }

  #draw(): void {
    const sound = this.#playing && this.#hasSound();
    this.#tool.hidden = !sound;
    this.#offer.hidden = !sound || !this.#muted || this.#chosen;
    showIcon(this.#icon, this.#muted ? 'muted' : 'sound');
    setLabel(this.#tool, this.#texts[this.#muted ? 'controls.unmute' : 'controls.mute']);
  }

  #hasSound(): boolean {
    return [this.#video, this.#audio].some(
      ({ srcObject }) => srcObject instanceof MediaStream && srcObject.getAudioTracks().length > 0,
    );
  }

  #turn(on: boolean): void {
    this.#chosen = true;
    // The setting too, so that it is still so after a reconnect.
    this.#stream.config.setFlagEnabled(Flags.StartVideoMuted, !on);
    this.#video.muted = !on;
    this.#audio.muted = !on;
    if (on) {
      this.#stream.play();
    }
    this.#draw();
  }
}
