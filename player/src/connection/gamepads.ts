/** Whether the page may read gamepads: a frame needs a permission of the embedding page, and the browser throws. */
export function mayReadGamepads(): boolean {
  try {
    navigator.getGamepads();
    return true;
  } catch {
    return false;
  }
}
