import { describe, expect, it } from 'vitest';
import type { Dial } from '../src/resume/dial';
import type { Edge, Media } from '../src/resume/edge';
import { ANSWER_TIMEOUT, PLAYING_INTERVAL, WAITING_INTERVAL } from '../src/resume/heartbeat';
import { MAX_KEPT } from '../src/resume/message_line';
import { RETURN_TIMEOUT } from '../src/resume/redials';
import { VirtualConnection } from '../src/resume/virtual_connection';

const SESSION = { type: 'session', token: 'T1', resumeSeconds: 30, reloadSeconds: 5 };
const PLACE = { type: 'session', token: 'W1', resumeSeconds: 30 };
const CONFIG = { type: 'config', peerConnectionOptions: {} };

/** Records what the connection asks for; `media` is what the page knows about the peer connection. */
class Page implements Edge {
  readonly dials: Dial[] = [];
  readonly sent: string[] = [];
  readonly library: string[] = [];
  readonly hungUp: (number | undefined)[] = [];
  readonly away: boolean[] = [];
  media_: Media = 'live';
  token: string | undefined;
  answers = 0;

  dial(dial: Dial): void {
    this.dials.push(dial);
  }
  hangUp(code: number | undefined): void {
    this.hungUp.push(code);
  }
  send(text: string): void {
    this.sent.push(text);
  }
  settled(): void {
    // The replaced websockets are the edge's.
  }
  opened(): void {
    this.library.push('open');
  }
  received(text: string): void {
    this.library.push((JSON.parse(text) as { type: string }).type);
  }
  closed(code: number): void {
    this.library.push(`close ${String(code)}`);
  }
  remember(token: string | undefined): void {
    this.token = token;
  }
  awayChanged(isAway: boolean): void {
    this.away.push(isAway);
  }
  answered(): void {
    this.answers += 1;
  }
  media(): Media {
    return this.media_;
  }
}

class Scene {
  readonly page = new Page();
  readonly connection = new VirtualConnection(this.page, () => 0.5);
  now = 0;

  receive(...messages: object[]): this {
    for (const message of messages) {
      this.connection.received(JSON.stringify(message), this.now);
    }
    return this;
  }

  /** Lets time pass, with all that becomes due in it. */
  wait(milliseconds: number): this {
    const until = this.now + milliseconds;
    while (this.connection.deadline <= until) {
      this.now = Math.max(this.now, this.connection.deadline);
      this.connection.tick(this.now);
    }
    this.now = until;
    return this;
  }

  close(code: number): this {
    this.connection.closed(code, '', this.now);
    return this;
  }

  open(): this {
    this.connection.opened(this.now);
    return this;
  }

  connect(dialled?: Dial): this {
    this.connection.connect(this.now, dialled);
    return this.open();
  }

  get pings(): { type: string; received?: number }[] {
    return this.page.sent
      .map((text) => JSON.parse(text) as { type: string; received?: number })
      .filter(({ type }) => type === 'ping');
  }

  get lastDial(): Dial | undefined {
    return this.page.dials.at(-1);
  }
}

const scene = (): Scene => new Scene().connect();

/** A page whose stream plays. */
function playing(): Scene {
  const started = scene();
  started.connection.send('{"type":"listStreamers"}');
  return started.receive(SESSION, CONFIG);
}

describe('a new session', () => {
  it('is asked for, and its token is stored', () => {
    const { page } = playing();
    expect(page.dials).toEqual([{ resume: '1' }]);
    expect(page.library).toEqual(['open', 'config']);
    expect(page.token).toBe('T1');
  });

  it('is an ordinary connection without a token', () => {
    const { page, connection } = scene().receive(CONFIG).close(1006).wait(60_000);
    expect(page.library).toEqual(['open', 'config', 'close 1006']);
    expect(page.dials).toHaveLength(1);
    expect(connection.deadline).toBe(Infinity);
  });

  it('never passes 1001 to the library', () => {
    expect(scene().close(1001).page.library).toEqual(['open', 'close 1006']);
  });
});

