import { PreconnectedSocket } from './connection/preconnected_socket';
import { IS_SUPPORTED } from './connection/support';
import { hasOverride, signallingUrl } from './connection/url';
import { addressWithLink } from './sign_in/used_link';

/**
 * The websocket to the page's own server, opened before anything else: this module is built as a separate file that
 * loads long before the library (see vite.config.ts). Undefined when the link names another server, since page.json
 * must be read first.
 */
export const preconnected =
  IS_SUPPORTED && !hasOverride(location.href) ? new PreconnectedSocket(signallingUrl(addressWithLink())) : undefined;
