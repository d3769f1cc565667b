import {
  MessageHelpers,
  Messages,
  OptionParameters,
  type PixelStreaming,
} from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';

/** Interval at which the streamer list is requested again while it is empty, in milliseconds. */
const POLL_INTERVAL = 3_000;

/** Subscribes to the first listed streamer when the library has selected none, and polls while none is listed. */
export class StreamerSelection {
  readonly #stream: PixelStreaming;
  readonly #onEmpty: () => void;
  #timer: number | undefined;

  /** @param onEmpty - called for each list that is empty */
  constructor(stream: PixelStreaming, onEmpty: () => void) {
    this.#stream = stream;
    this.#onEmpty = onEmpty;
    stream.addEventListener('streamerListMessage', ({ data }) => {
      if (data.autoSelectedStreamerId === '') {
        this.#select(data.messageStreamerList.ids);
      }
    });
  }

  /** Stops polling: the connection is closed. */
  stop(): void {
    window.clearTimeout(this.#timer);
  }

  #select(ids: readonly string[]): void {
    const [first] = ids;
    if (first !== undefined) {
      this.#stream.config.setOptionSettingValue(OptionParameters.StreamerId, first);
      return;
    }
    this.#onEmpty();
    this.stop();
    this.#timer = window.setTimeout(() => {
      this.#stream.signallingProtocol.sendMessage(MessageHelpers.createMessage(Messages.listStreamers));
    }, POLL_INTERVAL);
  }
}
