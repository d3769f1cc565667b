import type { WebSocketTransport } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';

/**
 * A websocket that is opened while the rest of the page loads. It buffers its events until the library takes it over.
 *
 * The library is large, and would open its own websocket only when `connect` is called.
 */
export class PreconnectedSocket {
  readonly #socket: WebSocket;
  readonly #events: Event[] = [];

  /** @param url - the URL of the server, ws or wss */
  constructor(url: string) {
    this.#socket = new WebSocket(url);
    const buffer = (event: Event): void => {
      this.#events.push(event);
    };
    this.#socket.onopen = buffer;
    this.#socket.onerror = buffer;
    this.#socket.onmessage = buffer;
    this.#socket.onclose = buffer;
  }

  /**
   * Makes the transport's next `connect` use this websocket and replay its buffered events; later calls open a new
   * one. The library creates its transport itself and accepts no other, so the method is replaced on the instance.
   */
  attachTo(transport: WebSocketTransport): void {
    const connect = transport.connect.bind(transport);
    transport.connect = (): boolean => {
      transport.connect = connect;
      this.#handOver(transport);
      return true;
    };
  }

  #handOver(transport: WebSocketTransport): void {
    const socket = this.#socket;
    transport.webSocket = socket;
    socket.onopen = transport.handleOnOpen.bind(transport);
    socket.onerror = transport.handleOnError.bind(transport);
    socket.onmessage = transport.handleOnMessage.bind(transport);
    socket.onclose = transport.handleOnClose.bind(transport);
    // As with a new websocket: not before `connect` has returned, and before any newer event.
    queueMicrotask(() => {
      for (const event of this.#events) {
        socket.dispatchEvent(event);
      }
    });
  }
}
