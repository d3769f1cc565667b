/**
 * A page on Epic's published library alone, as the library's own minimal example is: whatever plays here
 * plays on the pages that people already have. It takes its settings from its URL (`?ss=ws://host:port/path`).
 */
import { Config, PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';

declare global {
  interface Window {
    /** The library's object, for tests. */
    pixelStreaming?: PixelStreaming;
  }
}

const config = new Config({
  useUrlParams: true,
  initialSettings: { AutoConnect: true, AutoPlayVideo: true, StartVideoMuted: true, HoveringMouse: true },
});
const player = document.getElementById('player');
if (player === null) {
  throw new Error('the page has no #player');
}
window.pixelStreaming = new PixelStreaming(config, { videoElementParent: player });
