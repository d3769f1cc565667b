/** Requests to the API that the router serves below `/dashboard/`. */

/** A response with an error status. */
export class ApiError extends Error {
  constructor(/** @type {string} */ message, /** @type {number} */ status) {
    super(message);
    this.status = status;
  }

  /** Whether authentication or authorization failed. */
  get isAccessDenied() {
    return this.status === 401 || this.status === 403;
  }
}

/**
 * Sends a request. The header of requests that change something protects against cross-site request forgery: pages of
 * other origins cannot send it.
 *
 * @param {string} path relative to the dashboard
 * @param {string} method
 * @returns {Promise<unknown>} the parsed JSON body
 * @throws {ApiError} when the status is not 2xx
 */
export async function request(path, method = 'GET') {
  const response = await fetch(path, {
    method,
    headers: method === 'GET' ? {} : { 'X-Pixelfleet-Action': '1' },
    cache: 'no-store',
  });
  const body = /** @type {unknown} */ (await response.json().catch(() => undefined));
  if (!response.ok) {
    const { error } = /** @type {{error?: string}} */ (body ?? {});
    throw new ApiError(error ?? `HTTP ${String(response.status)}`, response.status);
  }
  return body;
}
