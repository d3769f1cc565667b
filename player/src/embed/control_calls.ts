/** The result of a `control` call. */
export type CallResult = { response: unknown } | { error: string };

/** The highest number of pending calls. */
export const MAX_PENDING = 32;

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
   * Adds a pending call.
   *
   * @param done - called once with the result
   * @returns a function that fails the call, or undefined when too many calls are pending
   */
  add(action: string, done: (result: CallResult) => void): ((error: string) => void) | undefined {
    if (this.#pending.length >= MAX_PENDING) {
      return undefined;
    }
    const call = { action, done };
    this.#pending.push(call);
    return (error) => {
      this.#settle(call, { error });
    };
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

  /** Fails all pending calls. */
  failAll(error: string): void {
    for (const call of [...this.#pending]) {
      this.#settle(call, { error });
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
