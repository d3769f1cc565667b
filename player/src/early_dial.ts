import { PreconnectedSocket } from './connection/preconnected_socket';
import { hasOverride, signallingUrl } from './connection/url';
import { addressWithLink } from './sign_in/used_link';

/**
 * Opens the websocket to the page's own server before anything else is requested. The build writes this script into
 * index.html, since a file of its own would take a further round trip; its hash is in the router's content security
 * policy. A link that names another server has to wait for page.json, and `missing_files.ts` may leave an address
 * without the slash at its end, where `ws` is another one's.
 */
{
  const isSupported = typeof RTCPeerConnection === 'function' && typeof WebSocket === 'function';
  if (isSupported && !hasOverride(location.href) && !/\/[^/.]+$/.test(location.pathname)) {
    window.pixelfleetEarly = new PreconnectedSocket(signallingUrl(addressWithLink()));
  }
}
