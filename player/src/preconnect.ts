import type { PreconnectedSocket } from './connection/preconnected_socket';

declare global {
  interface Window {
    /** The websocket that `early_dial.ts` has opened. */
    pixelfleetEarly?: PreconnectedSocket;
  }
}

/**
 * The websocket to the page's own server, which `early_dial.ts` has opened. Undefined when the link names another
 * server, since page.json must be read first, and where a content security policy that is not the router's forbids
 * inline scripts: the page then opens it itself.
 */
export const preconnected = window.pixelfleetEarly;
