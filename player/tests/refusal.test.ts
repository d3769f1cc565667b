import { describe, expect, it } from 'vitest';
import { refusalOf } from '../src/connection/refusal';

describe('refusalOf', () => {
  it.each([
    [401, { end: 'not-allowed' }],
    [403, { end: 'not-allowed' }],
    [426, { wait: 'upgrade' }],
    [429, { wait: 'too-fast' }],
    [502, { wait: 'gateway' }],
    [503, { wait: 'gateway' }],
    [504, { wait: 'gateway' }],
    [522, { wait: 'gateway' }],
    [200, undefined],
    [400, undefined],
    [404, undefined],
    [500, undefined],
  ])('maps HTTP %i without a reason: %j', (status, refusal) => {
    expect(refusalOf(status, undefined)).toEqual(refusal);
  });

  it.each([
    [503, 'full', { wait: 'full' }],
    [503, 'shutting-down', { wait: 'closing' }],
    [503, 'unavailable', { wait: 'no-service' }],
    [429, 'too-many-requests', { wait: 'too-fast' }],
    [429, 'too-many-players', { wait: 'too-fast' }],
    [401, 'unauthenticated', { end: 'not-allowed' }],
    [403, 'forbidden', { end: 'not-allowed' }],
    [403, 'origin-not-allowed', { end: 'origin' }],
    [400, 'upgrade-required', { wait: 'upgrade' }],
    [400, 'bad-request', undefined],
    [500, 'internal-error', undefined],
  ])('maps HTTP %i with the reason %s: %j', (status, reason, refusal) => {
    expect(refusalOf(status, reason)).toEqual(refusal);
  });

  it.each([
    [403, { end: 'not-allowed' }],
    [426, { wait: 'upgrade' }],
    [429, { wait: 'too-fast' }],
    [503, undefined],
    [500, undefined],
  ])('falls back to the status for an unknown reason: HTTP %i', (status, refusal) => {
    expect(refusalOf(status, 'of-a-later-version')).toEqual(refusal);
  });
});
