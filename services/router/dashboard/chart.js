/** A chart of one value over the last hour. */
import { element, setText } from './dom.js';
import { formatDuration } from './format.js';
import { Series } from './series.js';

const WIDTH = 300;
const HEIGHT = 72;
const SVG = 'http://www.w3.org/2000/svg';

export class Chart {
  #card;
  #format;
  #series = new Series();
  #line = svgElement('path', 'line');
  #area = svgElement('path', 'area');
  #svg = svgElement('svg', '');
  #scale = document.createElement('p');

  /**
   * @param {string} id of the card
   * @param {(value: number) => string} format
   */
  constructor(id, format = String) {
    this.#card = element(id, HTMLElement);
    this.#format = format;
    this.#svg.setAttribute('viewBox', `0 0 ${String(WIDTH)} ${String(HEIGHT)}`);
    this.#svg.setAttribute('preserveAspectRatio', 'none');
    this.#svg.setAttribute('role', 'img');
    this.#svg.setAttribute('aria-label', 'Last hour: no data');
    for (const y of [1, HEIGHT]) {
      const grid = svgElement('line', 'grid');
      grid.setAttribute('x2', String(WIDTH));
      grid.setAttribute('y1', String(y));
      grid.setAttribute('y2', String(y));
      this.#svg.append(grid);
    }
    this.#svg.append(this.#area, this.#line);
    this.#scale.className = 'scale';
    this.#card.querySelector('.plot')?.append(this.#svg, this.#scale);
  }

  /** Adds the points from before the page was opened. */
  prepend(/** @type {import('./series.js').Point[]} */ points) {
    this.#series.prepend(points);
    this.#draw();
  }

  /** Shows the current value with a note beside it. */
  update(/** @type {number} */ time, /** @type {number} */ value, /** @type {string} */ note) {
    setText(this.#card.querySelector('.figure b'), this.#format(value));
    setText(this.#card.querySelector('.figure span'), note);
    this.#series.update(time, value);
    this.#draw();
  }

  #draw() {
    const shape = this.#series.shape(WIDTH, HEIGHT);
    if (shape === undefined) {
      return;
    }
    this.#line.setAttribute('d', shape.line);
    this.#area.setAttribute('d', shape.area);
    const [current, highest] = [this.#format(shape.current), this.#format(shape.highest)];
    const duration = formatDuration(shape.seconds);
    this.#scale.replaceChildren(label(`${duration} ago`), label(`max. ${highest}`), label('now'));
    this.#svg.setAttribute('aria-label', `Last ${duration}: ${current} now, maximum ${highest}`);
  }
}

function svgElement(/** @type {string} */ name, /** @type {string} */ className) {
  const created = document.createElementNS(SVG, name);
  if (className !== '') {
    created.setAttribute('class', className);
  }
  return created;
}

function label(/** @type {string} */ text) {
  const created = document.createElement('span');
  created.textContent = text;
  return created;
}
