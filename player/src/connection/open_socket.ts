import { WebSocketTransport, type PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';

/** Whether a message can be sent to the server now. The library's own test is also true while the socket closes. */
export function isOpen({ signallingProtocol: { transport } }: PixelStreaming): boolean {
  return transport instanceof WebSocketTransport && transport.webSocket?.readyState === WebSocket.OPEN;
}
