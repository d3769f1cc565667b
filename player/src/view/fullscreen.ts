import type { Texts } from '../texts';
import { element, setLabel } from './dom';
import { showIcon } from './icon';

/** The button for the whole screen: of the page, not of the video alone, so that the controls come along. */
export class Fullscreen {
  readonly #button = element('fullscreen', HTMLButtonElement);
  readonly #icon = element('fullscreen-icon', SVGUseElement);
  #texts: Texts;

  constructor(texts: Texts) {
    this.#texts = texts;
    // iPhones have it for videos only, and a frame only if the page around it allows it.
    this.#button.hidden = !document.fullscreenEnabled;
    this.#button.addEventListener('click', () => {
      void (document.fullscreenElement === null
        ? document.documentElement.requestFullscreen({ navigationUI: 'hide' })
        : document.exitFullscreen());
    });
    document.addEventListener('fullscreenchange', () => {
      this.#draw();
    });
    this.#draw();
  }

  setTexts(texts: Texts): void {
    this.#texts = texts;
    this.#draw();
  }

  #draw(): void {
    const whole = document.fullscreenElement !== null;
    showIcon(this.#icon, whole ? 'reduce' : 'enlarge');
    setLabel(this.#button, this.#texts[whole ? 'controls.fullscreen.leave' : 'controls.fullscreen']);
  }
}