describe('a lost websocket', () => {
  it.each([1001, 1005, 1006, 1012, 4001, 4002, 4005, 4105])(
    'is replaced at once after %i, and the library notices nothing',
    (code) => {
      const lost = playing();
      lost.close(code);
      expect(lost.lastDial).toEqual({ resume: 'T1', received: 1 });
      expect(lost.page.away).toEqual([true]);
      lost.connection.send('{"type":"stats"}');
      lost.open();
      expect(lost.page.sent).toHaveLength(1);
      lost.receive({ type: 'session', resumed: true, received: 1 }, { type: 'answer' });
      expect(lost.page.sent).toEqual(['{"type":"listStreamers"}', '{"type":"stats"}']);
      expect(lost.page.library).toEqual(['open', 'config', 'answer']);
      expect(lost.page.away).toEqual([true, false]);
    },
  );

  it.each([1000, 1011, 4000, 4200, 4201, 4202])('is the end of the session after %i', (code) => {
    const { page } = playing().close(code).wait(60_000);
    expect(page.library.at(-1)).toBe(`close ${String(code)}`);
    expect(page.token).toBeUndefined();
    expect(page.dials).toHaveLength(1);
  });

  it('is tried again with growing delays until the window has passed, and then for a new session', () => {
    const lost = playing().close(1006);
    let attempts = 1;
    while (lost.connection.isConnected) {
      lost.wait(100);
      if (lost.page.dials.length > attempts + 1) {
        attempts = lost.page.dials.length - 1;
        lost.close(attempts % 2 === 0 ? 1006 : 4101);
      }
    }
    expect(lost.now).toBeGreaterThanOrEqual(30_000);
    expect(lost.now).toBeLessThan(31_000);
    expect(attempts).toBeGreaterThan(5);
    expect(attempts).toBeLessThan(20);
    expect(lost.page.library.at(-1)).toBe('close 1006');
    expect(lost.page.token).toBeUndefined();
    lost.connect();
    expect(lost.lastDial).toEqual({ resume: '1' });
  });

  it('is dialled again when an attempt gets no answer, before or after it was opened', () => {
    const lost = playing().close(1006).wait(RETURN_TIMEOUT + 3_000);
    expect(lost.page.dials.length).toBe(3);
    lost.open().wait(RETURN_TIMEOUT + 3_000);
    expect(lost.page.dials.length).toBe(4);
  });

  it('is no end of the session for an attempt that is refused for the moment', () => {
    const lost = playing().close(1006).close(4102).wait(3_000);
    expect(lost.page.dials.length).toBeGreaterThan(2);
    expect(lost.page.library).not.toContain('close 4102');
  });

  it('is not waited for when neither the server nor the streamer can be reached', () => {
    const lost = playing();
    lost.page.media_ = 'lost';
    lost.close(4001);
    expect(lost.page.library.at(-1)).toBe('close 4001');
    expect(lost.page.token).toBeUndefined();
  });

  it('leads to a new negotiation when it interrupts one', () => {
    const lost = playing();
    lost.page.media_ = 'none';
    lost.close(1006);
    expect(lost.page.library.at(-1)).toBe('close 1006');
    lost.connect();
    expect(lost.lastDial).toEqual({ resume: 'T1', fresh: true });
  });
});

