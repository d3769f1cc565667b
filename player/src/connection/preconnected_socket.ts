import type { WebSocketTransport } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';

/**
 * A websocket that is dialled while the rest of the page is still loaded, and what came over it meanwhile.
 *
 * The library is large, and makes the websocket itself when it is told to connect.
 */
export class PreconnectedSocket {
  readonly #socket: WebSocket;
  /** What happened, in its order. */
  readonly #events: Event[] = [];

  /** @param url - where to dial, ws or wss */
  constructor(url: string) {
    this.#socket = new WebSocket(url);
    const keep = (event: Event): void => {
      this.#events.push(event);
    };
    this.#socket.onopen = keep;
    this.#socket.onerror = keep;
    this.#socket.onmessage = keep;
    this.#socket.onclose = keep;
  }

  /**
   * Has the library's transport use this websocket instead of a new one when it connects for the first time, and
   * hear there what came before. The library makes its transport itself, and takes no other one.
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
    // As with a new websocket, not before the caller is done with connecting, and before anything newer comes.
    queueMicrotask(() => {
      for (const event of this.#events) {
        socket.dispatchEvent(event);
      }
    });
  }
}
