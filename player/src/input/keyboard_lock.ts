/** The part of the browser's Keyboard API that is used; only Chromium has it. */
interface Keyboard {
  lock(): Promise<void>;
  unlock(): void;
}

function keyboard(): Keyboard | undefined {
  return (navigator as { keyboard?: Keyboard }).keyboard;
}

/** Whether the browser can give the page all keys. */
export function canLockKeyboard(): boolean {
  return keyboard() !== undefined;
}

/** Gives the page all keys in full screen while it is on: also Escape, Alt+Tab and the keys of the system. */
export class KeyboardLock {
  #isOn = false;

  constructor() {
    document.addEventListener('fullscreenchange', () => {
      void this.#apply();
    });
  }

  get isOn(): boolean {
    return this.#isOn;
  }

  set isOn(isOn: boolean) {
    this.#isOn = isOn;
    void this.#apply();
  }

  async #apply(): Promise<void> {
    if (!this.#isOn || document.fullscreenElement === null) {
      keyboard()?.unlock();
      return;
    }
    try {
      await keyboard()?.lock();
    } catch {
      // Refused in a frame without the permission: the keys that the page gets otherwise are still sent.
    }
  }
}
