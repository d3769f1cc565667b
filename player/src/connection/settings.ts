import type { AllSettings } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';

/** Flags of the library that a link may set, as `?Name` or `?Name=true|false`. */
const LINK_FLAGS = [
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

/** Numbers of the library that a link may set, each with its lowest and highest value. */
const LINK_NUMBERS = {
  ViewportResScale: [0.1, 3],
  WebRTCMaxBitrate: [0, 500_000],
  WebRTCMinBitrate: [0, 500_000],
} as const satisfies Partial<Record<keyof AllSettings, readonly [number, number]>>;

/**
 * The settings that the library starts with: this page's own, and what the link asks for.
 *
 * The library could read links by itself (`useUrlParams`), but it would then take the address to dial from
 * them (`?ss=`), and write every setting that changes back into the address bar, the streamer's id among
 * them, so that a reload would ask for that streamer alone.
 *
 * @param url - where to dial, ws or wss
 * @param link - the page's query
 */
export function initialSettings(url: string, link: URLSearchParams): Partial<AllSettings> {
  return {
    HoveringMouse: true,
    StartVideoMuted: true,
    ...linkFlags(link),
    ...linkNumbers(link),
    ss: url,
    // The page connects when all that listens is in place.
    AutoConnect: false,
    AutoPlayVideo: true,
    // This page reconnects by itself, at the pace that the close code asks for.
    MaxReconnectAttempts: 0,
    // After a reconnect the stream may come from another streamer: the one that is listed is the right one.
    WaitForStreamer: false,
  };
}

function linkFlags(link: URLSearchParams): Partial<AllSettings> {
  const flags: Partial<AllSettings> = {};
  for (const name of LINK_FLAGS) {
    const value = lookUp(link, name);
    if (value !== undefined) {
      flags[name] = value.toLowerCase() !== 'false';
    }
  }
  return flags;
}

function linkNumbers(link: URLSearchParams): Partial<AllSettings> {
  const numbers: Partial<AllSettings> = {};
  for (const [name, [lowest, highest]] of Object.entries(LINK_NUMBERS)) {
    const text = lookUp(link, name);
    const value = Number(text);
    if (text !== undefined && text !== '' && value >= lowest && value <= highest) {
      numbers[name as keyof typeof LINK_NUMBERS] = value;
    }
  }
  return numbers;
}

/** Finds a parameter whatever its capitals, as the library does. */
function lookUp(link: URLSearchParams, name: string): string | undefined {
  for (const [key, value] of link) {
    if (key.toLowerCase() === name.toLowerCase()) {
      return value;
    }
  }
  return undefined;
}
