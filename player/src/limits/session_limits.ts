import { Messages, type BaseMessage, type PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { parseSessionLimit } from '../connection/messages';
import type { Warning } from '../state';
import { ActivityReporter } from './activity_reporter';

/** Exchanges the messages about the limits of a session with the server. */
export class SessionLimits {
  readonly #reporter: ActivityReporter;

  /** @param onWarning - called with each warning of the session's end, and with undefined when it is no longer true */
  constructor(stream: PixelStreaming, onWarning: (warning: Warning | undefined) => void) {
    const protocol = stream.signallingProtocol;
    this.#reporter = new ActivityReporter((report) => {
      if (protocol.isConnected()) {
        const message: BaseMessage & typeof report = { type: 'activity', ...report };
        protocol.sendMessage(message);
      }
    });
    protocol.on('sessionLimit', (data: unknown) => {
      const { reportInterval, warning } = parseSessionLimit(data);
      if (reportInterval !== undefined) {
        this.#reporter.start(reportInterval);
        return;
      }
      onWarning(warning && { limit: warning.limit, endsAt: Date.now() + warning.remaining });
      if (warning?.limit === 'idle') {
        this.#reporter.expectInput();
      }
    });
    protocol.transport.on('message', (message: BaseMessage | null) => {
      if (message?.type === Messages.config.typeName) {
        this.#reporter.stop(); // another negotiation, whose server may not ask
      }
    });
    protocol.transport.on('close', () => {
      this.#reporter.stop();
    });
  }

  /** The user has confirmed to be there. */
  confirm(): void {
    this.#reporter.confirm();
  }
}
