import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { initialSettings, settingsToKeep } from '../src/connection/settings';

const settingsOf = (query: string): ReturnType<typeof initialSettings> =>
  initialSettings('ws://play.test/ws', new URLSearchParams(query));

beforeEach(() => {
  vi.stubGlobal('navigator', { getGamepads: () => [] });
});

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('initialSettings', () => {
  it('turn gamepads off in a frame without the permission, whatever the URL requests', () => {
    const getGamepads = (): never => {
      throw new DOMException('disallowed by permissions policy', 'SecurityError');
    };
    vi.stubGlobal('navigator', { getGamepads });
    expect(settingsOf('GamepadInput=true')).toMatchObject({ GamepadInput: false });
  });

  it('play muted with a hovering mouse, and turn off reconnecting by the library', () => {
    expect(settingsOf('')).toEqual({
      AutoConnect: false,
      AutoPlayVideo: true,
      HoveringMouse: true,
      MaxReconnectAttempts: 0,
      StartVideoMuted: true,
      WaitForStreamer: false,
      ss: 'ws://play.test/ws',
    });
  });

  it.each([
    ['ForceTURN=true', true],
    ['ForceTURN', true],
    ['forceturn=1', true],
    ['ForceTURN=False', false],
  ])('take a flag from the URL: %s', (query, value) => {
    expect(settingsOf(query)).toMatchObject({ ForceTURN: value });
  });

  it('let the URL change a flag of the page', () => {
    expect(settingsOf('HoveringMouse=false')).toMatchObject({ HoveringMouse: false });
  });

  it.each([
    ['WebRTCMaxBitrate=8000', 8000],
    ['webrtcmaxbitrate=0', 0],
  ])('take a number from the URL: %s', (query, value) => {
    expect(settingsOf(query)).toMatchObject({ WebRTCMaxBitrate: value });
  });

  it.each(['WebRTCMaxBitrate=-1', 'WebRTCMaxBitrate=1e9', 'WebRTCMaxBitrate=NaN', 'WebRTCMaxBitrate=fast', 'WebRTCMaxBitrate='])(
    'ignore a number that is invalid or out of range: %s',
    (query) => {
      expect(settingsOf(query)).not.toHaveProperty('WebRTCMaxBitrate');
    },
  );

  it('never take the server or the reconnect settings from the URL', () => {
    const query = 'ss=ws://evil.test&AutoConnect=true&AutoPlayVideo=false&MaxReconnectAttempts=9&WaitForStreamer=true';
    expect(settingsOf(query)).toEqual(settingsOf(''));
  });
});

describe('settingsToKeep', () => {
  it('are those of the URL that a streamer would replace', () => {
    const query = new URLSearchParams('WebRTCFPS=24&HoveringMouse=false&MinQP=99&UseMic');
    expect(settingsToKeep(query)).toEqual({ WebRTCFPS: 24, HoveringMouse: false });
  });
});
