import { Flags, type PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { isShortcut } from '../input/shortcut';

/**
 * Passes the keys to the application only while an element has the focus. The library listens on the whole document,
 * and would send what the user types elsewhere on the page. Alt+Shift+C gives up the focus, since the application
 * receives Tab as well.
 */
export class KeyboardFocus {
  readonly #element: HTMLElement;
  readonly #stream: PixelStreaming;
  readonly #isWanted: boolean;
  /** The key codes of the pressed keys. */
  readonly #pressed = new Set<number>();

  /**
   * @param element - the element whose focus counts; a click focuses it if it has a `tabindex`
   * @param signal - ends the listening
   */
  constructor(element: HTMLElement, stream: PixelStreaming, signal: AbortSignal) {
    this.#element = element;
    this.#stream = stream;
    this.#isWanted = stream.config.isFlagEnabled(Flags.KeyboardInput);
    this.#set(element.contains(document.activeElement));
    const on = <Type extends keyof HTMLElementEventMap>(
      type: Type,
      listener: (event: HTMLElementEventMap[Type]) => void,
    ): void => {
      element.addEventListener(type, listener, { signal });
    };
    on('focusin', () => {
      this.#set(true);
    });
    on('focusout', () => {
      this.#set(false);
    });
    on('keydown', (event) => {
      this.#onDown(event);
    });
    on('keyup', (event) => {
      this.#pressed.delete(event.keyCode); // eslint-disable-line @typescript-eslint/no-deprecated -- the messages have it
    });
  }

  #onDown(event: KeyboardEvent): void {
    if (isShortcut(event)) {
      event.stopPropagation();
      event.preventDefault();
      if (document.activeElement instanceof HTMLElement && this.#element.contains(document.activeElement)) {
        document.activeElement.blur();
      }
      return;
    }
    this.#pressed.add(event.keyCode); // eslint-disable-line @typescript-eslint/no-deprecated -- the messages have it
  }

  #set(hasFocus: boolean): void {
    if (!hasFocus) {
      this.#release();
    }
    const enabled = this.#isWanted && hasFocus;
    if (this.#stream.config.isFlagEnabled(Flags.KeyboardInput) !== enabled) {
      this.#stream.config.setFlagEnabled(Flags.KeyboardInput, enabled);
    }
  }

  /** Releases the pressed keys: an application that misses a release would treat Alt as held for ever. */
  #release(): void {
    const send = this.#stream.toStreamerHandlers.get('KeyUp');
    for (const code of this.#pressed) {
      send?.([code]);
    }
    this.#pressed.clear();
  }
}
