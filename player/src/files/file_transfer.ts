import type { SettingsHost } from '../settings/host';
import { settingsTexts, type SettingsTexts } from '../settings/texts';
import { interpolate } from '../texts';
import { element } from '../view/dom';
import { create, buttonField } from '../settings/fields';
import { accepts, fileMessages, parseFileRequest, type FileRequest } from './file_request';

/** The data that may wait in the data channel, in bytes: input must not wait behind a file for long. */
const MAX_BUFFERED = 64 * 1024;

/** How often a full data channel is asked again, in milliseconds. */
const RETRY_INTERVAL = 20;

/** Sends files to an application that asks for them: those dropped on the picture, and those of a file dialogue. */
export class FileTransfer {
  readonly #host: SettingsHost;
  readonly #texts: SettingsTexts;
  readonly #bar = create('div', 'glass file-request');
  readonly #text = create('p', '');
  readonly #input = create('input', '');
  #request: FileRequest | undefined;
  #files = 0;
  #isBusy = false;

  constructor(host: SettingsHost) {
    this.#host = host;
    this.#texts = settingsTexts(host.texts());
    this.#input.type = 'file';
    this.#input.hidden = true;
    this.#bar.id = 'file-request';
    this.#bar.hidden = true;
    this.#text.setAttribute('role', 'status');
    const choose = buttonField('file-choose', this.#texts['settings.files.choose'], () => {
      this.#input.click();
    });
    const close = buttonField('file-close', this.#texts['settings.files.close'], () => {
      this.#show(undefined);
    });
    this.#bar.append(this.#text, choose, close, this.#input);
    element('toast', HTMLElement).before(this.#bar);
    this.#listen();
  }

  /** Handles a response of the application. */
  receive(text: string): void {
    const request = parseFileRequest(text);
    if (request !== undefined) {
      this.#show(request === 'none' ? undefined : request);
    }
  }

  #listen(): void {
    this.#input.addEventListener('change', () => {
      void this.#send(this.#input.files?.[0]);
      this.#input.value = '';
    });
    const stage = element('stage', HTMLElement);
    stage.addEventListener('dragover', (event) => {
      if (this.#request !== undefined) {
        event.preventDefault(); // without it the browser would open the file in place of the page
      }
    });
    stage.addEventListener('drop', (event) => {
      if (this.#request !== undefined) {
        event.preventDefault();
        void this.#send(event.dataTransfer?.files[0]);
      }
    });
    // The keys of the page's own controls are not sent to the application.
    for (const type of ['keydown', 'keyup', 'keypress'] as const) {
      this.#bar.addEventListener(type, (event) => {
        event.stopPropagation();
      });
    }
    this.#host.stream.addEventListener('webRtcDisconnected', () => {
      this.#show(undefined); // the next connection may have another application
    });
  }

  #show(request: FileRequest | undefined): void {
    this.#request = request;
    this.#bar.hidden = request === undefined;
    if (request !== undefined) {
      this.#input.accept = request.types.join(',');
      this.#text.textContent = interpolate(this.#texts['settings.files.asked'], { size: megabytes(request.maxBytes) });
    }
  }

  async #send(file: File | undefined): Promise<void> {
    const request = this.#request;
    if (file === undefined || request === undefined || this.#isBusy) {
      return;
    }
    if (!accepts(request, file)) {
      this.#host.notify(this.#texts['settings.files.refused']);
      return;
    }
    this.#isBusy = true;
    this.#files += 1;
    try {
      const content = new Uint8Array(await file.arrayBuffer());
      for (const message of fileMessages(this.#files, file, content)) {
        await this.#ready(request);
        this.#host.stream.emitUIInteraction(message);
      }
      this.#host.notify(interpolate(this.#texts['settings.files.sent'], { name: file.name }));
    } catch {
      this.#host.notify(this.#texts['settings.files.failed']);
    } finally {
      this.#isBusy = false;
    }
  }

  /**
   * Waits until the data channel has room.
   *
   * @throws Error when the channel is closed, or the application accepts no more files
   */
  async #ready(request: FileRequest): Promise<void> {
    const channel = this.#host.stream.webRtcController.sendrecvDataChannelController.dataChannel;
    for (;;) {
      if (channel.readyState !== 'open' || this.#request !== request) {
        throw new Error('the application accepts no more files');
      }
      if (channel.bufferedAmount <= MAX_BUFFERED) {
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_INTERVAL));
    }
  }
}

function megabytes(bytes: number): string {
  return `${String(Math.max(0.1, Math.round(bytes / 100_000) / 10))} MB`;
}
