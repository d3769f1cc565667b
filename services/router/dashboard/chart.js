/** A chart of one value over the last hour. */
import { element, setText } from './dom.js';
import { formatDuration } from './format.js';

/** @typedef {[time: number, value: number]} Point time in seconds */

const WIDTH = 300;
const HEIGHT = 72;
const HOUR = 3600;
const SVG = 'http://www.w3.org/2000/svg';

/** The shortest interval between two points, in seconds. */
const STEP = 10;

export class Chart {
  #card;
  #format;
  /** @type {Point[]} */
  #points = [];
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
  prepend(/** @type {Point[]} */ points) {
    const first = this.#points[0]?.[0] ?? Infinity;
    this.#points = [...points.filter(([time]) => time < first), ...this.#points];
    this.#draw();
  }

  /** Shows the current value with a note beside it, and adds a point if the last one is old enough. */
  update(/** @type {number} */ time, /** @type {number} */ value, /** @type {string} */ note) {
    setText(this.#card.querySelector('.figure b'), this.#format(value));
    setText(this.#card.querySelector('.figure span'), note);
    const last = this.#points.at(-1);
    if (last === undefined || time - last[0] >= STEP) {
      this.#points.push([time, value]);
      this.#points = this.#points.filter(([each]) => each >= time - HOUR);
      this.#draw();
    }
  }

  #draw() {
    const [first, last] = [this.#points[0], this.#points.at(-1)];
    if (first === undefined || last === undefined) {
      return;
    }
    const end = last[0];
    const max = Math.max(1, ...this.#points.map(([, value]) => value));
    const x = (/** @type {number} */ time) => ((1 - (end - time) / HOUR) * WIDTH).toFixed(1);
    const y = (/** @type {number} */ value) => (HEIGHT - (value / max) * (HEIGHT - 2)).toFixed(1);
    const line = this.#points.map(([time, value]) => `${x(time)} ${y(value)}`).join('L');
    this.#line.setAttribute('d', `M${line}`);
    this.#area.setAttribute('d', `M${x(first[0])} ${String(HEIGHT)}L${line}L${String(WIDTH)} ${String(HEIGHT)}Z`);
    const [current, highest] = [this.#format(last[1]), this.#format(max)];
    const duration = formatDuration(Math.min(HOUR, end - first[0]));
    this.#scale.replaceChildren(label('1 h ago'), label(`max. ${highest}`), label('now'));
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
