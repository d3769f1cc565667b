/** A list of any length. Only the visible rows, and some more on each side, have elements. */

/** Number of rows that are drawn above and below the visible ones. */
const MARGIN = 6;

/** @template T */
export class VirtualList {
  #container;
  #spacer = document.createElement('div');
  /** @type {T[]} */
  #items = [];
  /** @type {Map<number, HTMLElement>} by index in the list */
  #drawn = new Map();
  #isScheduled = false;
  #rowHeight = 0;
  /** @type {(item: T, existing: HTMLElement | undefined) => HTMLElement} */
  #draw;

  /**
   * @param {HTMLElement} container scrolls; its CSS property `--row` is the height of a row
   * @param {(item: T, existing: HTMLElement | undefined) => HTMLElement} draw returns the element of an item
   */
  constructor(container, draw) {
    this.#container = container;
    this.#draw = draw;
    this.#spacer.className = 'spacer';
    container.append(this.#spacer);
    container.addEventListener('scroll', this.#schedule, { passive: true });
    new ResizeObserver(() => {
      this.#measure();
      this.#schedule();
    }).observe(container);
  }

  /** Removes all rows and scrolls to the top. */
  reset() {
    for (const row of this.#drawn.values()) {
      row.remove();
    }
    this.#drawn.clear();
    this.#container.scrollTop = 0;
  }

  /** Shows `items` at the current scroll position. */
  show(/** @type {T[]} */ items) {
    this.#items = items;
    this.#container.setAttribute('aria-rowcount', String(items.length));
    this.#schedule();
  }

  #schedule = () => {
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      requestAnimationFrame(() => {
        this.#isScheduled = false;
        this.#render();
      });
    }
  };

  /** Reads the height of a row, which depends on the width of the window, and positions the rows again. */
  #measure() {
    this.#rowHeight = parseFloat(getComputedStyle(this.#container).getPropertyValue('--row'));
    for (const [index, row] of this.#drawn) {
      this.#position(row, index);
    }
  }

  #position(/** @type {HTMLElement} */ row, /** @type {number} */ index) {
    row.style.transform = `translateY(${String(index * this.#rowHeight)}px)`;
  }

  #render() {
    if (this.#rowHeight === 0) {
      this.#measure();
    }
    const [height, items] = [this.#rowHeight, this.#items];
    const { scrollTop, clientHeight } = this.#container;
    this.#spacer.style.height = `${String(items.length * height)}px`;
    const first = Math.max(0, Math.floor(scrollTop / height) - MARGIN);
    const end = Math.min(items.length, Math.ceil((scrollTop + clientHeight) / height) + MARGIN);
    for (const [index, row] of this.#drawn) {
      if (index < first || index >= end) {
        row.remove();
        this.#drawn.delete(index);
      }
    }
    for (const [offset, item] of items.slice(first, end).entries()) {
      this.#renderRow(item, first + offset);
    }
  }

  #renderRow(/** @type {T} */ item, /** @type {number} */ index) {
    const existing = this.#drawn.get(index);
    const row = this.#draw(item, existing);
    if (row !== existing) {
      row.setAttribute('role', 'row');
      row.setAttribute('aria-rowindex', String(index + 1));
      this.#position(row, index);
      existing?.remove();
      this.#container.append(row);
      this.#drawn.set(index, row);
    }
  }
}
