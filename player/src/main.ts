import {
  Config,
  Logger,
  LogLevel,
  MessageDirection,
  PixelStreaming,
} from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { initialSettings } from './connection/settings';
import { signallingUrl } from './connection/url';
import './handle';
import { Session } from './session';
import type { State } from './state';
import './style.css';
import { element } from './view/element';
import { Overlay } from './view/overlay';
import { UnmuteButton } from './view/sound';

/** Dials at once, and shows what comes of it. */
function start(): void {
  // The library would else write a stack trace for each message, candidate and frame of its data channel.
  Logger.InitLogging(LogLevel.Error, false);
  const link = new URLSearchParams(location.search);
  const config = new Config({ initialSettings: initialSettings(signallingUrl(location.href), link) });
  const stream = new PixelStreaming(config, { videoElementParent: element('stage', HTMLElement) });
  // The library sends this message and has not registered it: a streamer that names it would be an error to it.
  stream.registerMessageHandler('DataChannelLatencyTest', MessageDirection.ToStreamer);
  const overlay = new Overlay(() => {
    session.retry();
  });
  const unmute = new UnmuteButton(stream);
  const session = new Session(stream, (state: State) => {
    overlay.show(state);
    unmute.show(state);
  });
  window.pixelfleet = {
    stream,
    get state() {
      return session.state;
    },
    retry: () => {
      session.retry();
    },
  };
}

if (typeof RTCPeerConnection === 'function' && typeof WebSocket === 'function') {
  start();
} else {
  new Overlay(() => undefined).show({ phase: 'ended', cause: 'unsupported' });
}
