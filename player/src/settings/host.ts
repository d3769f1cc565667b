import type { AllSettings, OptionIds, PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import type { Texts } from '../texts';

/** What the settings panel and the file transfer use of the page. */
export interface SettingsHost {
  readonly stream: PixelStreaming;
  /** The present texts, with those of `branding.json`. */
  texts(): Texts;
  /** Applies a setting of the library, also to later connections. */
  choose<Id extends OptionIds>(id: Id, value: AllSettings[Id]): void;
  /** Negotiates anew, for a setting that only a negotiation applies. */
  renegotiate(): void;
  /** Shows a short notice over the video. */
  notify(text: string): void;
}
