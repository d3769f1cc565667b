import type { BaseMessage, PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { optional } from '../optional';

/**
 * Sends messages to the application, over the data channel or through the server, and knows whether each was sent.
 *
 * The library's own results tell only whether the video has loaded, which says nothing about the data channel: it may
 * open before the video has loaded, and close while the last picture is shown.
 */
export class ApplicationChannel {
  readonly #stream: PixelStreaming;
  #sent = 0;

  constructor(stream: PixelStreaming) {
    this.#stream = stream;
    // The library calls this method after each message that it has sent, and has no event for it.
    const { dataChannelSender: sender } = stream.webRtcController;
    const resetTimer = sender.resetAfkWarningTimerOnDataSend.bind(sender);
    sender.resetAfkWarningTimerOnDataSend = (): void => {
      this.#sent += 1;
      resetTimer();
    };
  }

  /** Sends an interaction; returns whether it was sent. */
  interact(value: object | string): boolean {
    return this.#isSent(() => {
      this.#stream.webRtcController.emitUIInteraction(value);
    });
  }

  /** Sends a command for the streamer; returns whether it was sent. */
  command(value: object): boolean {
    return this.#isSent(() => {
      if ('ConsoleCommand' in value) {
        this.#stream.emitCommand(value); // it checks whether the application permits these
      } else {
        this.#stream.webRtcController.emitCommand(value);
      }
    });
  }

  /** Starts a latency test; returns whether its request was sent. */
  testLatency(): boolean {
    return this.#isSent(() => {
      this.#stream.webRtcController.sendLatencyTest();
    });
  }

  /** Sends a `control` message to the server, which calls the application's REST API; returns whether it was sent. */
  control(action: string, payload: unknown): boolean {
    if (!this.#stream.signallingProtocol.isConnected()) {
      return false;
    }
    const message: BaseMessage & Record<string, unknown> = { type: 'control', action, ...optional('payload', payload) };
    this.#stream.signallingProtocol.sendMessage(message);
    return true;
  }

  #isSent(send: () => void): boolean {
    const before = this.#sent;
    try {
      send();
    } catch {
      return false; // the channel refused it: its buffer is full, or the message exceeds the streamer's limit
    }
    return this.#sent > before;
  }
}
