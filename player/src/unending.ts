/** A signal that never ends what it is passed to: for a player that lives as long as its page. */
export const UNENDING = new AbortController().signal;
