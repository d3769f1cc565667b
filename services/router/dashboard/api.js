/** The dashboard's own API. Its header is what pages of other sites cannot send. */

/** An answer that is no success. */
export class ApiError extends Error {
  constructor(/** @type {string} */ words, /** @type {number} */ status) {
    super(words);
    this.status = status;
  }

  /** Whether it is the person who may not, or may no longer. */
  get isAccessDenied() {
    return this.status === 401 || this.status === 403;
  }
}

/** Raises ApiError. @returns {Promise<any>} */
export async function request(/** @type {string} */ path, /** @type {string} */ method = 'GET') {
  const answer = await fetch(path, {
    method,
    headers: method === 'GET' ? {} : { 'X-Pixelfleet-Action': '1' },
    cache: 'no-store',
  });
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    throw new ApiError(body.error ?? `answered ${String(answer.status)}`, answer.status);
  }
  return body;
}
