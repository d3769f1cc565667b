import type { PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { keyMessagesForEdit } from '../input/key_messages';
import type { State } from '../state';
import { element } from './dom';

/** What the hidden field always begins with, so that there is something to delete. */
const BOTTOM = '        ';

/** Past this many characters the hidden field is emptied. */
const LONGEST = 200;

/**
 * Typing on a device that has only an on-screen keyboard: a hidden field brings it up, and what is typed goes to the
 * application as keys. When the application asks for a text, a line to write it in is shown instead.
 */
export class OnScreenKeyboard {
  readonly #button = element('keyboard', HTMLButtonElement);
  readonly #typing = element('typing', HTMLTextAreaElement);
  readonly #form = element('text-entry', HTMLFormElement);
  readonly #field = element('text-entry-field', HTMLInputElement);
  readonly #stream: PixelStreaming;
  #before = BOTTOM;

  constructor(stream: PixelStreaming) {
    this.#stream = stream;
    this.#button.hidden = !window.matchMedia('(any-pointer: coarse)').matches;
    this.#button.addEventListener('click', () => {
      this.#empty();
      this.#typing.focus();
    });
    this.#typing.addEventListener('input', (event) => {
      this.#typed(event.isComposing);
    });
    stream.addEventListener('showOnScreenKeyboard', ({ data }) => {
      this.#ask(data.showOnScreenKeyboard, data.contents);
    });
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      stream.sendTextboxEntry(this.#field.value);
      this.#ask(false, '');
    });
    this.#form.addEventListener('keydown', ({ key }) => {
      if (key === 'Escape') {
        this.#ask(false, '');
      }
    });
    element('text-entry-close', HTMLButtonElement).addEventListener('click', () => {
      this.#ask(false, '');
    });
  }

  /** Takes the line away with the stream that asked for it. */
  show(state: State): void {
    if (state.phase !== 'playing' && !this.#form.hidden) {
      this.#ask(false, '');
    }
  }

  #ask(open: boolean, contents: string): void {
    this.#form.hidden = !open;
    this.#field.value = contents;
    if (open) {
      this.#field.focus();
      this.#field.select();
    } else {
      element('stage', HTMLElement).focus();
    }
  }

  #typed(composing: boolean): void {
    const after = this.#typing.value;
    for (const { message, values } of keyMessagesForEdit(this.#before, after)) {
      this.#stream.toStreamerHandlers.get(message)?.([...values]);
    }
    this.#before = after;
    if (!composing && (after.length > LONGEST || after.length < BOTTOM.length)) {
      this.#empty();
    }
  }

  #empty(): void {
    this.#typing.value = BOTTOM;
    this.#typing.setSelectionRange(BOTTOM.length, BOTTOM.length);
    this.#before = BOTTOM;
  }
}
