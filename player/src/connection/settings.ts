import type { AllSettings } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { mayReadGamepads } from './gamepads';

/** Flags of the library that URL parameters may set, as `?Name` or `?Name=true|false`. */
const URL_FLAGS = [
  'BrowserSendOffer',
  'ControlsQuality',
  'FakeMouseWithTouches',
  'ForceMonoAudio',
  'ForceTURN',
  'GamepadInput',
  'HoveringMouse',
  'KeyboardInput',
  'MatchViewportRes',
  'MouseInput',
  'StartVideoMuted',
  'SuppressBrowserKeys',
  'TouchInput',
  'UseCamera',
  'UseMic',
] as const satisfies readonly (keyof AllSettings)[];

/** Numbers of the library that URL parameters may set, each with its lowest and highest value. */
const URL_NUMBERS = {
  ViewportResScale: [0.1, 3],
  WebRTCMaxBitrate: [0, 500_000],
  WebRTCMinBitrate: [0, 500_000],
} as const satisfies Partial<Record<keyof AllSettings, readonly [number, number]>>;

/**
 * The initial settings of the library: those of this page, and those of the URL parameters.
 *
 * The library's own `useUrlParams` is not used: it would also take the server's address from the URL (`?ss=`), and
 * write each changed setting back into the URL. That includes the streamer's id, so a reload would request that
 * streamer only.
 *
 * @param url - the URL of the server, ws or wss
 * @param query - the query of the page's own URL
 */
export function initialSettings(url: string, query: URLSearchParams): Partial<AllSettings> {
  return {
    HoveringMouse: true,
    StartVideoMuted: true,
    ...flagsFrom(query),
    ...numbersFrom(query),
    ss: url,
    // Without the permission the library would throw an error at each negotiation.
    ...(!mayReadGamepads() && { GamepadInput: false }),
    // The page connects once all listeners are registered.
    AutoConnect: false,
    AutoPlayVideo: true,
    // The session reconnects, with a backoff that depends on the close code.
    MaxReconnectAttempts: 0,
    // After a reconnect the server may list another streamer than before.
    WaitForStreamer: false,
  };
}

function flagsFrom(query: URLSearchParams): Partial<AllSettings> {
  const flags: Partial<AllSettings> = {};
  for (const name of URL_FLAGS) {
    const value = findParameter(query, name);
    if (value !== undefined) {
      flags[name] = value.toLowerCase() !== 'false';
    }
  }
  return flags;
}

function numbersFrom(query: URLSearchParams): Partial<AllSettings> {
  const numbers: Partial<AllSettings> = {};
  for (const [name, [lowest, highest]] of Object.entries(URL_NUMBERS)) {
    const text = findParameter(query, name);
    const value = Number(text);
    if (text !== undefined && text !== '' && value >= lowest && value <= highest) {
      numbers[name as keyof typeof URL_NUMBERS] = value;
    }
  }
  return numbers;
}

/** Finds a parameter regardless of case, as the library does. */
function findParameter(query: URLSearchParams, name: string): string | undefined {
  for (const [key, value] of query) {
    if (key.toLowerCase() === name.toLowerCase()) {
      return value;
    }
  }
  return undefined;
}
