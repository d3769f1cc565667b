/** An event of a websocket's end. Node has none before version 23. */
export class FakeCloseEvent extends Event {
  readonly code: number;
  readonly reason: string;

  constructor(type: string, { code = 1005, reason = '' }: CloseEventInit = {}) {
    super(type);
    this.code = code;
    this.reason = reason;
  }
}

/** A websocket whose events the test dispatches. */
export class FakeSocket extends EventTarget {
  static readonly OPEN = 1;
  static readonly instances: FakeSocket[] = [];
  readonly url: string;
  readonly sent: string[] = [];
  readonly closes: (number | undefined)[] = [];
  readyState = 0;

  constructor(url: string) {
    super();
    this.url = url;
    FakeSocket.instances.push(this);
  }

  /** The one that was opened last. */
  static get last(): FakeSocket {
    const last = FakeSocket.instances.at(-1);
    if (last === undefined) {
      throw new Error('no websocket was opened');
    }
    return last;
  }

  send(text: string): void {
    this.sent.push(text);
  }

  close(...parameters: [code?: number, reason?: string]): void {
    const [code] = parameters;
    if (parameters.length > 0 && code === undefined) {
      throw new Error('Chromium takes an explicit undefined for the code 0');
    }
    this.closes.push(code);
    this.readyState = 2;
  }

  open(): void {
    this.readyState = FakeSocket.OPEN;
    this.dispatchEvent(new Event('open'));
  }

  receive(data: unknown): void {
    this.dispatchEvent(new MessageEvent('message', { data }));
  }

  drop(code: number): void {
    this.readyState = 3;
    this.dispatchEvent(new FakeCloseEvent('close', { code }));
  }
}
