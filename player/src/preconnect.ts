import { PreconnectedSocket } from './connection/preconnected_socket';
import { hasOverride, signallingUrl } from './connection/url';

/** Whether this browser has what a stream needs. */
export const IS_SUPPORTED = typeof RTCPeerConnection === 'function' && typeof WebSocket === 'function';

/**
 * The websocket beside the page, dialled as the first thing that the page does: built as a file of its own, which is
 * there long before the library (see vite.config.ts). Undefined where a link names another server to dial, which
 * has to wait for a document.
 */
export const early =
  IS_SUPPORTED && !hasOverride(location.href) ? new PreconnectedSocket(signallingUrl(location.href)) : undefined;
