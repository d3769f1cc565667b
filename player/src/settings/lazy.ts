import type { FileTransfer } from '../files/file_transfer';
import { element } from '../view/dom';
import type { SettingsHost } from './host';
import type { SettingsPanel } from './panel';

/** The name under which the page registers for requests of the application. */
const LISTENER = 'pixelfleet-files';

/** Loads the parts of the page that most visits do not need, when they are first used. */
export class LazyParts {
  readonly #host: SettingsHost;
  readonly #button = element('panel-button', HTMLButtonElement);
  #panel: Promise<SettingsPanel | undefined> | undefined;
  #files: Promise<FileTransfer | undefined> | undefined;

  constructor(host: SettingsHost) {
    this.#host = host;
    // The pointer is there some time before its click.
    for (const event of ['pointerenter', 'focus'] as const) {
      this.#button.addEventListener(event, () => void this.#loadPanel());
    }
    this.#button.addEventListener('click', () => {
      void this.#loadPanel().then((panel) => panel?.refresh());
    });
    host.stream.addResponseEventListener(LISTENER, (text) => {
      if (text.includes('"pixelfleet"')) {
        void this.#loadFiles().then((files) => files?.receive(text));
      }
    });
  }

  #loadPanel(): Promise<SettingsPanel | undefined> {
    this.#panel ??= this.#load(async () => new (await import('./panel')).SettingsPanel(this.#host));
    return this.#panel;
  }

  #loadFiles(): Promise<FileTransfer | undefined> {
    this.#files ??= this.#load(async () => new (await import('../files/file_transfer')).FileTransfer(this.#host));
    return this.#files;
  }

  /** Loads a part; a server that has another version of the page by now does not have its file. */
  async #load<Part>(part: () => Promise<Part>): Promise<Part | undefined> {
    try {
      return await part();
    } catch {
      this.#host.notify(this.#host.texts()['panel.unavailable']);
      return undefined;
    }
  }
}
