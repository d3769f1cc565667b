import { PressedKeys } from '../input/pressed_keys';
import { element } from './dom';
import { isShortcut } from './shortcut';

/** The parts of the page whose keys are their own. */
const OURS = ['overlay', 'panel', 'dock', 'text-entry', 'unmute'] as const;

/** Keeps keys that are meant for the page's own controls from the application, which listens on the document. */
export function captureControlKeys(): void {
  const parts = OURS.map((id) => element(id, HTMLElement));
  const owners = new PressedKeys();
  const options = { capture: true };
  window.addEventListener(
    'keydown',
    (event) => {
      const focused = parts.some((part) => event.target instanceof Node && part.contains(event.target));
      owners.down(event.code, focused || isShortcut(event));
    },
    options,
  );
  window.addEventListener(
    'keyup',
    (event) => {
      if (owners.up(event.code)) {
        event.stopPropagation();
      }
    },
    options,
  );
  window.addEventListener('blur', () => {
    owners.forget();
  });
  for (const part of parts) {
    for (const type of ['keydown', 'keypress'] as const) {
      part.addEventListener(type, (event) => {
        event.stopPropagation();
      });
    }
  }
}
