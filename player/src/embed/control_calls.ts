/** The result of a `control` call. */
export type CallResult = { response: unknown } | { error: string };

/** The highest number of pending calls. */
export const MAX_PENDING = 32;

/** How long a call may be pending, in milliseconds: longer than the timeout of any server. */
export const CONTROL_TIMEOUT = 60_000;

/** The error of all that needs a streamer, while the player has none. */
export const NOT_CONNECTED = 'the stream is not connected';

interface Call {
  readonly action: string;
  readonly done: (result: CallResult) => void;
}

/**
 * Matches `response` messages to pending `control` calls. The signalling protocol has no call id: a response names
 * the action only, so the responses to one action are matched in the order of its calls.
 */
export class ControlCalls {
  readonly #pending: Call[] = [];

  /**
   * Makes a call.
   *
   * @param send - sends the message; returns whether it was sent
   * @param onResult - called once with the result
   */
  make(action: string, send: () => boolean, onResult: (result: CallResult) => void): void {
    if (this.#pending.length >= MAX_PENDING) {
      onResult({ error: `too many pending control calls (at most ${String(MAX_PENDING)})` });
      return;
    }
    const call: Call = {
      action,
      done: (result) => {
        clearTimeout(timer);
        onResult(result);
      },
    };
    const timer = setTimeout(() => {
      this.#settle(call, { error: `the server did not respond within ${String(CONTROL_TIMEOUT / 1000)} s` });
    }, CONTROL_TIMEOUT);
    this.#pending.push(call);
    if (!send()) {
      this.#settle(call, { error: NOT_CONNECTED });
    }
  }

  /** Handles a `response` message: `{action, response}` or `{action, error}`. */
  onResponse(message: unknown): void {
    const fields = typeof message === 'object' && message !== null ? (message as Record<string, unknown>) : {};
    const call = this.#pending.find(({ action }) => action === fields['action']);
    if (call !== undefined) {
      const error = fields['error'];
      this.#settle(call, error === undefined ? { response: fields['response'] } : { error: asText(error) });
    }
  }

  /** Fails all pending calls, because the player has no streamer any more. */
  failAll(): void {
    for (const call of [...this.#pending]) {
      this.#settle(call, { error: NOT_CONNECTED });
    }
  }

  #settle(call: Call, result: CallResult): void {
    const index = this.#pending.indexOf(call);
    if (index !== -1) {
      this.#pending.splice(index, 1);
      call.done(result);
    }
  }
}

function asText(error: unknown): string {
  return typeof error === 'string' ? error : JSON.stringify(error);
}
