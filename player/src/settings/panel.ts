import type { AggregatedStats } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { CaptureDevices } from '../connection/capture_devices';
import { KeyboardLock } from '../input/keyboard_lock';
import { element } from '../view/dom';
import { captureSwitch, deviceFields, monoSwitch } from './devices';
import { create, group } from './fields';
import { allFigures, drawFigures } from './figures';
import type { SettingsHost } from './host';
import { GamepadState, inputFields, mouseField } from './input';
import { pictureFields } from './picture';
import { settingsTexts, type SettingsTexts } from './texts';
import { toolButtons } from './tools';
import { volumeField } from './volume';

/** How often the state of gamepads is drawn while it is shown, in milliseconds. */
const GAMEPAD_INTERVAL = 200;

/** The fields of the panel that load when it is first opened: three beside the quality, and folded groups. */
export class SettingsPanel {
  readonly #host: SettingsHost;
  readonly #texts: SettingsTexts;
  readonly #main = element('panel-main', HTMLElement);
  readonly #picture = element('panel-picture', HTMLElement);
  readonly #statistics = element('panel-statistics', HTMLDetailsElement);
  readonly #figures = create('div', 'all-figures');
  readonly #gamepads: GamepadState;
  readonly #lock = new KeyboardLock();
  readonly #devices: CaptureDevices | undefined;

  constructor(host: SettingsHost) {
    this.#host = host;
    this.#texts = settingsTexts(host.texts());
    this.#gamepads = new GamepadState(this.#texts);
    // Undefined on a page that was loaded over plain http.
    const devices = (navigator as { mediaDevices?: MediaDevices }).mediaDevices;
    this.#devices = devices === undefined ? undefined : new CaptureDevices(devices);
    this.#addGroups();
    host.stream.addEventListener('statsReceived', ({ data }) => {
      this.#drawFigures(data.aggregatedStats);
    });
    window.setInterval(() => {
      if (this.#gamepads.root.parentElement?.checkVisibility() === true) {
        this.#gamepads.draw();
      }
    }, GAMEPAD_INTERVAL);
  }

  /** Reads the present values: those of the streamer and of scripts may have changed. */
  refresh(): void {
    const microphone = this.#host.texts()['panel.microphone'];
    const refused = this.#texts['settings.device.refused'];
    const capture = (kind: 'audio' | 'video', label: string): readonly HTMLElement[] =>
      this.#devices === undefined ? [] : [captureSwitch(this.#host, this.#devices, kind, label, refused)];
    this.#main.replaceChildren(volumeField(this.#host), mouseField(this.#host), ...capture('audio', microphone));
    this.#picture.replaceChildren(...pictureFields(this.#host, this.#texts));
    const body = element('panel-devices-body', HTMLElement);
    const choices = create('div', 'fields');
    const camera = capture('video', this.#texts['settings.camera']);
    body.replaceChildren(...camera, choices, monoSwitch(this.#host, this.#texts));
    if (this.#devices !== undefined) {
      void deviceFields(this.#host, this.#devices, this.#texts).then((fields) => {
        choices.replaceChildren(...fields);
      });
    }
    element('panel-input-body', HTMLElement).replaceChildren(
      ...inputFields(this.#host, this.#lock, this.#texts),
      this.#gamepads.root,
    );
    this.#gamepads.draw();
  }

  #addGroups(): void {
    const groups = [
      ['devices', 'settings.devices'],
      ['input', 'settings.input'],
      ['tools', 'settings.tools'],
    ] as const;
    for (const [name, title] of groups) {
      const { root, body } = group(`panel-${name}`, this.#texts[title]);
      body.id = `panel-${name}-body`;
      this.#statistics.before(root);
    }
    const tools = element('panel-tools-body', HTMLElement);
    tools.classList.add('buttons');
    tools.append(...toolButtons(this.#host, this.#texts));
    const figures = group('panel-figures', this.#texts['settings.figures']);
    figures.body.append(this.#figures);
    this.#statistics.after(figures.root);
  }

  #drawFigures(stats: AggregatedStats): void {
    if (this.#figures.checkVisibility()) {
      drawFigures(this.#figures, allFigures(stats));
    }
  }
}
