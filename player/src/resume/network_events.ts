/** Reports events after which the network may be another one, or the machine may have slept. */
export function watchNetwork(onEvent: () => void): void {
  window.addEventListener('online', onEvent);
  window.addEventListener('pageshow', onEvent);
  document.addEventListener('resume', onEvent); // Chromium: the tab was frozen
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) {
      onEvent();
    }
  });
}

/** Reports each change of the candidate pair of a connected peer connection, in browsers that tell. */
export function watchCandidatePair(connection: RTCPeerConnection, onChange: () => void): void {
  const [transceiver] = connection.getTransceivers();
  transceiver?.receiver.transport?.iceTransport.addEventListener('selectedcandidatepairchange', onChange);
}
