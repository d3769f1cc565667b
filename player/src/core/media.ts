import { Flags, NumericParameters, type PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { takeScreenshot } from '../settings/screenshot';

/** The maximum bitrate of each selectable quality, in kbit/s. */
const BITRATES = { high: 20_000, medium: 8_000, low: 2_000 } as const;

/** `auto` is the bitrate that the player began with. */
export type Quality = keyof typeof BITRATES | 'auto';

/** Whether a value is the name of a quality. */
export function isQuality(value: unknown): value is Quality {
  return value === 'auto' || (typeof value === 'string' && Object.hasOwn(BITRATES, value));
}

/** The picture and the sound of a stream. */
export class Media {
  readonly #stream: PixelStreaming;
  readonly #initialBitrate: number;

  constructor(stream: PixelStreaming) {
    this.#stream = stream;
    this.#initialBitrate = stream.config.getNumericSettingValue(NumericParameters.WebRTCMaxBitrate);
  }

  get isMuted(): boolean {
    return this.#video.muted;
  }

  /** Turns the sound off or on. A browser may refuse sound until the user has clicked, and then pauses the video. */
  mute(muted: boolean): void {
    const { config, webRtcController } = this.#stream;
    // The setting as well, so that the choice survives a reconnect.
    config.setFlagEnabled(Flags.StartVideoMuted, muted);
    this.#video.muted = muted;
    webRtcController.streamController.audioElement.muted = muted;
    if (!muted && this.#video.srcObject !== null) {
      this.#stream.play();
    }
  }

  setQuality(quality: Quality): void {
    const bitrate = quality === 'auto' ? this.#initialBitrate : BITRATES[quality];
    this.#stream.config.setNumericSetting(NumericParameters.WebRTCMaxBitrate, bitrate);
  }

  /**
   * Takes a PNG image of the current picture, in the resolution of the stream.
   *
   * @throws Error when there is no picture
   */
  async screenshot(): Promise<Blob> {
    const image = await takeScreenshot(this.#video);
    if (image === undefined) {
      throw new Error('there is no picture');
    }
    return image;
  }

  get #video(): HTMLVideoElement {
    return this.#stream.webRtcController.videoPlayer.getVideoElement();
  }
}
