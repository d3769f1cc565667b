import {
  MessageHelpers,
  Messages,
  type BaseMessage,
  type PixelStreaming,
} from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { parseMatchmaker } from './messages';

/** What a page passes on the way to its first frame, in this order; the server has a name for what is in between. */
const MILESTONES = ['opened', 'matched', 'configured', 'negotiated', 'connected', 'frame'] as const;

export type Milestone = (typeof MILESTONES)[number];

/** When the page passed what, in whole milliseconds since it was opened. */
export class Milestones {
  readonly #passed = new Map<Milestone, number>();

  /** A try that begins anew passes what comes after its beginning once more; the first contact stays the first. */
  pass(milestone: Milestone, now: number): void {
    for (const later of MILESTONES.slice(MILESTONES.indexOf(milestone) + 1)) {
      this.#passed.delete(later);
    }
    if (milestone !== 'opened' || !this.#passed.has('opened')) {
      this.#passed.set(milestone, Math.round(now));
    }
  }

  read(): Partial<Record<Milestone, number>> {
    return Object.fromEntries(this.#passed);
  }
}

/** Tells the server once how the page came to its first frame; older servers expect a text there. */
export function reportFirstFrame(stream: PixelStreaming): void {
  const milestones = new Milestones();
  const pass = (milestone: Milestone): void => {
    milestones.pass(milestone, performance.now());
  };
  const protocol = stream.signallingProtocol;
  protocol.transport.on('open', () => {
    pass('opened');
  });
  protocol.transport.on('message', (message: BaseMessage | null) => {
    if (message?.type === Messages.config.typeName) {
      pass('configured');
    } else if (message?.type === 'matchmaker' && parseMatchmaker(message).kind === 'matched') {
      pass('matched');
    }
  });
  stream.addEventListener('webRtcSdp', () => {
    pass('negotiated');
  });
  stream.addEventListener('webRtcConnected', () => {
    pass('connected');
  });
  const video = stream.webRtcController.videoPlayer.getVideoElement();
  const tell = (): void => {
    pass('frame');
    if (protocol.isConnected()) {
      const data = JSON.stringify({ firstFrame: milestones.read() });
      protocol.sendMessage(MessageHelpers.createMessage(Messages.stats, { data }));
    }
  };
  // The first frame is there, whether or not the browser lets it play.
  video.addEventListener('loadeddata', tell, { once: true });
}
