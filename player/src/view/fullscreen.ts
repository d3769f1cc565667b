import type { Texts } from '../texts';
import { element, setLabel } from './dom';
import { showIcon } from './icon';

/** The full screen button. The whole page becomes full screen, so that the controls stay available. */
export class Fullscreen {
  readonly #button = element('fullscreen', HTMLButtonElement);
  readonly #icon = element('fullscreen-icon', SVGUseElement);
  #texts: Texts;

  constructor(texts: Texts) {
    this.#texts = texts;
    // iPhones support it for videos only, and frames only if the embedding page allows it.
    this.#button.hidden = !document.fullscreenEnabled;
    this.#button.addEventListener('click', () => {
      void this.set(document.fullscreenElement === null);
    });
    document.addEventListener('fullscreenchange', () => {
      this.#draw();
    });
    this.#draw();
  }

  /**
   * Shows the page in full screen, or no longer.
   *
   * @throws TypeError when the browser refuses: without a click, or in a frame without the permission
   */
  async set(on: boolean): Promise<void> {
    if (on) {
      await document.documentElement.requestFullscreen({ navigationUI: 'hide' });
    } else if (document.fullscreenElement !== null) {
      await document.exitFullscreen();
    }
  }

  setTexts(texts: Texts): void {
    this.#texts = texts;
    this.#draw();
  }

  #draw(): void {
    const active = document.fullscreenElement !== null;
    showIcon(this.#icon, active ? 'exit-fullscreen' : 'fullscreen');
    setLabel(this.#button, this.#texts[active ? 'controls.fullscreen.leave' : 'controls.fullscreen']);
  }
}
