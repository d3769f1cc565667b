/** One small plot of the last hour. */
import { formatDuration } from './fleet.js';

const WIDTH = 300;
const HEIGHT = 72;
const HOUR = 3600;
const SVG = 'http://www.w3.org/2000/svg';

export class Chart {
  #card;
  #format;
  /** @type {[number, number][]} */
  #points = [];
  #line = shape('path', 'line');
  #area = shape('path', 'area');
  #svg = shape('svg', '');
  #scale = document.createElement('p');

  /** @param {string} id of the card  @param {(value: number) => string} format how a value is written */
  constructor(id, format = String) {
    this.#card = /** @type {HTMLElement} */ (document.getElementById(id));
    this.#format = format;
    this.#svg.setAttribute('viewBox', `0 0 ${String(WIDTH)} ${String(HEIGHT)}`);
    this.#svg.setAttribute('preserveAspectRatio', 'none');
    this.#svg.setAttribute('role', 'img');
    this.#svg.setAttribute('aria-label', 'The last hour: nothing is known yet');
    for (const y of [1, HEIGHT]) {
      const grid = shape('line', 'grid');
      grid.setAttribute('x2', String(WIDTH));
      grid.setAttribute('y1', String(y));
      grid.setAttribute('y2', String(y));
      this.#svg.append(grid);
    }
    this.#svg.append(this.#area, this.#line);
    this.#scale.className = 'scale';
    this.#card.querySelector('.plot')?.append(this.#svg, this.#scale);
  }

  /** Takes the hour before the page was opened. */
  begin(/** @type {[number, number][]} */ points) {
    const first = this.#points[0]?.[0] ?? Infinity;
    this.#points = [...points.filter(([at]) => at < first), ...this.#points];
    this.#draw();
  }

  /** Takes what is so now; a point is kept every ten seconds. */
  now(/** @type {number} */ at, /** @type {number} */ value, /** @type {string} */ beside) {
    const card = this.#card;
    setText(card.querySelector('.figure b'), this.#format(value));
    setText(card.querySelector('.figure span'), beside);
    const last = this.#points.at(-1);
    if (last === undefined || at - last[0] >= 10) {
      this.#points.push([at, value]);
      this.#points = this.#points.filter(([when]) => when >= at - HOUR);
      this.#draw();
    }
  }

  #draw() {
    const [first, last] = [this.#points[0], this.#points.at(-1)];
    if (first === undefined || last === undefined) {
      return;
    }
    const end = last[0];
    const most = Math.max(1, ...this.#points.map(([, value]) => value));
    const at = (/** @type {[number, number]} */ [when, value]) =>
      `${((1 - (end - when) / HOUR) * WIDTH).toFixed(1)} ${(HEIGHT - (value / most) * (HEIGHT - 2)).toFixed(1)}`;
    const line = this.#points.map(at).join('L');
    const from = ((1 - (end - first[0]) / HOUR) * WIDTH).toFixed(1);
    this.#line.setAttribute('d', `M${line}`);
    this.#area.setAttribute('d', `M${from} ${String(HEIGHT)}L${line}L${String(WIDTH)} ${String(HEIGHT)}Z`);
    const began = formatDuration(Math.min(HOUR, end - first[0]));
    this.#scale.replaceChildren(label('1 h ago'), label(`most ${this.#format(most)}`), label('now'));
    this.#svg.setAttribute('aria-label', `The last ${began}: ${this.#format(last[1])} now, at most ${this.#format(most)}`);
  }
}

function shape(/** @type {string} */ name, /** @type {string} */ className) {
  const made = document.createElementNS(SVG, name);
  if (className !== '') {
    made.setAttribute('class', className);
  }
  return made;
}

function label(/** @type {string} */ words) {
  const made = document.createElement('span');
  made.textContent = words;
  return made;
}

/** Writes a text where it is another one: what has not changed is not announced again. */
export function setText(/** @type {Element | null} */ element, /** @type {string} */ words) {
  if (element !== null && element.textContent !== words) {
    element.textContent = words;
  }
}
