/** How the keys are called that lead out of the application, which takes all others. */
export const SHORTCUT = 'Alt+Shift+C';

/** Whether a key is that one, by its place on the keyboard: the character differs with Alt. */
export function isShortcut(event: Pick<KeyboardEvent, 'code' | 'altKey' | 'shiftKey' | 'ctrlKey' | 'metaKey'>): boolean {
  return event.code === 'KeyC' && event.altKey && event.shiftKey && !event.ctrlKey && !event.metaKey;
}
