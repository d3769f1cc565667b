import { UNENDING } from '../unending';

/**
 * Reports events after which the network may be another one, or the machine may have slept.
 *
 * @param signal - ends the reports
 */
export function watchNetwork(onEvent: () => void, signal = UNENDING): void {
  const onVisibility = (): void => {
    if (!document.hidden) {
      onEvent();
    }
  };
  window.addEventListener('online', onEvent, { signal });
  window.addEventListener('pageshow', onEvent, { signal });
  document.addEventListener('resume', onEvent, { signal }); // Chromium: the tab was frozen
  document.addEventListener('visibilitychange', onVisibility, { signal });
}

/** Reports each change of the candidate pair of a connected peer connection, in browsers that tell. */
export function watchCandidatePair(connection: RTCPeerConnection, onChange: () => void): void {
  const [transceiver] = connection.getTransceivers();
  transceiver?.receiver.transport?.iceTransport.addEventListener('selectedcandidatepairchange', onChange);
}
