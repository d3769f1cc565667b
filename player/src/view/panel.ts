import { Flags, NumericParameters, type PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import type { State } from '../state';
import type { StreamStats } from '../stats';
import { interpolate, type Texts } from '../texts';
import { element, updateList, setText } from './dom';
import { latencyText, statsRows } from './stats_rows';
import { SHORTCUT } from './shortcut';

/** The highest bit rate of each quality that a person can choose, in kbit/s. */
const QUALITIES: Readonly<Record<string, number>> = { high: 20_000, medium: 8_000, low: 2_000 };

/** How long an application is waited for in a latency test, in milliseconds. */
const LATENCY_TIMEOUT = 5_000;

/** Quality and statistics, in a panel beside the picture. */
export class Panel {
  readonly #panel = element('panel', HTMLElement);
  readonly #button = element('panel-button', HTMLButtonElement);
  readonly #health = element('panel-health', HTMLElement);
  readonly #figuresList = element('panel-figures', HTMLElement);
  readonly #latency = element('panel-latency', HTMLButtonElement);
  readonly #latencyResult = element('panel-latency-result', HTMLElement);
  readonly #stream: PixelStreaming;
  #texts: Texts;
  #figures: StreamStats | undefined;
  #playingSince: number | undefined;
  #latencyTimer: number | undefined;
  #gamepad: string | undefined;

  constructor(texts: Texts, stream: PixelStreaming) {
    this.#texts = texts;
    this.#stream = stream;
    this.#button.addEventListener('click', () => {
      this.#turn(!this.open);
    });
    element('panel-close', HTMLButtonElement).addEventListener('click', () => {
      this.#turn(false);
    });
    this.#panel.addEventListener('keydown', ({ key }) => {
      if (key === 'Escape') {
        this.#turn(false);
      }
    });
    this.#latency.addEventListener('click', () => {
      this.testLatency();
    });
    stream.addEventListener('latencyTestResult', ({ data: { latencyTimings } }) => {
      const { networkLatency, EncodeMs, CaptureToSendMs } = latencyTimings;
      const total = networkLatency + CaptureToSendMs;
      this.#tested(latencyText({ network: networkLatency, encode: EncodeMs, total }, this.#texts));
    });
    this.#settings();
  }

  get open(): boolean {
    return !this.#panel.hidden;
  }

  setTexts(texts: Texts): void {
    this.#texts = texts;
    setText(element('panel-shortcut', HTMLElement), interpolate(texts['panel.shortcut'], { shortcut: SHORTCUT }));
    this.#draw();
  }

  show(state: State): void {
    if (state.phase === 'playing') {
      this.#playingSince ??= performance.now();
      return;
    }
    this.#playingSince = undefined;
    this.#figures = undefined;
    if (this.open) {
      this.#turn(false);
    }
  }

  stats(figures: StreamStats): void {
    this.#figures = figures;
    this.#draw();
  }

  /** @param id - how the gamepad calls itself; undefined when it is gone */
  gamepad(id: string | undefined): void {
    this.#gamepad = id;
    this.#draw();
  }

  /** Asks the application how long it takes; false while there is none to ask. */
  testLatency(): boolean {
    if (!this.#stream.requestLatencyTest()) {
      return false;
    }
    setText(this.#latencyResult, this.#texts['panel.latency.testing']);
    window.clearTimeout(this.#latencyTimer);
    this.#latencyTimer = window.setTimeout(() => {
      this.#tested(this.#texts['panel.latency.none']);
    }, LATENCY_TIMEOUT);
    return true;
  }

  #tested(words: string): void {
    window.clearTimeout(this.#latencyTimer);
    setText(this.#latencyResult, words);
  }

  #settings(): void {
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

  #turn(open: boolean): void {
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
    const health = this.#figures?.health ?? 'unknown';
    this.#health.dataset['health'] = health;
    setText(this.#health, this.#texts[`panel.health.${health}`]);
    const seconds = this.#playingSince === undefined ? 0 : (performance.now() - this.#playingSince) / 1000;
    updateList(this.#figuresList, statsRows(this.#figures, seconds, this.#gamepad, this.#texts));
  }
}
