import { PreconnectedSocket } from '../connection/preconnected_socket';
import { initialSettings } from '../connection/settings';
import { signallingUrl } from '../connection/url';
import { StreamPlayer } from './stream_player';

/**
 * Opens the stream that a player page would play, and returns to the session that this tab had before a reload.
 *
 * @param address - the address of the player page, http or https, with its URL parameters
 * @param stage - the element that the video is put into; it must have a size of its own
 */
export function openPlayer(address: string, stage: HTMLElement): StreamPlayer {
  const url = signallingUrl(address);
  const settings = initialSettings(url, new URL(address).searchParams);
  return new StreamPlayer({ stage, settings, socket: new PreconnectedSocket(url) });
}
