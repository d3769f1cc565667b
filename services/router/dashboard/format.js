/** Formats numbers and times. No DOM. */

/** Formats a number with separators: `1,000`. */
export function formatNumber(/** @type {number} */ value) {
  return value.toLocaleString('en');
}

/** Formats a duration in seconds by its largest one or two units: `2 d 4 h`, `3 h 12 min`, `4 min`, `12 s`. */
export function formatDuration(/** @type {number} */ seconds) {
  const { days, hours, minutes, whole } = split(seconds);
  if (days > 0) {
    return `${String(days)} d${hours > 0 ? ` ${String(hours)} h` : ''}`;
  }
  if (hours > 0) {
    return `${String(hours)} h${minutes > 0 ? ` ${String(minutes)} min` : ''}`;
  }
  return minutes > 0 ? `${String(minutes)} min` : `${String(whole)} s`;
}

/** Formats a waiting time in seconds; below an hour it is exact: `1 min 5 s`. */
export function formatWait(/** @type {number} */ seconds) {
  const { days, hours, minutes, whole } = split(seconds);
  return days > 0 || hours > 0 || minutes === 0
    ? formatDuration(seconds)
    : `${String(minutes)} min ${String(whole % 60)} s`;
}

function split(/** @type {number} */ seconds) {
  const whole = Math.max(0, Math.round(seconds));
  return {
    whole,
    days: Math.floor(whole / 86400),
    hours: Math.floor(whole / 3600) % 24,
    minutes: Math.floor(whole / 60) % 60,
  };
}
