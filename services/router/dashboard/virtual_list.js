/** A list of any length of which only the rows in view are on the page. */

const SPARE = 6;

/** @template T */
export class VirtualList {
  #box;
  #space = document.createElement('div');
  /** @type {T[]} */
  #items = [];
  /** @type {Map<number, HTMLElement>} by place in the list */
  #shown = new Map();
  #planned = false;
  #height = 0;
  /** @type {(item: T, row: HTMLElement | undefined) => HTMLElement} */
  #draw = () => document.createElement('div');

  constructor(/** @type {HTMLElement} */ box) {
    this.#box = box;
    this.#space.className = 'space';
    box.append(this.#space);
    box.addEventListener('scroll', this.#plan, { passive: true });
    new ResizeObserver(() => {
      this.#measure();
      this.#plan();
    }).observe(box);
  }

  /** Shows another kind of item from the top on. */
  begin(/** @type {(item: T, row: HTMLElement | undefined) => HTMLElement} */ draw) {
    this.#draw = draw;
    for (const row of this.#shown.values()) {
      row.remove();
    }
    this.#shown.clear();
    this.#box.scrollTop = 0;
  }

  /** Shows these items, and keeps the place that is looked at. */
  show(/** @type {T[]} */ items) {
    this.#items = items;
    this.#box.setAttribute('aria-rowcount', String(items.length));
    this.#plan();
  }

  #plan = () => {
    if (!this.#planned) {
      this.#planned = true;
      requestAnimationFrame(() => {
        this.#planned = false;
        this.#paint();
      });
    }
  };

  /** Learns how high a row is: a window that is narrower than before may have higher ones. */
  #measure() {
    this.#height = parseFloat(getComputedStyle(this.#box).getPropertyValue('--row'));
    for (const [place, row] of this.#shown) {
      this.#put(row, place);
    }
  }

  #put(/** @type {HTMLElement} */ row, /** @type {number} */ place) {
    row.style.transform = `translateY(${String(place * this.#height)}px)`;
  }

  #paint() {
    if (this.#height === 0) {
      this.#measure();
    }
    const [height, items] = [this.#height, this.#items];
    this.#space.style.height = `${String(items.length * height)}px`;
    const first = Math.max(0, Math.floor(this.#box.scrollTop / height) - SPARE);
    const last = Math.min(items.length, Math.ceil((this.#box.scrollTop + this.#box.clientHeight) / height) + SPARE);
    for (const [place, row] of this.#shown) {
      if (place < first || place >= last) {
        row.remove();
        this.#shown.delete(place);
      }
    }
    for (const [index, item] of items.slice(first, last).entries()) {
      const place = first + index;
      const before = this.#shown.get(place);
      const row = this.#draw(item, before);
      if (row !== before) {
        row.setAttribute('role', 'row');
        row.setAttribute('aria-rowindex', String(place + 1));
        this.#put(row, place);
        before?.remove();
        this.#box.append(row);
        this.#shown.set(place, row);
      }
    }
  }
}
