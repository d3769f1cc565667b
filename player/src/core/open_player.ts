import { PreconnectedSocket } from '../connection/preconnected_socket';
import { initialSettings } from '../connection/settings';
import { signallingUrl } from '../connection/url';
import { setToken, subprotocols } from '../sign_in/access_token';
import { StreamPlayer } from './stream_player';

/**
 * Opens the stream that a player page would play, and returns to the session that this tab had before a reload.
 *
 * @param address - the address of the player page, http or https, with its URL parameters
 * @param stage - the element that the video is put into; it must have a size of its own
 * @param token - an access token of the issuer, for this and each further connection
 */
export function openPlayer(address: string, stage: HTMLElement, token?: string): StreamPlayer {
  if (token !== undefined) {
    setToken(token);
  }
  const url = signallingUrl(address);
  const settings = initialSettings(url, new URL(address).searchParams);
  return new StreamPlayer({ stage, settings, socket: new PreconnectedSocket(url, subprotocols()) });
}
