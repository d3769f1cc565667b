import { Flags, type FlagsIds } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { mayReadGamepads } from '../connection/gamepads';
import { canLockKeyboard, type KeyboardLock } from '../input/keyboard_lock';
import { interpolate } from '../texts';
import { create, flagField, selectField } from './fields';
import type { SettingsHost } from './host';
import type { SettingsTextKey, SettingsTexts } from './texts';

const SWITCHES: readonly (readonly [id: FlagsIds, text: SettingsTextKey])[] = [
  [Flags.KeyboardInput, 'settings.keyboard'],
  [Flags.SuppressBrowserKeys, 'settings.browser-keys'],
  [Flags.MouseInput, 'settings.mouse-input'],
  [Flags.TouchInput, 'settings.touch'],
  [Flags.FakeMouseWithTouches, 'settings.touch-mouse'],
  [Flags.GamepadInput, 'settings.gamepad'],
  [Flags.XRControllerInput, 'settings.xr'],
];

/** Whether the mouse moves over the picture, or is captured and moves the application's own pointer. */
export function mouseField(host: SettingsHost): HTMLElement {
  const texts = host.texts();
  const modes = [['hover', texts['panel.mouse.hover']] as const, ['locked', texts['panel.mouse.locked']] as const];
  const present = host.stream.config.isFlagEnabled(Flags.HoveringMouseMode) ? 'hover' : 'locked';
  return selectField('setting-HoveringMouse', texts['panel.mouse'], modes, present, (mode) => {
    host.choose(Flags.HoveringMouseMode, mode === 'hover');
  });
}

export function inputFields(host: SettingsHost, lock: KeyboardLock, texts: SettingsTexts): readonly HTMLElement[] {
  const { config } = host.stream;
  const switches = SWITCHES.filter(([id]) => id !== Flags.GamepadInput || mayReadGamepads()).map(([id, text]) =>
    flagField(`setting-${id}`, texts[text], config.isFlagEnabled(id), (on) => {
      host.choose(id, on);
    }),
  );
  if (canLockKeyboard()) {
    const allKeys = flagField('setting-all-keys', texts['settings.all-keys'], lock.isOn, (on) => {
      lock.isOn = on;
    });
    switches.splice(2, 0, allKeys);
  }
  return switches;
}

/** Lines with the pressed buttons and the axes of each gamepad. */
export class GamepadState {
  readonly root = create('p', 'gamepads');
  readonly #texts: SettingsTexts;

  constructor(texts: SettingsTexts) {
    this.root.id = 'setting-gamepads';
    this.#texts = texts;
  }

  draw(): void {
    const gamepads = mayReadGamepads() ? navigator.getGamepads().filter((gamepad) => gamepad !== null) : [];
    const text = gamepads.map((gamepad) => this.#line(gamepad)).join('\n');
    if (this.root.textContent !== text) {
      this.root.textContent = text;
    }
    this.root.hidden = gamepads.length === 0;
  }

  #line({ id, buttons, axes }: Pick<Gamepad, 'id' | 'buttons' | 'axes'>): string {
    const pressed = buttons.flatMap((button, index) => (button.pressed ? [index] : []));
    return interpolate(this.#texts['settings.gamepad.state'], {
      name: id,
      buttons: pressed.length === 0 ? this.#texts['settings.gamepad.idle'] : pressed.join(', '),
      axes: axes.map((axis) => axis.toFixed(1)).join(', '),
    });
  }
}
