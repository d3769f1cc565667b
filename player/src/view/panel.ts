import { Flags, NumericParameters, type PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import type { ApplicationChannel } from '../connection/application_channel';
import type { State } from '../state';
import type { StreamStats } from '../stats';
import type { Texts } from '../texts';
import { element, updateList, setText } from './dom';
import { latencyText, statsRows } from './stats_rows';
import { shortcutText } from './shortcut';

/** The maximum bitrate of each selectable quality, in kbit/s. */
const QUALITIES: Readonly<Record<string, number>> = { high: 20_000, medium: 8_000, low: 2_000 };

/** How long a latency test waits for the application, in milliseconds. */
const LATENCY_TIMEOUT = 5_000;

/** The panel with quality settings and statistics. */
export class Panel {
  readonly #panel = element('panel', HTMLElement);
  readonly #button = element('panel-button', HTMLButtonElement);
  readonly #health = element('panel-health', HTMLElement);
  readonly #statsList = element('panel-stats', HTMLElement);
  readonly #latency = element('panel-latency', HTMLButtonElement);
  readonly #latencyResult = element('panel-latency-result', HTMLElement);
  readonly #stream: PixelStreaming;
  readonly #channel: Pick<ApplicationChannel, 'testLatency'>;
  readonly #onOpen: () => void;
  #texts: Texts;
  #stats: StreamStats | undefined;
  #playingSince: number | undefined;
  #latencyTimer: number | undefined;
  #gamepad: string | undefined;

  /** @param onOpen - called when the panel opens, in the place of which another panel may be */
  constructor(
    texts: Texts,
    stream: PixelStreaming,
    channel: Pick<ApplicationChannel, 'testLatency'>,
    onOpen: () => void,
  ) {
    this.#texts = texts;
    this.#stream = stream;
    this.#channel = channel;
    this.#onOpen = onOpen;
    this.#button.addEventListener('click', () => {
      this.#setOpen(!this.open);
    });
    element('panel-close', HTMLButtonElement).addEventListener('click', () => {
      this.#setOpen(false);
    });
    this.#panel.addEventListener('keydown', ({ key }) => {
      if (key === 'Escape') {
        this.#setOpen(false);
      }
    });
    this.#latency.addEventListener('click', () => {
      this.testLatency();
    });
    stream.addEventListener('latencyTestResult', ({ data: { latencyTimings } }) => {
      const { networkLatency, EncodeMs, CaptureToSendMs } = latencyTimings;
      const total = networkLatency + CaptureToSendMs;
      this.#showLatency(latencyText({ network: networkLatency, encode: EncodeMs, total }, this.#texts));
    });
    this.#initSettings();
  }

  get open(): boolean {
    return !this.#panel.hidden;
  }

  setTexts(texts: Texts): void {
    this.#texts = texts;
    setText(element('panel-shortcut', HTMLElement), shortcutText('panel.shortcut', texts));
    this.#draw();
  }

  show(state: State): void {
    if (state.phase === 'playing') {
      this.#playingSince ??= performance.now();
      return;
    }
    this.#playingSince = undefined;
    this.#stats = undefined;
    if (this.open) {
      this.#setOpen(false);
    }
  }

  /** Hides the panel, without a change of the focus: another one takes its place. */
  hide(): void {
    if (this.open) {
      this.#panel.hidden = true;
      this.#button.setAttribute('aria-expanded', 'false');
    }
  }

  setStats(stats: StreamStats): void {
    this.#stats = stats;
    this.#draw();
  }

  /** @param id - the gamepad's id; undefined when none is connected */
  setGamepad(id: string | undefined): void {
    this.#gamepad = id;
    this.#draw();
  }

  /** Starts a latency test; returns whether its request was sent. */
  testLatency(): boolean {
    if (!this.#channel.testLatency()) {
      this.#showLatency(this.#texts['panel.latency.unsent']);
      return false;
    }
    setText(this.#latencyResult, this.#texts['panel.latency.testing']);
    window.clearTimeout(this.#latencyTimer);
    this.#latencyTimer = window.setTimeout(() => {
      this.#showLatency(this.#texts['panel.latency.none']);
    }, LATENCY_TIMEOUT);
    return true;
  }

  #showLatency(text: string): void {
    window.clearTimeout(this.#latencyTimer);
    setText(this.#latencyResult, text);
  }

  #initSettings(): void {
    const { config } = this.#stream;
    const quality = element('panel-quality', HTMLSelectElement);
    const unlimited = config.getNumericSettingValue(NumericParameters.WebRTCMaxBitrate);
    quality.addEventListener('change', () => {
      config.setNumericSetting(NumericParameters.WebRTCMaxBitrate, QUALITIES[quality.value] ?? unlimited);
    });
    const match = element('panel-match', HTMLInputElement);
    match.checked = config.isFlagEnabled(Flags.MatchViewportResolution);
    match.addEventListener('change', () => {
      config.setFlagEnabled(Flags.MatchViewportResolution, match.checked);
    });
  }

  #setOpen(open: boolean): void {
    if (open) {
      this.#onOpen();
    }
    this.#panel.hidden = !open;
    this.#button.setAttribute('aria-expanded', String(open));
    this.#draw();
    if (open) {
      this.#panel.focus({ preventScroll: true });
    } else if (!element('dock', HTMLElement).hidden) {
      this.#button.focus({ preventScroll: true });
    }
  }

  #draw(): void {
    if (!this.open) {
      return;
    }
    const health = this.#stats?.health ?? 'unknown';
    this.#health.dataset['health'] = health;
    setText(this.#health, this.#texts[`panel.health.${health}`]);
    const seconds = this.#playingSince === undefined ? 0 : (performance.now() - this.#playingSince) / 1000;
    updateList(this.#statsList, statsRows(this.#stats, seconds, this.#gamepad, this.#texts));
  }
}
