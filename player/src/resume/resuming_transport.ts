import { WebSocketTransport, type PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { SOCKET_EVENTS, type PreconnectedSocket } from '../connection/preconnected_socket';
import { subprotocols } from '../sign_in/access_token';
import { dialUrl, type Dial } from './dial';
import type { Edge, Media } from './edge';
import { watchNetwork } from './network_events';
import { TabToken } from './tab_token';
import { VirtualConnection } from './virtual_connection';

/** What the transport reports, and what it has to know. */
export interface TransportObserver {
  /** Whether the page is without the server, and returns to it. */
  onAway(isAway: boolean): void;
  /** The server has answered, so the network is there. */
  onAnswered(): void;
  media(): Media;
}

const NO_OBSERVER: TransportObserver = {
  onAway: () => undefined,
  onAnswered: () => undefined,
  media: () => 'none',
};

/**
 * Puts a VirtualConnection under the library. The library creates its transport itself and accepts no other, so the
 * methods are replaced on the instance.
 */
export class ResumingTransport implements Edge {
  readonly #transport: WebSocketTransport;
  readonly #connection: VirtualConnection;
  #early: PreconnectedSocket | undefined;
  #tab = new TabToken(undefined);
  #observer = NO_OBSERVER;
  #url = '';
  #dialledUrl = '';
  #socket: WebSocket | undefined;
  /** Websockets that were replaced; the server may not have noticed yet, and must not take their end for a goodbye. */
  #replaced: WebSocket[] = [];
  #timer: number | undefined;

  /**
   * @param transport - the library's transport, before its first `connect`
   * @param early - the websocket that the first `connect` uses; later ones open a new one
   * @param signal - ends the listening to the network
   */
  constructor(transport: WebSocketTransport, early?: PreconnectedSocket, signal?: AbortSignal) {
    this.#transport = transport;
    this.#early = early;
    this.#connection = new VirtualConnection(this);
    transport.connect = (url): boolean => {
      this.#url = url;
      this.#connect();
      return true;
    };
    transport.sendMessage = (text): void => {
      this.#connection.send(text);
    };
    transport.disconnect = (code, reason = ''): void => {
      this.#run(() => {
        this.#connection.disconnect(code, reason);
      });
    };
    transport.isConnected = (): boolean => this.#connection.isConnected;
    const onNetwork = (): void => {
      this.hurry();
    };
    watchNetwork(onNetwork, signal);
  }

  /** Puts a transport under the library of a stream. */
  static under(stream: PixelStreaming, early: PreconnectedSocket | undefined, signal: AbortSignal): ResumingTransport {
    const { transport } = stream.webRtcController;
    if (!(transport instanceof WebSocketTransport)) {
      throw new Error('the library has another transport than expected');
    }
    return new ResumingTransport(transport, early, signal);
  }

  observe(observer: TransportObserver): void {
    this.#observer = observer;
  }

  /** Whether the session can be continued with a new negotiation, after a disconnect with the code RETURNING. */
  get isResumable(): boolean {
    return this.#connection.isResumable;
  }

  /** The URL of the latest attempt. */
  get dialledUrl(): string {
    return this.#dialledUrl;
  }

  /** Asks the server at once whether it is there; the next attempt is made at once. */
  hurry(): void {
    this.#run((now) => {
      this.#connection.hurry(now);
    });
  }

  dial(dial: Dial): void {
    if (this.#socket?.readyState === WebSocket.OPEN) {
      this.#replaced.push(this.#socket);
    } else {
      this.#socket?.close(); // browsers open one websocket to a host at a time
    }
    this.#dialledUrl = dialUrl(this.#url, dial);
    const socket = new WebSocket(this.#dialledUrl, subprotocols());
    this.#socket = socket;
    for (const type of SOCKET_EVENTS) {
      socket.addEventListener(type, (event) => {
        this.#onEvent(socket, event);
      });
    }
  }

  hangUp(code: number | undefined, reason: string): void {
    for (const socket of [...this.#replaced, ...(this.#socket === undefined ? [] : [this.#socket])]) {
      if (code === undefined) {
        socket.close(); // Chromium takes an explicit undefined for the code 0
      } else {
        socket.close(code, reason);
      }
    }
    this.#socket = undefined;
    this.#replaced = [];
  }

  send(text: string): void {
    this.#socket?.send(text);
  }

  settled(): void {
    this.#replaced.forEach((socket) => {
      socket.close();
    });
    this.#replaced = [];
  }

  opened(): void {
    this.#transport.handleOnOpen();
  }

  received(text: string): void {
    this.#transport.onMessage?.(text);
  }

  closed(code: number, reason: string): void {
    // As with a websocket: not before its caller has returned.
    queueMicrotask(() => {
      this.#transport.handleOnClose(new CloseEvent('close', { code, reason, wasClean: code !== 1006 }));
    });
  }

  remember(token: string | undefined): void {
    this.#tab.store(token);
  }

  awayChanged(isAway: boolean): void {
    this.#observer.onAway(isAway);
  }

  answered(): void {
    this.#observer.onAnswered();
  }

  media(): Media {
    return this.#observer.media();
  }

  #connect(): void {
    const early = this.#early;
    this.#early = undefined;
    if (early === undefined) {
      this.#run((now) => {
        this.#connection.connect(now);
      });
      return;
    }
    void early.dialled.then(({ socket, dial, tab, takeOver }) => {
      this.#tab = new TabToken(tab);
      this.#dialledUrl = socket.url;
      this.#socket = socket;
      this.#run((now) => {
        this.#connection.connect(now, dial);
      });
      takeOver((event) => {
        this.#onEvent(socket, event);
      });
    });
  }

  #onEvent(socket: WebSocket, event: Event): void {
    if (socket !== this.#socket) {
      return;
    }
    this.#run((now) => {
      if (event instanceof CloseEvent) {
        this.#socket = undefined;
        this.#connection.closed(event.code, event.reason, now);
      } else if (!(event instanceof MessageEvent)) {
        this.#connection.opened(now);
      } else if (typeof event.data === 'string') {
        this.#connection.received(event.data, now);
      } else {
        this.#transport.handleOnMessage(event); // binary, which our servers do not send
      }
    });
  }

  /** Passes an event, and sets the timer to what is due next. */
  #run(pass: (now: number) => void): void {
    try {
      pass(performance.now());
    } finally {
      window.clearTimeout(this.#timer);
      const { deadline } = this.#connection;
      if (deadline !== Infinity) {
        const tick = (now: number): void => {
          this.#connection.tick(now);
        };
        const delay = Math.max(0, Math.ceil(deadline - performance.now()));
        this.#timer = window.setTimeout(() => {
          this.#run(tick);
        }, delay);
      }
    }
  }
}