describe('the answer of the server to a return', () => {
  it.each([
    [{ type: 'session', resumed: true, received: 9 }],
    [{ type: 'session', resumed: true }],
    [{ type: 'config' }],
  ])('leads to a new negotiation when it does not fit: %j', (answer) => {
    const { page, connection } = playing().close(1006).open().receive(answer);
    expect(page.library.at(-1)).toBe('close 4008');
    expect(page.token).toBe('T1');
    connection.connect(0);
    expect(page.dials.at(-1)).toEqual({ resume: 'T1', fresh: true });
  });

  it('leads to a new negotiation when messages were discarded', () => {
    const lost = playing().close(1006);
    for (let number = 0; number <= MAX_KEPT; number += 1) {
      lost.connection.send('{"type":"stats"}');
    }
    lost.open().receive({ type: 'session', resumed: true, received: 1 });
    expect(lost.page.library.at(-1)).toBe('close 4008');
  });

  it('may be that messages were lost', () => {
    const lost = playing().close(1006).open().close(4008);
    expect(lost.page.library.at(-1)).toBe('close 4008');
    lost.connect();
    expect(lost.lastDial).toEqual({ resume: 'T1', fresh: true });
  });

  it('may be that the session is gone', () => {
    const lost = playing().close(1006).open().close(4007);
    expect(lost.page.library.at(-1)).toBe('close 4007');
    expect(lost.page.token).toBeUndefined();
    lost.connect();
    expect(lost.lastDial).toEqual({ resume: '1' });
  });

  it('may be that it continues elsewhere; it can be continued here', () => {
    const lost = playing().close(4208);
    expect(lost.page.library.at(-1)).toBe('close 4208');
    lost.connect();
    expect(lost.lastDial).toEqual({ resume: 'T1', fresh: true });
  });

  it('may come to an attempt that was abandoned; it is no other window', () => {
    const lost = playing().close(1006).wait(RETURN_TIMEOUT + 1_000);
    lost.open().receive({ type: 'session', resumed: true, received: 1 }).close(4208);
    expect(lost.page.library).not.toContain('close 4208');
    expect(lost.lastDial).toEqual({ resume: 'T1', received: 1 });
  });
});

describe('a page that was loaded again', () => {
  const dialled = { resume: 'T1', fresh: true };

  it('continues its session with a new negotiation', () => {
    const again = new Scene().connect(dialled).receive(SESSION, CONFIG);
    expect(again.page.dials).toEqual([]);
    expect(again.page.library).toEqual(['open', 'config']);
  });

  it('starts a new session when its own is gone, and the library notices nothing', () => {
    const again = new Scene().connect(dialled);
    again.connection.send('{"type":"listStreamers"}');
    again.close(4007);
    expect(again.page.dials).toEqual([{ resume: '1' }]);
    expect(again.page.token).toBeUndefined();
    again.open().receive(SESSION, CONFIG);
    expect(again.page.sent).toEqual(['{"type":"listStreamers"}', '{"type":"listStreamers"}']);
    expect(again.page.library).toEqual(['open', 'config']);
  });

  it('keeps its token when the server cannot be reached', () => {
    const again = new Scene();
    again.connection.connect(0, dialled);
    again.close(1006);
    expect(again.page.library).toEqual(['close 1006']);
    again.connect();
    expect(again.lastDial).toEqual(dialled);
  });

  it('asks for a new negotiation again when it is interrupted before the session message', () => {
    const again = new Scene().connect(dialled).close(1006).wait(1_000);
    expect(again.lastDial).toEqual(dialled);
  });
});

describe('a waiting page', () => {
  const waiting = (): Scene => {
    const started = scene();
    started.connection.send('{"type":"listStreamers"}');
    return started.receive(PLACE, { type: 'matchmaker', queued: true });
  };

  it('returns to its place, and sends again what it has sent', () => {
    const lost = waiting().close(1006);
    expect(lost.lastDial).toEqual({ resume: 'W1' });
    lost.open().receive(PLACE, { type: 'matchmaker', queued: true }, SESSION, CONFIG);
    expect(lost.page.sent).toEqual(['{"type":"listStreamers"}', '{"type":"listStreamers"}']);
    expect(lost.page.library).toEqual(['open', 'matchmaker', 'matchmaker', 'config']);
    expect(lost.close(1006).lastDial).toEqual({ resume: 'T1', received: 1 });
  });

  it('joins again when its place is gone, and the library notices nothing', () => {
    const lost = waiting().close(1006).open().close(4007);
    expect(lost.lastDial).toEqual({ resume: '1' });
    expect(lost.page.library).toEqual(['open', 'matchmaker']);
  });

  it('forgets its place when a server plays that resumes no sessions', () => {
    const { page } = waiting().receive(CONFIG).close(1006);
    expect(page.token).toBeUndefined();
    expect(page.library.at(-1)).toBe('close 1006');
  });

  it('sends no count: the services in front of the server count nothing', () => {
    const { pings } = waiting().wait(WAITING_INTERVAL);
    expect(pings).toEqual([{ type: 'ping', time: WAITING_INTERVAL }]);
  });
});

