import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ActivityReporter } from '../src/limits/activity_reporter';

const INTERVAL = 10_000;

interface FakeGamepad {
  buttons: { pressed: boolean }[];
  axes: number[];
}

describe('ActivityReporter', () => {
  const send = vi.fn();
  let page: EventTarget & { hidden: boolean };
  let browser: EventTarget;
  let gamepads: (FakeGamepad | null)[];
  let reporter: ActivityReporter;

  const input = (type: string, details: object = {}): void => {
    browser.dispatchEvent(Object.assign(new Event(type), details));
  };

  beforeEach(() => {
    vi.useFakeTimers();
    browser = Object.assign(new EventTarget(), {
      setInterval: globalThis.setInterval,
      clearInterval: globalThis.clearInterval,
    });
    page = Object.assign(new EventTarget(), { hidden: false });
    gamepads = [null];
    vi.stubGlobal('window', browser);
    vi.stubGlobal('document', page);
    vi.stubGlobal('navigator', { getGamepads: () => gamepads });
    send.mockClear();
    reporter = new ActivityReporter(send);
  });

  afterEach(() => {
    reporter.stop();
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });

  it('reports nothing unless the server asks for it', () => {
    input('keydown');
    page.dispatchEvent(new Event('visibilitychange'));
    reporter.confirm();
    vi.advanceTimersByTime(INTERVAL);
    expect(send).not.toHaveBeenCalled();
  });

  it('reports the time since the last input at once when it starts', () => {
    vi.advanceTimersByTime(4_000);
    input('wheel');
    vi.advanceTimersByTime(2_500);
    reporter.start(INTERVAL);
    expect(send.mock.calls).toEqual([[{ idle: 2.5, hidden: false }]]);
  });

  it('reports at most once in an interval, and nothing without new input', () => {
    reporter.start(INTERVAL);
    vi.advanceTimersByTime(60_000);
    expect(send).toHaveBeenCalledTimes(1);
    for (let second = 0; second < 30; second += 1) {
      input('pointermove', { movementX: 1, movementY: 0 });
      vi.advanceTimersByTime(1_000);
    }
    expect(send).toHaveBeenCalledTimes(4);
    vi.advanceTimersByTime(60_000);
    expect(send).toHaveBeenCalledTimes(5); // the last input, after which there was none
    expect(send.mock.lastCall?.[0]).toMatchObject({ idle: 2 });
  });

  it('reports input during a warning at once, and once', () => {
    reporter.start(INTERVAL);
    reporter.expectInput();
    input('pointerdown');
    input('pointerdown');
    expect(send).toHaveBeenCalledTimes(2);
    expect(send).toHaveBeenLastCalledWith({ idle: 0, hidden: false });
  });

  it('does not take the move of a pointer at rest for input', () => {
    reporter.start(INTERVAL);
    reporter.expectInput();
    input('pointermove', { movementX: 0, movementY: 0 });
    expect(send).toHaveBeenCalledTimes(1);
  });

  it('reports a confirmation without an event of input', () => {
    reporter.start(INTERVAL);
    vi.advanceTimersByTime(5_000);
    reporter.confirm();
    expect(send).toHaveBeenLastCalledWith({ idle: 0, hidden: false });
  });

  it('reports at once that the tab is hidden, and that it is visible', () => {
    reporter.start(INTERVAL);
    for (const hidden of [true, false]) {
      page.hidden = hidden;
      page.dispatchEvent(new Event('visibilitychange'));
      expect(send.mock.lastCall?.[0]).toMatchObject({ hidden });
    }
  });

  it.each<[string, FakeGamepad, number]>([
    ['a pressed button', { buttons: [{ pressed: true }], axes: [0] }, 2],
    ['a moved stick', { buttons: [{ pressed: false }], axes: [0, -0.6] }, 2],
    ['a gamepad at rest', { buttons: [{ pressed: false }], axes: [0.06, -0.1] }, 1],
  ])('reads %s', (_, gamepad, reports) => {
    gamepads = [null, gamepad];
    reporter.start(INTERVAL);
    reporter.expectInput();
    vi.advanceTimersByTime(1_000);
    expect(send).toHaveBeenCalledTimes(reports);
  });

  it('reports nothing after the end', () => {
    reporter.start(INTERVAL);
    reporter.stop();
    input('keydown');
    reporter.confirm();
    vi.advanceTimersByTime(60_000);
    expect(send).toHaveBeenCalledTimes(1);
  });
});
