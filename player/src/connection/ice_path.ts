/** The kind of the selected ICE candidate pair: direct, through a NAT, through a TURN server, or no pair at all. */
export type IcePathKind = 'host' | 'reflexive' | 'relayed' | 'none';

/** How long ICE may stay "disconnected" before the path counts as lost, in milliseconds: it often recovers. */
const DISCONNECTED_TIMEOUT = 3_000;

/** Delay of the second look at the candidate pair, in milliseconds: browsers soon change to a better pair. */
const RECHECK_DELAY = 5_000;

/** One entry of an RTCStatsReport. Its fields depend on its type and on the browser. */
type Stats = Readonly<Record<string, unknown>>;

/** Receives the changes of a peer connection's ICE path. */
export interface IcePathObserver {
  /** The path was lost, or none was found. */
  onLost(): void;
  /** There is a path, or it is there again. */
  onFound(): void;
  /** The kind of the path is known, or has changed. */
  onKind(kind: IcePathKind): void;
}

/** Reports changes of the ICE path until the peer connection is closed. */
export function watchIcePath(connection: RTCPeerConnection, observer: IcePathObserver): void {
  let timer: number | undefined;
  connection.addEventListener('iceconnectionstatechange', () => {
    window.clearTimeout(timer);
    const state = connection.iceConnectionState;
    if (state === 'failed') {
      observer.onLost();
    } else if (state === 'disconnected') {
      timer = window.setTimeout(() => {
        if (connection.iceConnectionState === 'disconnected') {
          observer.onLost();
        }
      }, DISCONNECTED_TIMEOUT);
    } else if (state === 'connected') {
      observer.onFound();
      reportKind(connection, observer);
      window.setTimeout(reportKind, RECHECK_DELAY, connection, observer);
    }
  });
  connection.addEventListener('connectionstatechange', () => {
    if (connection.connectionState === 'failed') {
      observer.onLost();
    }
  });
}

/** Whether a peer connection was negotiated but has no ICE path. */
export function hasNoPath(connection: RTCPeerConnection | undefined): boolean {
  return (
    connection !== undefined &&
    connection.remoteDescription !== null &&
    connection.iceConnectionState !== 'connected' &&
    connection.iceConnectionState !== 'completed'
  );
}

function reportKind(connection: RTCPeerConnection, observer: IcePathObserver): void {
  if (connection.connectionState === 'closed') {
    return;
  }
  void connection.getStats().then((report) => {
    const kind = selectedPathKind(report);
    if (kind !== undefined) {
      observer.onKind(kind);
    }
  });
}

/** The kind of the selected candidate pair in a report; undefined while none is selected. */
export function selectedPathKind(report: Iterable<readonly [string, Stats]>): IcePathKind | undefined {
  const entries = new Map(report);
  const all = [...entries.values()];
  const transport = all.find((entry) => entry['type'] === 'transport' && 'selectedCandidatePairId' in entry);
  const pair =
    entries.get(String(transport?.['selectedCandidatePairId'])) ??
    all.find((entry) => entry['type'] === 'candidate-pair' && entry['selected'] === true);
  if (pair === undefined) {
    return undefined;
  }
  const types = [pair['localCandidateId'], pair['remoteCandidateId']].map(
    (id) => entries.get(String(id))?.['candidateType'],
  );
  return pathKind(types);
}

/** The kind of a path by the types of its local and remote candidate, in any order. */
export function pathKind(candidateTypes: readonly unknown[]): Exclude<IcePathKind, 'none'> {
  if (candidateTypes.includes('relay')) {
    return 'relayed';
  }
  return candidateTypes.includes('srflx') || candidateTypes.includes('prflx') ? 'reflexive' : 'host';
}
