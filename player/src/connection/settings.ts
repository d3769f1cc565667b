import type { AllSettings } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { mayReadGamepads } from './gamepads';

/** Flags of the library that URL parameters may set, as `?Name` or `?Name=true|false`. */
export const URL_FLAGS = [
  'AutoEnterVR',
  'BrowserSendOffer',
  'ControlsQuality',
  'EnableCaptureTimeExt',
  'FakeMouseWithTouches',
  'ForceMonoAudio',
  'ForceTURN',
  'GamepadInput',
  'HideUI',
  'HoveringMouse',
  'KeyboardInput',
  'MatchViewportRes',
  'MouseDoubleClickAutoRelease',
  'MouseInput',
  'StartVideoMuted',
  'SuppressBrowserKeys',
  'TouchInput',
  'UseCamera',
  'UseMic',
  'XRControllerInput',
] as const satisfies readonly (keyof AllSettings)[];

/** Numbers of the library that URL parameters may set, each with its lowest and highest value. */
export const URL_NUMBERS = {
  CompatQualityMax: [0, 100],
  CompatQualityMin: [0, 100],
  MaxQP: [0, 51],
  MaxQuality: [0, 100],
  MinQP: [0, 51],
  MinQuality: [0, 100],
  ViewportResScale: [0.1, 3],
  WebRTCFPS: [1, 999],
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
    ...codecFrom(query),
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

/** The settings of the URL parameters that a streamer's own initial settings would replace. */
export function settingsToKeep(query: URLSearchParams): Partial<AllSettings> {
  const { HoveringMouse } = flagsFrom(query);
  return { ...numbersFrom(query), ...(HoveringMouse !== undefined && { HoveringMouse }) };
}

/** The codec of the URL, by its name; the library fails with one that the browser does not support. */
function codecFrom(query: URLSearchParams): Partial<AllSettings> {
  const name = findParameter(query, 'PreferredCodec')?.split(' ')[0]?.toUpperCase();
  const isSupported = name !== undefined && supportedCodecs().some((codec) => codec === name);
  return isSupported ? { PreferredCodec: name } : {};
}

/** The names of this browser's video codecs, such as "H264". */
function supportedCodecs(): readonly string[] {
  if (typeof RTCRtpReceiver !== 'function') {
    return [];
  }
  const codecs = RTCRtpReceiver.getCapabilities('video')?.codecs ?? [];
  return codecs.map(({ mimeType }) => mimeType.replace('video/', '').toUpperCase());
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
