import { claimTab, STORAGE_KEY } from './tab_claim';

/** Keeps the token of the session for a reload of this tab. */
export class TabToken {
  #tab: string | undefined;

  /** @param tab - the name that this page has claimed, if it has one */
  constructor(tab: string | undefined) {
    this.#tab = tab;
  }

  /** Stores a token in place of any other, or removes it. */
  store(token: string | undefined): void {
    if (this.#tab === undefined) {
      this.#tab = crypto.getRandomValues(new Uint32Array(2)).join('-');
      void claimTab(this.#tab);
    }
    try {
      if (token === undefined) {
        sessionStorage.removeItem(STORAGE_KEY);
      } else {
        sessionStorage.setItem(STORAGE_KEY, `${this.#tab} ${token}`);
      }
    } catch {
      // The browser allows this page no storage, so a reload makes a new session.
    }
  }
}
