/** The keyboard shortcut that leaves the stream. The application receives all other keys. */
export const SHORTCUT = 'Alt+Shift+C';

/** Whether an event is the shortcut; compares the physical key, since Alt changes the character. */
export function isShortcut(
  event: Pick<KeyboardEvent, 'code' | 'altKey' | 'shiftKey' | 'ctrlKey' | 'metaKey'>,
): boolean {
  return event.code === 'KeyC' && event.altKey && event.shiftKey && !event.ctrlKey && !event.metaKey;
}
