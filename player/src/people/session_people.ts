import { Messages, type BaseMessage, type PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import type { State } from '../state';
import { parseInvited, parsePeople, type Invited, type InvitedRole, type People } from './messages';

/** What a host asks of an invite. */
export interface InviteRequest {
  readonly role: InvitedRole;
  /** How long it is valid. */
  readonly seconds: number;
  /** Whether it admits only one person. */
  readonly once: boolean;
  /** How the person is called; empty for no name. */
  readonly name: string;
}

/** What is called with the server's messages. */
export interface PeopleObserver {
  /** The people of the session; undefined when they are unknown, as without a session. */
  onPeople(people: People | undefined): void;
  onInvited(invited: Invited): void;
}

/**
 * Exchanges the messages about the people of a session with the server. It asks for them once the stream plays, and only
 * a server that has given this page a token: others do not know these messages.
 */
export class SessionPeople {
  readonly #protocol: PixelStreaming['signallingProtocol'];
  readonly #transport: { readonly isResumable: boolean };
  #asked = false;

  constructor(stream: PixelStreaming, transport: { readonly isResumable: boolean }, observer: PeopleObserver) {
    this.#protocol = stream.signallingProtocol;
    this.#transport = transport;
    this.#protocol.on('people', (data: unknown) => {
      observer.onPeople(parsePeople(data));
    });
    this.#protocol.on('invited', (data: unknown) => {
      observer.onInvited(parseInvited(data));
    });
    this.#protocol.transport.on('message', (message: BaseMessage | null) => {
      if (message?.type === Messages.config.typeName) {
        this.#asked = false; // another negotiation, whose server may know nothing of the question
      }
    });
    this.#protocol.transport.on('close', () => {
      this.#asked = false;
      observer.onPeople(undefined);
    });
  }

  /** Asks for the people when the stream plays. */
  show(state: State): void {
    if (state.phase === 'playing' && !this.#asked && this.#transport.isResumable) {
      this.#asked = this.#send('people');
    }
  }

  invite(request: InviteRequest): boolean {
    return this.#send('invite', { ...request });
  }

  remove(person: number): boolean {
    return this.#send('kick', { person });
  }

  mute(person: number, muted: boolean): boolean {
    return this.#send('mute', { person, muted });
  }

  handOver(person: number): boolean {
    return this.#send('handOver', { person });
  }

  /** Sends a message; returns whether there is a connection. */
  #send(type: string, fields: Readonly<Record<string, unknown>> = {}): boolean {
    if (!this.#protocol.isConnected()) {
      return false;
    }
    const message: BaseMessage = { type, ...fields };
    this.#protocol.sendMessage(message);
    return true;
  }
}
