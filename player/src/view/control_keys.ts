import { PressedKeys } from '../input/pressed_keys';
import { element } from './dom';
import { isShortcut } from './shortcut';

/** The parts of the page that handle their keys themselves. */
const CONTROLS = ['overlay', 'panel', 'people', 'dock', 'text-entry', 'unmute', 'countdown'] as const;

/** Keeps the keys of the page's own controls from the application, whose listeners are on the document. */
export function captureControlKeys(): void {
  const parts = CONTROLS.map((id) => element(id, HTMLElement));
  const pressed = new PressedKeys();
  const options = { capture: true };
  window.addEventListener(
    'keydown',
    (event) => {
      const focused = parts.some((part) => event.target instanceof Node && part.contains(event.target));
      pressed.down(event.code, focused || isShortcut(event));
    },
    options,
  );
  window.addEventListener(
    'keyup',
    (event) => {
      if (pressed.up(event.code)) {
        event.stopPropagation();
      }
    },
    options,
  );
  window.addEventListener('blur', () => {
    pressed.clear();
  });
  for (const part of parts) {
    for (const type of ['keydown', 'keypress'] as const) {
      part.addEventListener(type, (event) => {
        event.stopPropagation();
      });
    }
  }
}