describe('the heartbeat', () => {
  it('acknowledges what was received, and is acknowledged', () => {
    const beating = playing().receive({ type: 'answer' }).wait(PLAYING_INTERVAL);
    expect(beating.pings).toEqual([{ type: 'ping', time: PLAYING_INTERVAL, received: 2 }]);
    beating.receive({ type: 'pong', time: PLAYING_INTERVAL, received: 1 });
    expect(beating.page.answers).toBe(1);
    expect(beating.page.library).toEqual(['open', 'config', 'answer']);
    beating.close(1006).open().receive({ type: 'session', resumed: true, received: 0 });
    expect(beating.page.library.at(-1)).toBe('close 4008'); // what the server had acknowledged
  });

  it('replaces a websocket that does not answer, without waiting for its close', () => {
    const silent = playing().wait(PLAYING_INTERVAL + ANSWER_TIMEOUT);
    expect(silent.lastDial).toEqual({ resume: 'T1', received: 1 });
    expect(silent.page.hungUp).toEqual([]);
  });

  it('keeps a websocket that answers', () => {
    const alive = playing().wait(PLAYING_INTERVAL).receive({ type: 'pong' }).wait(ANSWER_TIMEOUT);
    expect(alive.page.dials).toHaveLength(1);
  });

  it('is sent at once when something has happened to the network', () => {
    const moved = playing();
    moved.connection.hurry(moved.now);
    moved.connection.hurry(moved.now);
    expect(moved.pings).toHaveLength(1);
    moved.wait(ANSWER_TIMEOUT);
    expect(moved.lastDial).toEqual({ resume: 'T1', received: 1 });
  });

  it('makes a scheduled attempt at once when something has happened to the network', () => {
    const lost = playing().close(1006).close(1006);
    expect(lost.page.dials).toHaveLength(2);
    lost.connection.hurry(lost.now);
    expect(lost.page.dials).toHaveLength(3);
  });

  it('is not sent to a server of another make, whose heartbeat is the library', () => {
    const foreign = scene().receive(CONFIG).wait(60_000);
    foreign.connection.send('{"type":"ping","time":1}');
    foreign.receive({ type: 'pong', time: 1 });
    expect(foreign.page.sent).toEqual(['{"type":"ping","time":1}']);
    expect(foreign.page.library).toEqual(['open', 'config', 'pong']);
  });

  it("answers the library's own, also while the page is away", () => {
    const lost = playing().close(1006);
    lost.connection.send('{"type":"ping","time":7}');
    expect(lost.page.library).toEqual(['open', 'config', 'pong']);
    expect(lost.page.sent).toEqual(['{"type":"listStreamers"}']);
  });

  it("answers the server's", () => {
    const { page } = playing().receive({ type: 'ping', time: 3 });
    expect(page.sent.at(-1)).toBe('{"type":"pong","time":3}');
    expect(page.library).toEqual(['open', 'config']);
  });
});

describe('disconnect', () => {
  it('ends the session', () => {
    const { page, connection } = playing();
    connection.disconnect(1000, '');
    connection.disconnect(1000, '');
    expect(page.hungUp[0]).toBe(1000);
    expect(page.library.at(-1)).toBe('close 1000');
    expect(page.token).toBeUndefined();
    expect(connection.deadline).toBe(Infinity);
  });

  it('keeps the session for a new negotiation with its own code', () => {
    const left = playing();
    expect(left.connection.isResumable).toBe(true);
    left.connection.disconnect(4010, 'the path was lost');
    expect(left.page.hungUp[0]).toBe(4010);
    left.connect();
    expect(left.lastDial).toEqual({ resume: 'T1', fresh: true });
  });

  it('while away tells the page that it is no longer', () => {
    const lost = playing().close(1006);
    lost.connection.disconnect(1000, '');
    expect(lost.page.away).toEqual([true, false]);
  });
});
