/** One message to the streamer: a key that goes down or up (by its key code), or a character (by its UTF-16 code). */
export type KeyMessage =
  | { message: 'KeyDown'; values: [keyCode: number, repeat: 0] }
  | { message: 'KeyUp'; values: [keyCode: number] }
  | { message: 'KeyPress'; values: [code: number] };

const BACKSPACE = 8;
const ENTER = 13;

/**
 * The keys that turn the text `before` into `after` for somebody who types at its end.
 *
 * On-screen keyboards name no keys, and change whole words while they are being written: all that can be relied on
 * is what stands in the field.
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
    .map((unit) => (unit === '\n' ? key(ENTER) : press(unit.charCodeAt(0))));
  return [...removed, ...added].flat();
}

function key(code: number): readonly KeyMessage[] {
  return [{ message: 'KeyDown', values: [code, 0] }, ...press(code), { message: 'KeyUp', values: [code] }];
}

function press(code: number): readonly KeyMessage[] {
  return [{ message: 'KeyPress', values: [code] }];
}
