import { Messages, type BaseMessage, type PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { hasLiveTrack } from './live_track';
import { parseMatchmaker } from './messages';
import { reportStats } from './stats_report';

/** The steps of a connection up to its first frame, in order. */
const MILESTONES = ['opened', 'matched', 'configured', 'negotiated', 'connected', 'frame'] as const;

export type Milestone = (typeof MILESTONES)[number];

/** The times at which milestones were reached, in whole milliseconds since the page was opened. */
export class Milestones {
  readonly #times = new Map<Milestone, number>();

  /** Records a milestone and discards the later ones of an earlier attempt; the first `opened` is kept. */
  mark(milestone: Milestone, now: number): void {
    for (const later of MILESTONES.slice(MILESTONES.indexOf(milestone) + 1)) {
      this.#times.delete(later);
    }
    if (milestone !== 'opened' || !this.#times.has('opened')) {
      this.#times.set(milestone, Math.round(now));
    }
  }

  times(): Partial<Record<Milestone, number>> {
    return Object.fromEntries(this.#times);
  }
}

/** Reports the milestones to the server once, with the first frame. */
export function reportFirstFrame(stream: PixelStreaming): void {
  const milestones = new Milestones();
  const mark = (milestone: Milestone): void => {
    milestones.mark(milestone, performance.now());
  };
  const { transport } = stream.signallingProtocol;
  transport.on('open', () => {
    mark('opened');
  });
  transport.on('message', (message: BaseMessage | null) => {
    if (message?.type === Messages.config.typeName) {
      mark('configured');
    } else if (message?.type === 'matchmaker' && parseMatchmaker(message).kind === 'matched') {
      mark('matched');
    }
  });
  stream.addEventListener('webRtcSdp', () => {
    mark('negotiated');
  });
  stream.addEventListener('webRtcConnected', () => {
    mark('connected');
  });
  const video = stream.webRtcController.videoPlayer.getVideoElement();
  const report = (): void => {
    if (video.videoWidth > 0 && hasLiveTrack(video)) {
      video.removeEventListener('loadeddata', report);
      mark('frame');
      reportStats(stream, { firstFrame: milestones.times() });
    }
  };
  // Unlike "playing", "loadeddata" also fires when the browser blocks playback, and for a rejected video.
  video.addEventListener('loadeddata', report);
}
