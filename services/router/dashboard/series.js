/** The values of a chart over the last hour, and its shape. No DOM. */

/** @typedef {[time: number, value: number]} Point time in seconds */

const HOUR = 3600;

/** The shortest interval between two points that are kept, in seconds. */
const STEP = 10;

export class Series {
  /** @type {Point[]} */
  #kept = [];
  /** @type {Point | undefined} */
  #current;

  /** Adds the points from before the first one. */
  prepend(/** @type {Point[]} */ points) {
    const first = this.#points[0]?.[0] ?? Infinity;
    this.#kept = [...points.filter(([time]) => time < first), ...this.#kept];
  }

  /** Sets the current value; it is kept if the last kept one is old enough. */
  update(/** @type {number} */ time, /** @type {number} */ value) {
    this.#current = [time, value];
    const last = this.#kept.at(-1);
    if (last === undefined || time - last[0] >= STEP) {
      this.#kept = [...this.#kept.filter((each) => each[0] >= time - HOUR), this.#current];
    }
  }

  /**
   * Returns the line and the area below it as SVG paths, which fill the width from the first point on; the seconds
   * between its ends; the current value and the highest one. Undefined without a point.
   *
   * @param {number} width
   * @param {number} height
   */
  shape(width, height) {
    const points = this.#points;
    const [first, last] = [points[0], points.at(-1)];
    if (first === undefined || last === undefined) {
      return undefined;
    }
    const seconds = last[0] - first[0];
    const highest = Math.max(...points.map(([, value]) => value));
    const x = (/** @type {number} */ time) =>
      (seconds === 0 ? width : ((time - first[0]) / seconds) * width).toFixed(1);
    const y = (/** @type {number} */ value) => (height - (value / Math.max(1, highest)) * (height - 2)).toFixed(1);
    const line = points.map(([time, value]) => `${x(time)} ${y(value)}`).join('L');
    const area = `M${x(first[0])} ${String(height)}L${line}L${String(width)} ${String(height)}Z`;
    return { line: `M${line}`, area, seconds, current: last[1], highest };
  }

  /** The kept points and the current one, which is part of the highest value too. */
  get #points() {
    const [last, current] = [this.#kept.at(-1), this.#current];
    return current === undefined || current[0] === last?.[0] ? this.#kept : [...this.#kept, current];
  }
}
