import { afterEach, describe, expect, it, vi } from 'vitest';
import { DEFAULT_TEXTS } from '../src/texts';
import { shortcutText } from '../src/view/shortcut';

const onDevice = (touchOnly: boolean): void => {
  vi.stubGlobal('window', { matchMedia: () => ({ matches: touchOnly }) });
};

describe('shortcutText', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it('names the shortcut on a device with a mouse', () => {
    onDevice(false);
    expect(shortcutText('panel.shortcut', DEFAULT_TEXTS)).toBe('Alt+Shift+C opens the controls, Escape closes them.');
    expect(shortcutText('page.stage', DEFAULT_TEXTS)).toContain('Alt+Shift+C');
  });

  it('names no key on a device without a keyboard', () => {
    onDevice(true);
    expect(shortcutText('panel.shortcut', DEFAULT_TEXTS)).toBeUndefined();
    expect(shortcutText('page.stage', DEFAULT_TEXTS)).toBe('Live stream. The controls are after it.');
    expect(shortcutText('playing.say', DEFAULT_TEXTS)).toBe('The stream is playing. The controls are after it.');
  });
});
