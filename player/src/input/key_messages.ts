/** A message to the streamer: a key press or release (by its key code), or a character (by its UTF-16 code unit). */
export type KeyMessage =
  | { message: 'KeyDown'; values: [keyCode: number, repeat: 0] }
  | { message: 'KeyUp'; values: [keyCode: number] }
  | { message: 'KeyPress'; values: [code: number] };

const BACKSPACE = 8;
const ENTER = 13;

/**
 * The messages that turn the text `before` into `after`, with the cursor at the end.
 *
 * On-screen keyboards report no key codes and replace whole words while the user types. Only the field's content is
 * reliable.
 */
export function keyMessagesForEdit(before: string, after: string): readonly KeyMessage[] {
  let common = 0;
  while (common < before.length && before.charCodeAt(common) === after.charCodeAt(common)) {
    common += 1;
  }
  const removed = Array.from({ length: before.length - common }, () => key(BACKSPACE));
  const added = after
    .slice(common)
    .split('')
    .map((unit) => (unit === '\n' ? key(ENTER) : character(unit.charCodeAt(0))));
  return [...removed, ...added].flat();
}

function key(code: number): readonly KeyMessage[] {
  return [{ message: 'KeyDown', values: [code, 0] }, ...character(code), { message: 'KeyUp', values: [code] }];
}

function character(code: number): readonly KeyMessage[] {
  return [{ message: 'KeyPress', values: [code] }];
}
