import { describe, expect, it } from 'vitest';
import { initialSettings } from '../src/connection/settings';

const settingsOf = (query: string): ReturnType<typeof initialSettings> =>
  initialSettings('ws://play.test/ws', new URLSearchParams(query));

describe('initialSettings', () => {
  it('plays at once, muted, with a hovering mouse, and leaves reconnecting to the page', () => {
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
  ])('takes a flag from the link: %s', (query, value) => {
    expect(settingsOf(query)).toMatchObject({ ForceTURN: value });
  });

  it('lets the link change a flag that the page sets', () => {
    expect(settingsOf('HoveringMouse=false')).toMatchObject({ HoveringMouse: false });
  });

  it.each([
    ['WebRTCMaxBitrate=8000', 8000],
    ['webrtcmaxbitrate=0', 0],
  ])('takes a number from the link: %s', (query, value) => {
    expect(settingsOf(query)).toMatchObject({ WebRTCMaxBitrate: value });
  });

  it.each(['WebRTCMaxBitrate=-1', 'WebRTCMaxBitrate=1e9', 'WebRTCMaxBitrate=NaN', 'WebRTCMaxBitrate=fast', 'WebRTCMaxBitrate='])(
    'leaves out a number that is out of its bounds or none: %s',
    (query) => {
      expect(settingsOf(query)).not.toHaveProperty('WebRTCMaxBitrate');
    },
  );

  it('never takes from the link where to dial, or how to reconnect', () => {
    const link = 'ss=ws://evil.test&AutoConnect=true&AutoPlayVideo=false&MaxReconnectAttempts=9&WaitForStreamer=true';
    expect(settingsOf(link)).toEqual(settingsOf(''));
  });
});
