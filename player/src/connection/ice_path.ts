/** How the video comes: straight, through a NAT, through a TURN server, or not at all. */
export type IcePathKind = 'host' | 'reflexive' | 'relayed' | 'none';

/** How long the way may be gone before it is given up, in milliseconds: a short break heals by itself. */
const TIMEOUT = 3_000;

/** When the kind is looked at again, in milliseconds: browsers move on to a better way soon after the first. */
const SECOND_LOOK = 5_000;

/** One entry of an RTCStatsReport; which fields it has depends on its type, and on the browser. */
type Stats = Readonly<Record<string, unknown>>;

/** What came of the way through the network. */
export interface IcePathObserver {
  /** It is lost, or was never found. */
  broken(): void;
  /** Its kind is known, or is another. */
  kind(kind: IcePathKind): void;
}

/** Watches the way of one peer connection; tells of a break until the connection is closed. */
export function watchIcePath(connection: RTCPeerConnection, news: IcePathObserver): void {
  let timer: number | undefined;
  connection.addEventListener('iceconnectionstatechange', () => {
    window.clearTimeout(timer);
    const state = connection.iceConnectionState;
    if (state === 'failed') {
      news.broken();
    } else if (state === 'disconnected') {
      timer = window.setTimeout(() => {
        if (connection.iceConnectionState === 'disconnected') {
          news.broken();
        }
      }, TIMEOUT);
    } else if (state === 'connected') {
      reportKind(connection, news);
      window.setTimeout(reportKind, SECOND_LOOK, connection, news);
    }
  });
  connection.addEventListener('connectionstatechange', () => {
    if (connection.connectionState === 'failed') {
      news.broken();
    }
  });
}

/** Whether a connection was negotiated and has no way through the network. */
export function isCut(connection: RTCPeerConnection | undefined): boolean {
  return (
    connection !== undefined &&
    connection.remoteDescription !== null &&
    connection.iceConnectionState !== 'connected' &&
    connection.iceConnectionState !== 'completed'
  );
}

function reportKind(connection: RTCPeerConnection, news: IcePathObserver): void {
  if (connection.connectionState === 'closed') {
    return;
  }
  void connection.getStats().then((report) => {
    const kind = selectedPathKind(report);
    if (kind !== undefined) {
      news.kind(kind);
    }
  });
}

/** Finds the kind of the selected pair of candidates in a report; undefined while there is none. */
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

/** The kind of a way by the types of the candidates at its two ends, in any order. */
export function pathKind(types: readonly unknown[]): Exclude<IcePathKind, 'none'> {
  if (types.includes('relay')) {
    return 'relayed';
  }
  return types.includes('srflx') || types.includes('prflx') ? 'reflexive' : 'host';
}
