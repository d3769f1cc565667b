import type { PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { describe, expect, it, vi } from 'vitest';
import { ApplicationChannel } from '../src/connection/application_channel';

type Channel = 'open' | 'closed' | 'full';

/** The library's controllers: a message is sent, dropped without a word, or refused with an error. */
function setUp(): { channel: ApplicationChannel; sent: unknown[]; resetTimer: () => void; set: (state: Channel) => void } {
  let state: Channel = 'open';
  const sent: unknown[] = [];
  const resetTimer = vi.fn();
  const dataChannelSender = { resetAfkWarningTimerOnDataSend: resetTimer };
  const send = (message: unknown): void => {
    if (state === 'full') {
      throw new TypeError('too large');
    }
    if (state === 'open') {
      sent.push(message);
      dataChannelSender.resetAfkWarningTimerOnDataSend();
    }
  };
  const stream = {
    // The video has not loaded, so that the library itself refuses to send.
    emitCommand: () => false,
    webRtcController: {
      dataChannelSender,
      emitUIInteraction: send,
      emitCommand: send,
      sendLatencyTest: () => {
        send('latency');
      },
    },
  };
  const set = (next: Channel): void => {
    state = next;
  };
  return { channel: new ApplicationChannel(stream as unknown as PixelStreaming), sent, resetTimer, set };
}

describe('ApplicationChannel', () => {
  it('sends while the channel is open, also before the video has loaded', () => {
    const { channel, sent, resetTimer } = setUp();
    expect(channel.interact({ a: 1 })).toBe(true);
    expect(channel.interact('text')).toBe(true);
    expect(channel.command({ 'Encoder.MaxQP': 40 })).toBe(true);
    expect(channel.testLatency()).toBe(true);
    expect(sent).toEqual([{ a: 1 }, 'text', { 'Encoder.MaxQP': 40 }, 'latency']);
    expect(resetTimer).toHaveBeenCalledTimes(4);
  });

  it.each<Channel>(['closed', 'full'])('reports that nothing was sent while the channel is %s', (state) => {
    const { channel, sent, set } = setUp();
    expect(channel.interact('first')).toBe(true);
    set(state);
    expect(channel.interact('second')).toBe(false);
    expect(channel.command({ 'Encoder.MaxQP': 40 })).toBe(false);
    expect(channel.testLatency()).toBe(false);
    expect(sent).toEqual(['first']);
  });

  it('leaves the permission of console commands to the library', () => {
    const { channel, sent } = setUp();
    expect(channel.command({ ConsoleCommand: 'stat fps' })).toBe(false);
    expect(sent).toEqual([]);
  });
});

describe('control', () => {
  it.each([true, false])('is sent only while the page is connected: %s', (sent) => {
    const sendMessage = vi.fn();
    const stream = {
      signallingProtocol: { isConnected: () => sent, sendMessage },
      webRtcController: { dataChannelSender: { resetAfkWarningTimerOnDataSend: vi.fn() } },
    };
    const channel = new ApplicationChannel(stream as unknown as PixelStreaming);
    expect(channel.control('level/load', { name: 'x' })).toBe(sent);
    const message = { type: 'control', action: 'level/load', payload: { name: 'x' } };
    expect(sendMessage.mock.calls).toEqual(sent ? [[message]] : []);
  });
});
