import type { PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { keyMessagesForEdit } from '../input/key_messages';
import type { State } from '../state';
import { element } from './dom';

/** The initial content of the hidden field, so that a backspace has something to delete. */
const PADDING = '        ';

/** The length at which the hidden field is reset, in characters. */
const MAX_LENGTH = 200;

/**
 * Text input with an on-screen keyboard. A hidden field opens the keyboard, and its edits are sent to the application
 * as keys. When the application requests a text, a visible field is shown instead.
 */
export class OnScreenKeyboard {
  readonly #button = element('keyboard', HTMLButtonElement);
  readonly #input = element('keyboard-input', HTMLTextAreaElement);
  readonly #form = element('text-entry', HTMLFormElement);
  readonly #field = element('text-entry-field', HTMLInputElement);
  readonly #stream: PixelStreaming;
  #before = PADDING;

  constructor(stream: PixelStreaming) {
    this.#stream = stream;
    this.#button.hidden = !window.matchMedia('(any-pointer: coarse)').matches;
    this.#button.addEventListener('click', () => {
      this.#reset();
      this.#input.focus();
    });
    this.#input.addEventListener('input', (event) => {
      this.#sendEdit(event.isComposing);
    });
    stream.addEventListener('showOnScreenKeyboard', ({ data }) => {
      this.#setTextEntry(data.showOnScreenKeyboard, data.contents);
    });
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      stream.sendTextboxEntry(this.#field.value);
      this.#setTextEntry(false, '');
    });
    this.#form.addEventListener('keydown', ({ key }) => {
      if (key === 'Escape') {
        this.#setTextEntry(false, '');
      }
    });
    element('text-entry-close', HTMLButtonElement).addEventListener('click', () => {
      this.#setTextEntry(false, '');
    });
  }

  /** Hides the text field when the stream that requested it ends. */
  show(state: State): void {
    if (state.phase !== 'playing' && !this.#form.hidden) {
      this.#setTextEntry(false, '');
    }
  }

  #setTextEntry(open: boolean, contents: string): void {
    this.#form.hidden = !open;
    this.#field.value = contents;
    if (open) {
      this.#field.focus();
      this.#field.select();
    } else {
      element('stage', HTMLElement).focus();
    }
  }

  #sendEdit(composing: boolean): void {
    const after = this.#input.value;
    for (const { message, values } of keyMessagesForEdit(this.#before, after)) {
      this.#stream.toStreamerHandlers.get(message)?.([...values]);
    }
    this.#before = after;
    if (!composing && (after.length > MAX_LENGTH || after.length < PADDING.length)) {
      this.#reset();
    }
  }

  #reset(): void {
    this.#input.value = PADDING;
    this.#input.setSelectionRange(PADDING.length, PADDING.length);
    this.#before = PADDING;
  }
}
