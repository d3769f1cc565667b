/** The dashboard's own API. Its header is what pages of other sites cannot send. */

/** @returns {Promise<any>} */
export async function ask(/** @type {string} */ path, /** @type {string} */ method = 'GET') {
  const answer = await fetch(path, {
    method,
    headers: method === 'GET' ? {} : { 'X-Pixelfleet-Action': '1' },
    cache: 'no-store',
  });
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    throw new Error(body.error ?? `answered ${String(answer.status)}`);
  }
  return body;
}
