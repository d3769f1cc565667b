import { UNENDING } from '../unending';

/** A report to the server. */
export interface ActivityReport {
  /** The time since the last input, in seconds. */
  readonly idle: number;
  /** Whether the tab is hidden. */
  readonly hidden: boolean;
}

/** The events of a user's input. Listeners for them are passive and only take the time. */
const INPUT_EVENTS = ['pointerdown', 'pointermove', 'wheel', 'keydown', 'input'] as const;

/** How often the gamepads are read, which have no events, and how often the page checks whether a report is due, in ms. */
const CHECK_INTERVAL = 1_000;

/** A stick that is moved by less than this is at rest: most never return to exactly 0. */
const STICK_AT_REST = 0.25;

/**
 * Reports the user's input to the server while that asks for it: the first report at once, then at most one in each
 * interval, and none without new input. During a warning, input is reported at once.
 */
export class ActivityReporter {
  readonly #send: (report: ActivityReport) => void;
  #inputAt = performance.now();
  #reportedInputAt = -Infinity;
  #reportedAt = -Infinity;
  #interval = 0;
  #timer: number | undefined;
  #isUrgent = false;

  /**
   * @param send - sends a report; called while the server asks for reports only
   * @param signal - ends the listening to input
   */
  constructor(send: (report: ActivityReport) => void, signal = UNENDING) {
    this.#send = send;
    const onInput = (event: Event): void => {
      // Browsers report a move of zero when something is drawn under a pointer at rest, such as a countdown.
      if (event.type !== 'pointermove' || (event as PointerEvent).movementX || (event as PointerEvent).movementY) {
        this.#onInput();
      }
    };
    for (const type of INPUT_EVENTS) {
      window.addEventListener(type, onInput, { capture: true, passive: true, signal });
    }
    const onVisibility = (): void => {
      if (this.#timer !== undefined) {
        this.#report();
      }
    };
    document.addEventListener('visibilitychange', onVisibility, { signal });
  }

  /** Reports at once, and from now on at most once in `interval` milliseconds. */
  start(interval: number): void {
    this.stop();
    this.#interval = interval;
    this.#timer = window.setInterval(() => {
      this.#check();
    }, CHECK_INTERVAL);
    this.#report();
  }

  /** Reports nothing more. */
  stop(): void {
    window.clearInterval(this.#timer);
    this.#timer = undefined;
    this.#isUrgent = false;
  }

  /** Reports the next input at once. */
  expectInput(): void {
    this.#isUrgent = true;
  }

  /** The user has confirmed to be there, perhaps without an event of input, as with a screen reader. */
  confirm(): void {
    this.#isUrgent = true;
    this.#onInput();
  }

  #onInput(): void {
    this.#inputAt = performance.now();
    if (this.#isUrgent && this.#timer !== undefined) {
      this.#report();
    }
  }

  #check(): void {
    if (navigator.getGamepads().some((gamepad) => gamepad !== null && isUsed(gamepad))) {
      this.#onInput();
    }
    if (this.#inputAt > this.#reportedInputAt && performance.now() - this.#reportedAt >= this.#interval) {
      this.#report();
    }
  }

  #report(): void {
    const now = performance.now();
    this.#isUrgent = false;
    this.#reportedAt = now;
    this.#reportedInputAt = this.#inputAt;
    this.#send({ idle: Math.round((now - this.#inputAt) / 100) / 10, hidden: document.hidden });
  }
}

function isUsed({ buttons, axes }: Gamepad): boolean {
  return buttons.some(({ pressed }) => pressed) || axes.some((axis) => Math.abs(axis) > STICK_AT_REST);
}
