/** Encodings that contain no picture of their own: retransmission, redundancy, error correction. */
const AUXILIARY: ReadonlySet<string> = new Set(['RTX', 'RED', 'ULPFEC', 'FLEXFEC', 'FLEXFEC-03']);

/** The highest number of codecs that are named. */
const MAX_CODECS = 4;

/**
 * The codecs of the offered video when the answer rejects all of it: the answering side supports none of them.
 *
 * @param offer - SDP
 * @param answer - the SDP that answers `offer`
 * @returns names such as "H264", in the order of the offer; undefined when video was accepted, or none was offered
 */
export function rejectedCodecs(offer: string, answer: string): readonly string[] | undefined {
  const offered = videoSections(offer).filter((section) => port(section) !== 0 || /^a=bundle-only\s*$/m.test(section));
  const answered = videoSections(answer);
  if (offered.length === 0 || answered.length === 0 || answered.some((section) => port(section) !== 0)) {
    return undefined;
  }
  const names = offered.flatMap((section) =>
    [...section.matchAll(/^a=rtpmap:\d+ ([\w.-]{1,32})\//gm)].map(([, name]) => name ?? ''),
  );
  return [...new Set(names)].filter((name) => !AUXILIARY.has(name.toUpperCase())).slice(0, MAX_CODECS);
}

/** The media sections of `sdp` that describe video, each from its `m=` line on. */
function videoSections(sdp: string): readonly string[] {
  return sdp.split(/^(?=m=)/m).filter((section) => section.startsWith('m=video '));
}

/** The port of a media section; an answer rejects a section with port 0. */
function port(section: string): number {
  return Number(/^m=video (\d+)/.exec(section)?.[1] ?? 0);
}
