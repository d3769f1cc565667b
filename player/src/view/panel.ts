import { Flags, type PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import type { ApplicationChannel } from '../connection/application_channel';
import type { Media, Quality, StreamPlayer } from '../core';
import type { State } from '../state';
import type { StreamStats } from '../stats';
import type { Texts } from '../texts';
import { element, updateList, setText } from './dom';
import { latencyText, statsRows } from './stats_rows';
import { shortcutText } from './shortcut';
import { SidePanel } from './side_panel';

/** How long a latency test waits for the application, in milliseconds. */
const LATENCY_TIMEOUT = 5_000;

/** The panel with quality settings and statistics. */
export class Panel {
  readonly #panel: SidePanel;
  readonly #health = element('panel-health', HTMLElement);
  readonly #statsList = element('panel-stats', HTMLElement);
  readonly #latency = element('panel-latency', HTMLButtonElement);
  readonly #latencyResult = element('panel-latency-result', HTMLElement);
  readonly #stream: PixelStreaming;
  readonly #channel: Pick<ApplicationChannel, 'testLatency'>;
  readonly #media: Media;
  #texts: Texts;
  #stats: StreamStats | undefined;
  #playingSince: number | undefined;
  #latencyTimer: number | undefined;
  #gamepad: string | undefined;

  /**
   * @param core - what plays
   * @param onOpen - called when the panel opens, in the place of which another panel may be
   */
  constructor(texts: Texts, core: Pick<StreamPlayer, 'stream' | 'channel' | 'media'>, onOpen: () => void) {
    const { stream, channel, media } = core;
    this.#texts = texts;
    this.#stream = stream;
    this.#channel = channel;
    this.#media = media;
    this.#panel = new SidePanel('panel', (open) => {
      if (open) {
        onOpen();
      }
      this.#draw();
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
    return this.#panel.open;
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
    this.#panel.close();
  }

  /** Hides the panel, without a change of the focus: another one takes its place. */
  hide(): void {
    this.#panel.hide();
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
    quality.addEventListener('change', () => {
      this.#media.setQuality(quality.value as Quality); // the options of index.html are the names of the qualities
    });
    const match = element('panel-match', HTMLInputElement);
    match.checked = config.isFlagEnabled(Flags.MatchViewportResolution);
    match.addEventListener('change', () => {
      config.setFlagEnabled(Flags.MatchViewportResolution, match.checked);
    });
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
