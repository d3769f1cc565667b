/** The button with which an operator signs out, who has signed in with the browser. */
import { element } from './dom.js';

/** Shows the button. */
export function offerSignOut() {
  const button = element('sign-out', HTMLButtonElement);
  if (button.hidden) {
    button.hidden = false;
    button.addEventListener('click', () => void signOut());
  }
}

/** Signs out at the router, and continues where it leads: to the issuer, or to the player page. */
async function signOut() {
  const response = await fetch('../sign-in/out', { method: 'POST' });
  const body = /** @type {unknown} */ (await response.json());
  const { location: next } = /** @type {{location?: unknown}} */ (body);
  if (response.ok && typeof next === 'string') {
    location.assign(next);
  }
}
