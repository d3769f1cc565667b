import { Flags, type PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { KeyboardFocus } from '../src/element/keyboard_focus';

const KEY_W = 87;

interface Fixture {
  element: EventTarget;
  end: AbortController;
  released: number[];
  isOn: () => boolean;
}

function setUp(isWanted = true): Fixture {
  const flags = { [Flags.KeyboardInput]: isWanted };
  const released: number[] = [];
  const stream = {
    config: {
      isFlagEnabled: (): boolean => flags[Flags.KeyboardInput],
      setFlagEnabled: (_: string, on: boolean): void => {
        flags[Flags.KeyboardInput] = on;
      },
    },
    toStreamerHandlers: new Map([['KeyUp', ([code]: [number]): void => void released.push(code)]]),
  };
  const element = Object.assign(new EventTarget(), { contains: () => false });
  vi.stubGlobal('document', { activeElement: null });
  vi.stubGlobal('HTMLElement', EventTarget);
  const end = new AbortController();
  new KeyboardFocus(element as unknown as HTMLElement, stream as unknown as PixelStreaming, end.signal);
  return { element, end, released, isOn: () => flags[Flags.KeyboardInput] };
}

const press = (element: EventTarget, type: string, keyCode: number, fields: object = {}): void => {
  element.dispatchEvent(Object.assign(new Event(type), { keyCode, ...fields }));
};

describe('KeyboardFocus', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it('passes the keys on only while the element has the focus', () => {
    const { element, isOn } = setUp();
    expect(isOn()).toBe(false);
    element.dispatchEvent(new Event('focusin'));
    expect(isOn()).toBe(true);
    element.dispatchEvent(new Event('focusout'));
    expect(isOn()).toBe(false);
  });

  it('passes no keys on if the address turns them off', () => {
    const { element, isOn } = setUp(false);
    element.dispatchEvent(new Event('focusin'));
    expect(isOn()).toBe(false);
  });

  it('releases the keys that are held when the focus leaves', () => {
    const { element, released } = setUp();
    element.dispatchEvent(new Event('focusin'));
    press(element, 'keydown', KEY_W);
    press(element, 'keydown', KEY_W + 1);
    press(element, 'keyup', KEY_W + 1);
    element.dispatchEvent(new Event('focusout'));
    expect(released).toEqual([KEY_W]);
  });

  it('gives up the focus with the shortcut', () => {
    const { element, released } = setUp();
    const focused = Object.assign(new EventTarget(), { blur: vi.fn() });
    Object.assign(element, { contains: () => true });
    vi.stubGlobal('document', { activeElement: focused });
    press(element, 'keydown', 67, { code: 'KeyC', altKey: true, shiftKey: true, ctrlKey: false, metaKey: false });
    expect(focused.blur).toHaveBeenCalledTimes(1);
    element.dispatchEvent(new Event('focusout'));
    expect(released).toEqual([]);
  });

  it('ends with its signal', () => {
    const { element, end, isOn } = setUp();
    end.abort();
    element.dispatchEvent(new Event('focusin'));
    expect(isOn()).toBe(false);
  });
});
