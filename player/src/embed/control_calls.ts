/** What became of a `control` call. */
export type CallResult = { response: unknown } | { error: string };

/** How many calls may wait for their answer. */
export const MAX_PENDING = 32;

/**
 * Brings answers to the `control` calls that they belong to. The signalling protocol has no number for a call: it
 * names the action again, so that answers to one action are taken in the order of its calls.
 */
export class ControlCalls {
  readonly #waiting: { action: string; done: (outcome: CallResult) => void }[] = [];

  /**
   * Notes a call.
   *
   * @returns a function that gives it up, or undefined when too many wait already
   */
  add(action: string, done: (outcome: CallResult) => void): ((why: string) => void) | undefined {
    if (this.#waiting.length >= MAX_PENDING) {
      return undefined;
    }
    const call = { action, done };
    this.#waiting.push(call);
    return (why) => {
      this.#settle(call, { error: why });
    };
  }

  /** Takes a `response` message: `{action, response}` or `{action, error}`. */
  answered(message: unknown): void {
    const fields = typeof message === 'object' && message !== null ? (message as Record<string, unknown>) : {};
    const call = this.#waiting.find(({ action }) => action === fields['action']);
    if (call !== undefined) {
      const error = fields['error'];
      this.#settle(call, error === undefined ? { response: fields['response'] } : { error: describe(error) });
    }
  }

  /** Gives all of them up: the connection is gone. */
  abandon(why: string): void {
    for (const call of [...this.#waiting]) {
      this.#settle(call, { error: why });
    }
  }

  #settle(call: { action: string; done: (outcome: CallResult) => void }, outcome: CallResult): void {
    const at = this.#waiting.indexOf(call);
    if (at !== -1) {
      this.#waiting.splice(at, 1);
      call.done(outcome);
    }
  }
}

function describe(error: unknown): string {
  return typeof error === 'string' ? error : JSON.stringify(error);
}
