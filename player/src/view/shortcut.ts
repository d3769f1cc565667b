import { SHORTCUT } from '../input/shortcut';
import { interpolate, type Texts } from '../texts';

export { isShortcut } from '../input/shortcut';

/** Matches a device whose only pointer is a finger, such as a phone: it most likely has no keyboard. */
const TOUCH_ONLY = '(hover: none) and (pointer: coarse)';

/** The texts that name the shortcut, for the keyboard, and those that replace them on a device without one. */
const TOUCH_TEXTS = {
  'page.stage': 'page.stage.touch',
  'playing.say': 'playing.say.touch',
  'panel.shortcut': undefined,
} as const;

/** Returns a text that names the shortcut, or the text that replaces it on a touch screen; undefined for none. */
export function shortcutText(key: keyof typeof TOUCH_TEXTS, texts: Texts): string | undefined {
  if (!window.matchMedia(TOUCH_ONLY).matches) {
    return interpolate(texts[key], { shortcut: SHORTCUT });
  }
  const replacement = TOUCH_TEXTS[key];
  return replacement === undefined ? undefined : texts[replacement];
}
