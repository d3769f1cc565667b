/** The key in sessionStorage, and the prefix of the lock. */
export const STORAGE_KEY = 'pixelfleet.session';

/** How long a reloaded page waits for the lock of the page before it, in milliseconds. */
const LOCK_TIMEOUT = 300;

/** How long other tabs have to object where the browser has no locks, in milliseconds. */
const OBJECTION_TIMEOUT = 100;

/** What a tab keeps over a reload. */
export interface StoredSession {
  /** A random name of the tab. */
  readonly tab: string;
  readonly token: string;
}

/** The session of the page that was loaded in this tab before, or in the tab that this one is a copy of. */
export function storedSession(): StoredSession | undefined {
  try {
    const [tab, token] = (sessionStorage.getItem(STORAGE_KEY) ?? '').split(' ');
    return tab && token ? { tab, token } : undefined;
  } catch {
    return undefined; // the browser allows this page no storage
  }
}

/**
 * Claims the name of a tab until the page is unloaded. Browsers copy sessionStorage when a tab is duplicated; the copy
 * must not take the session away from its original.
 *
 * @returns whether no other tab has the name
 */
export async function claimTab(tab: string): Promise<boolean> {
  try {
    // Browsers have locks in secure contexts only.
    return await ('locks' in navigator ? lock(tab) : ask(tab));
  } catch {
    return false;
  }
}

function lock(tab: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(`${STORAGE_KEY} ${tab}`, { signal: AbortSignal.timeout(LOCK_TIMEOUT) }, () => {
        resolve(true);
        return new Promise(() => undefined); // until the page is unloaded
      })
      .catch(reject);
  });
}

/** Asks all tabs for the name, and answers the same question from now on. */
function ask(tab: string): Promise<boolean> {
  const channel = new BroadcastChannel(STORAGE_KEY);
  return new Promise((resolve) => {
    channel.onmessage = ({ data }): void => {
      if (data === `${tab} taken`) {
        channel.close();
        resolve(false);
      }
    };
    channel.postMessage(tab);
    setTimeout(() => {
      channel.onmessage = ({ data }): void => {
        if (data === tab) {
          channel.postMessage(`${tab} taken`);
        }
      };
      resolve(true);
    }, OBJECTION_TIMEOUT);
  });
}
