import { describe, expect, it } from 'vitest';
import { selectedPathKind, type IcePathKind } from '../src/connection/ice_path';

type Entry = Record<string, unknown>;

function report(local: string, remote: string, extra: Record<string, Entry>): Map<string, Entry> {
  return new Map(
    Object.entries({
      L: { type: 'local-candidate', candidateType: local },
      R: { type: 'remote-candidate', candidateType: remote },
      other: { type: 'candidate-pair', localCandidateId: 'gone', remoteCandidateId: 'gone' },
      ...extra,
    }),
  );
}

const PAIR = { type: 'candidate-pair', localCandidateId: 'L', remoteCandidateId: 'R' };

describe('selectedPathKind', () => {
  it.each<[string, string, IcePathKind]>([
    ['host', 'host', 'host'],
    ['srflx', 'host', 'reflexive'],
    ['host', 'prflx', 'reflexive'],
    ['relay', 'host', 'relayed'],
    ['srflx', 'relay', 'relayed'],
  ])('maps the candidate types %s and %s to %s', (local, remote, kind) => {
    const transport = { type: 'transport', selectedCandidatePairId: 'P' };
    expect(selectedPathKind(report(local, remote, { T: transport, P: PAIR }))).toBe(kind);
    expect(selectedPathKind(report(local, remote, { P: { ...PAIR, selected: true } }))).toBe(kind);
  });

  it('is undefined while no pair is selected', () => {
    expect(selectedPathKind(report('host', 'host', { P: PAIR }))).toBeUndefined();
    expect(selectedPathKind(report('host', 'host', { T: { type: 'transport' }, P: PAIR }))).toBeUndefined();
    expect(selectedPathKind(new Map())).toBeUndefined();
  });
});
