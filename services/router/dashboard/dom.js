/** Helpers for elements. */

/**
 * Returns an element of index.html.
 *
 * @template {Element} T
 * @param {string} id
 * @param {new () => T} kind
 * @returns {T}
 * @throws {Error} when there is no element of that kind with that id
 */
export function element(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) {
    throw new Error(`index.html has no ${kind.name} with the id "${id}"`);
  }
  return found;
}

/** Sets a text, only if it differs so that screen readers do not repeat it. */
export function setText(/** @type {Element | null} */ target, /** @type {string} */ text) {
  if (target !== null && target.textContent !== text) {
    target.textContent = text;
  }
}
