/**
 * Whether a video element shows a track that has not ended.
 *
 * Chromium shows a black picture of 2x2 pixels, and reports that it plays, when a track ends before its first frame.
 */
export function hasLiveTrack(video: HTMLVideoElement): boolean {
  const source = video.srcObject;
  return source instanceof MediaStream && source.getVideoTracks().some((track) => track.readyState === 'live');
}
