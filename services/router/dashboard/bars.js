/** A plot of one value for each day, as bars. */
import { element } from './dom.js';
import { dayLabel } from './usage_views.js';

/** @typedef {import('./usage_views.js').Bar} Bar */

const HEIGHT = 96;
const STEP = 10;
const GAP = 1.5;
const SVG = 'http://www.w3.org/2000/svg';

/**
 * Draws a plot into its card. Values without a bar are 0 or missing.
 *
 * @param {string} id of the card
 * @param {Bar[]} bars one for each day; the label is a date
 * @param {(value: number) => string} format
 * @param {{upper: string, lower: string}} [legend] the meaning of a bar's whole and of its darker part
 */
export function drawBars(id, bars, format, legend) {
  const card = element(id, HTMLElement);
  const plot = card.querySelector('.plot');
  const highest = Math.max(0, ...bars.map(({ upper }) => upper ?? 0));
  const width = bars.length * STEP;
  const svg = svgElement('svg', { viewBox: `0 0 ${String(width)} ${String(HEIGHT)}`, preserveAspectRatio: 'none', role: 'img' });
  svg.setAttribute('aria-label', summary(bars, highest, format, legend));
  for (const y of [0.5, HEIGHT]) {
    svg.append(svgElement('line', { class: 'grid', x2: String(width), y1: String(y), y2: String(y) }));
  }
  for (const [index, bar] of bars.entries()) {
    svg.append(drawBar(bar, index * STEP, highest, format, legend));
  }
  const scale = document.createElement('p');
  scale.className = 'scale';
  scale.append(label(dayLabel(bars[0]?.label ?? '')), label(`max. ${format(highest)}`), label('today'));
  plot?.replaceChildren(svg, scale, ...(legend === undefined ? [] : [drawLegend(legend)]));
}

/**
 * @param {Bar} bar
 * @param {number} x
 * @param {number} highest
 * @param {(value: number) => string} format
 * @param {{upper: string, lower: string} | undefined} legend
 */
function drawBar(bar, x, highest, format, legend) {
  const group = svgElement('g', { class: 'day' });
  const title = svgElement('title', {});
  title.textContent = barText(bar, format, legend);
  group.append(title, svgElement('rect', { class: 'hover', x: String(x), width: String(STEP), height: String(HEIGHT) }));
  for (const [name, value] of /** @type {const} */ ([['upper', bar.upper], ['lower', bar.lower]])) {
    if (value !== null && value !== undefined && value > 0) {
      const height = Math.max(1, (value / highest) * (HEIGHT - 4));
      const shape = { class: legend === undefined ? 'whole' : name, y: (HEIGHT - height).toFixed(1), height: height.toFixed(1) };
      group.append(svgElement('rect', { ...shape, x: String(x + GAP), width: String(STEP - 2 * GAP) }));
    }
  }
  return group;
}

/**
 * @param {Bar} bar
 * @param {(value: number) => string} format
 * @param {{upper: string, lower: string} | undefined} legend
 */
function barText({ label: day, upper, lower }, format, legend) {
  if (upper === null) {
    return `${dayLabel(day)}: no value`;
  }
  if (legend === undefined) {
    return `${dayLabel(day)}: ${format(upper)}`;
  }
  return `${dayLabel(day)}: ${legend.lower} ${format(lower ?? 0)}, ${legend.upper} ${format(upper)}`;
}

/**
 * @param {Bar[]} bars
 * @param {number} highest
 * @param {(value: number) => string} format
 * @param {{upper: string, lower: string} | undefined} legend
 */
function summary(bars, highest, format, legend) {
  const last = bars.at(-1);
  const present = last === undefined ? '' : `, ${barText(last, format, legend)}`;
  return `${String(bars.length)} days, maximum ${format(highest)}${present}`;
}

function drawLegend(/** @type {{upper: string, lower: string}} */ { upper, lower }) {
  const legend = document.createElement('p');
  legend.className = 'legend';
  for (const [name, text] of [['lower', lower], ['upper', upper]]) {
    const entry = label(text ?? '');
    entry.className = name ?? '';
    legend.append(entry);
  }
  return legend;
}

function svgElement(/** @type {string} */ name, /** @type {Record<string, string>} */ attributes) {
  const created = document.createElementNS(SVG, name);
  for (const [attribute, value] of Object.entries(attributes)) {
    created.setAttribute(attribute, value);
  }
  return created;
}

function label(/** @type {string} */ text) {
  const created = document.createElement('span');
  created.textContent = text;
  return created;
}
