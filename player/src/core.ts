/**
 * The player without a user interface: session, state, events and settings. The page is built on it, and the npm
 * package publishes it. It imports nothing of the page (tests/core.test.ts).
 */
export { initialSettings, settingsToKeep } from './connection/settings';
export { IS_SUPPORTED } from './connection/support';
export { signallingUrl } from './connection/url';
export { isQuality, type Media, type Quality } from './core/media';
export { openPlayer } from './core/open_player';
export type { PlayerEvents } from './core/player_events';
export { StreamPlayer, type StreamPlayerOptions } from './core/stream_player';
export {
  hasPlayed,
  hasStreamer,
  type EndCause,
  type EndDetails,
  type Phase,
  type State,
  type WaitCause,
  type Warning,
} from './state';
export type { Health, StreamStats } from './stats';
