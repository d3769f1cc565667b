import { interpolate, type Texts } from '../texts';

/** The keyboard shortcut to the controls. The application receives all other keys. */
export const SHORTCUT = 'Alt+Shift+C';

/** Matches a device whose only pointer is a finger, such as a phone: it most likely has no keyboard. */
const TOUCH_ONLY = '(hover: none) and (pointer: coarse)';

/** Whether an event is the shortcut; compares the physical key, since Alt changes the character. */
export function isShortcut(
  event: Pick<KeyboardEvent, 'code' | 'altKey' | 'shiftKey' | 'ctrlKey' | 'metaKey'>,
): boolean {
  return event.code === 'KeyC' && event.altKey && event.shiftKey && !event.ctrlKey && !event.metaKey;
}

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
