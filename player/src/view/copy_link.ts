/** Copies a text; returns whether that worked. It must be called by a click. */
export async function copyText(text: string): Promise<boolean> {
  try {
    // Undefined on a page that was loaded over plain http, and rejected in a frame without the permission.
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

/** The way that also works over plain http: selects the text in a hidden field and runs the browser's command. */
function copyBySelection(text: string): boolean {
  const focused = document.activeElement;
  const field = document.createElement('textarea');
  field.className = 'visually-hidden';
  field.value = text;
  document.body.append(field);
  field.select();
  try {
    return document.execCommand('copy'); // eslint-disable-line @typescript-eslint/no-deprecated -- nothing replaces it
  } catch {
    return false;
  } finally {
    field.remove();
    if (focused instanceof HTMLElement) {
      focused.focus({ preventScroll: true });
    }
  }
}
