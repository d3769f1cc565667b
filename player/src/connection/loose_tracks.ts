import type { PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';

/**
 * Puts tracks that belong to no stream into one, for each peer connection. A streamer that adds its tracks alone offers
 * them with `a=msid:-`, and the library ignores them: the video would be decoded and never shown.
 */
export function adoptLooseTracks({ webRtcController: controller }: PixelStreaming): void {
  const startSession = controller.startSession.bind(controller);
  controller.startSession = (config): void => {
    startSession(config);
    const { peerConnectionController: session } = controller;
    const handleOnTrack = session.handleOnTrack.bind(session);
    const stream = new MediaStream();
    session.handleOnTrack = (event): void => {
      const { track, receiver, transceiver } = event;
      if (event.streams.length > 0) {
        handleOnTrack(event);
        return;
      }
      stream.addTrack(track);
      handleOnTrack(new RTCTrackEvent('track', { track, receiver, transceiver, streams: [stream] }));
    };
  };
}
