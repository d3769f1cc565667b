import {
  isNumericId,
  type AllSettings,
  type OptionIds,
  type PixelStreaming,
} from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';

/**
 * Keeps the settings that the user or the page's URL has chosen. A streamer sends its own initial settings with each
 * connection, and the library replaces the present ones with them.
 */
export class KeptSettings {
  readonly #stream: PixelStreaming;
  readonly #kept: Partial<AllSettings>;
  #isStreamers = false;

  /** @param kept - the choices of the URL */
  constructor(stream: PixelStreaming, kept: Partial<AllSettings>) {
    this.#stream = stream;
    this.#kept = { ...kept };
    stream.addEventListener('initialSettings', () => {
      this.#isStreamers = true;
      // The library applies the streamer's settings after this event, before any other task.
      queueMicrotask(() => {
        this.#isStreamers = false;
        stream.config.setSettings({ ...this.#kept });
      });
    });
    stream.addEventListener('settingsChanged', ({ data: { id, value } }) => {
      // Scripts and the embedding page change numbers too. No other event changes them than the user's choices.
      if (!this.#isStreamers && isNumericId(id)) {
        this.#kept[id] = Number(value);
      }
    });
  }

  /** Applies a choice of the user, and keeps it. */
  choose<Id extends OptionIds>(id: Id, value: AllSettings[Id]): void {
    this.#kept[id] = value;
    this.#stream.config.setSettings({ [id]: value });
  }
}
