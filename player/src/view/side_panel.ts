import { element } from './dom';

/** A panel beside the picture: its button in the dock, its close button, Escape, and the focus. */
export class SidePanel {
  readonly #panel: HTMLElement;
  readonly #button: HTMLButtonElement;
  readonly #onChange: (open: boolean) => void;

  /**
   * @param id - that of the panel's element; those of its buttons are `ID-button` and `ID-close`
   * @param onChange - called when it has opened, and when the user or `close` has closed it
   */
  constructor(id: string, onChange: (open: boolean) => void) {
    this.#panel = element(id, HTMLElement);
    this.#button = element(`${id}-button`, HTMLButtonElement);
    this.#onChange = onChange;
    this.#button.addEventListener('click', () => {
      if (this.open) {
        this.close();
      } else {
        this.#open();
      }
    });
    element(`${id}-close`, HTMLButtonElement).addEventListener('click', () => {
      this.close();
    });
    this.#panel.addEventListener('keydown', ({ key }) => {
      if (key === 'Escape') {
        this.close();
      }
    });
  }

  get open(): boolean {
    return !this.#panel.hidden;
  }

  /** Shows or hides the button in the dock. */
  offer(offered: boolean): void {
    this.#button.hidden = !offered;
  }

  /** Closes the panel, and gives the focus back to its button. */
  close(): void {
    if (!this.open) {
      return;
    }
    this.hide();
    this.#onChange(false);
    if (!element('dock', HTMLElement).hidden) {
      this.#button.focus({ preventScroll: true });
    }
  }

  /** Hides the panel, without a change of the focus: another one takes its place. */
  hide(): void {
    this.#panel.hidden = true;
    this.#button.setAttribute('aria-expanded', 'false');
  }

  #open(): void {
    this.#panel.hidden = false;
    this.#button.setAttribute('aria-expanded', 'true');
    this.#onChange(true);
    this.#panel.focus({ preventScroll: true });
  }
}
