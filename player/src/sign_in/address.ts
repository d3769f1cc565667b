/**
 * The URL at which a sign-in begins that returns to a page.
 *
 * @param page - the URL of the page
 */
export function signInUrl(page: string): string {
  const here = new URL(page);
  const url = new URL('sign-in', here);
  url.search = new URLSearchParams({ return: `${here.pathname}${here.search}` }).toString();
  return url.href;
}
