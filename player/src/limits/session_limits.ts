import { Messages, type BaseMessage, type PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { parseSessionLimit } from '../connection/messages';
import type { Warning } from '../state';
import { ActivityReporter, type ActivityReport } from './activity_reporter';

/** Exchanges the messages about the limits of a session with the server. */
export class SessionLimits {
  readonly #reporter: ActivityReporter;

  /**
   * @param onWarning - called with each warning of the session's end, and with undefined when it is no longer true
   * @param signal - ends the listening to input
   */
  constructor(stream: PixelStreaming, onWarning: (warning: Warning | undefined) => void, signal: AbortSignal) {
    const protocol = stream.signallingProtocol;
    const send = (report: ActivityReport): void => {
      if (protocol.isConnected()) {
        const message: BaseMessage & ActivityReport = { type: 'activity', ...report };
        protocol.sendMessage(message);
      }
    };
    this.#reporter = new ActivityReporter(send, signal);
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
