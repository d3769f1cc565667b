import { describe, expect, it } from 'vitest';
import { rejectedCodecs } from '../src/connection/video_codecs';

const sdp = (...lines: string[]): string => ['v=0', 'o=- 1 1 IN IP4 0.0.0.0', 's=-', 't=0 0', ...lines, ''].join('\r\n');

const AUDIO = ['m=audio 9 UDP/TLS/RTP/SAVPF 111', 'a=rtpmap:111 opus/48000/2'];
const VIDEO = [
  'm=video 9 UDP/TLS/RTP/SAVPF 96 97 98 99',
  'a=sendonly',
  'a=rtpmap:96 H264/90000',
  'a=fmtp:96 packetization-mode=1',
  'a=rtpmap:97 rtx/90000',
  'a=rtpmap:98 VP8/90000',
  'a=rtpmap:99 H264/90000',
];
const REJECTED = ['m=video 0 UDP/TLS/RTP/SAVPF 96', 'a=inactive'];
const ACCEPTED = ['m=video 9 UDP/TLS/RTP/SAVPF 98', 'a=recvonly', 'a=rtpmap:98 VP8/90000'];
const CHANNEL = ['m=application 9 UDP/DTLS/SCTP webrtc-datachannel'];

describe('rejectedCodecs', () => {
  it('names the offered codecs once each, without auxiliary encodings', () => {
    expect(rejectedCodecs(sdp(...VIDEO, ...CHANNEL), sdp(...REJECTED, ...CHANNEL))).toEqual(['H264', 'VP8']);
  });

  it('finds nothing in an answer that accepts the video, or one of two', () => {
    expect(rejectedCodecs(sdp(...VIDEO), sdp(...ACCEPTED))).toBeUndefined();
    expect(rejectedCodecs(sdp(...VIDEO, ...VIDEO), sdp(...REJECTED, ...ACCEPTED))).toBeUndefined();
  });

  it('finds nothing when no video was offered or answered', () => {
    expect(rejectedCodecs(sdp(...AUDIO, ...CHANNEL), sdp(...AUDIO, ...CHANNEL))).toBeUndefined();
    expect(rejectedCodecs(sdp(...REJECTED), sdp(...REJECTED))).toBeUndefined();
    expect(rejectedCodecs('', '')).toBeUndefined();
    expect(rejectedCodecs(sdp(...VIDEO), sdp(...AUDIO))).toBeUndefined();
  });

  it('knows a bundled section with port 0 as offered', () => {
    const bundled = VIDEO.map((line) => line.replace('m=video 9', 'm=video 0'));
    expect(rejectedCodecs(sdp(...AUDIO, ...bundled, 'a=bundle-only'), sdp(...AUDIO, ...REJECTED))).toEqual(['H264', 'VP8']);
  });

  it('reads lines that end in a line feed only', () => {
    const lines = (text: string): string => text.replaceAll('\r', '');
    expect(rejectedCodecs(lines(sdp(...VIDEO)), lines(sdp(...REJECTED)))).toEqual(['H264', 'VP8']);
  });

  it('limits the number and the characters of names', () => {
    const many = Array.from({ length: 20 }, (_, at) => `a=rtpmap:${String(at)} codec-${String(at)}/90000`);
    const offer = sdp('m=video 9 UDP/TLS/RTP/SAVPF 0', ...many, 'a=rtpmap:99 <b>/90000', `a=rtpmap:98 ${'x'.repeat(99)}/1`);
    expect(rejectedCodecs(offer, sdp(...REJECTED))).toEqual(Array.from({ length: 4 }, (_, at) => `codec-${String(at)}`));
  });
});
