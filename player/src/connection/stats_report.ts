import { MessageHelpers, Messages, type PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';

/** Reports `data` to the server for its metrics. Servers of other makes expect a string in `stats`, so it is JSON. */
export function reportStats(stream: PixelStreaming, data: object): void {
  if (stream.signallingProtocol.isConnected()) {
    stream.signallingProtocol.sendMessage(MessageHelpers.createMessage(Messages.stats, { data: JSON.stringify(data) }));
  }
}
