import { describe, expect, it } from 'vitest';
import type { EndCause, State } from '../src/state';
import { goingAway, wordsFor } from '../src/view/words';

describe('wordsFor', () => {
  it('says nothing over a picture', () => {
    expect(wordsFor({ phase: 'playing', notice: 'soon over' })).toBeUndefined();
  });

  it.each<[State, string]>([
    [{ phase: 'connecting' }, 'Connecting'],
    [{ phase: 'starting' }, 'Starting the stream'],
    [{ phase: 'starting', cut: true }, 'Your network blocks video'],
    [{ phase: 'reconnecting', played: true, cut: true }, 'Your network blocks video'],
    [{ phase: 'reconnecting', played: true, cut: true, text: 'all busy' }, 'Reconnecting'],
    [{ phase: 'reconnecting', played: true }, 'Reconnecting'],
    [{ phase: 'reconnecting', played: false }, 'Still connecting'],
    [{ phase: 'queued' }, 'Waiting for a free stream'],
  ])('is busy without a button in %j', (state, title) => {
    const words = wordsFor(state);
    expect(words).toMatchObject({ title, busy: true });
    expect(words).not.toHaveProperty('action');
  });

  it.each<[Partial<Extract<State, { phase: 'queued' }>>, string, string | undefined]>([
    [{ position: 3, ahead: 2 }, 'You are number\u00a03 in the queue', '2 people are ahead of you.'],
    [{ position: 3 }, 'You are number\u00a03 in the queue', '2 people are ahead of you.'],
    [{ ahead: 1 }, 'You are number\u00a02 in the queue', 'One person is ahead of you.'],
    [{ position: 1, ahead: 0 }, 'You are next', 'The next free stream is yours.'],
    [{ text: 'all streams are busy' }, 'Waiting for a free stream', 'All streams are busy.'],
    [{ position: 2, ahead: 1, text: 'unused' }, 'You are number\u00a02 in the queue', 'One person is ahead of you.'],
    [{}, 'Waiting for a free stream', undefined],
  ])('tells the place in the queue: %j', (place, title, detail) => {
    const words = wordsFor({ phase: 'queued', ...place });
    expect(words?.title).toBe(title);
    expect(words?.detail).toBe(detail);
  });

  it('tells place and wait on a line each', () => {
    const words = wordsFor({ phase: 'queued', position: 2, ahead: 1, etaSeconds: 60 });
    expect(words?.detail).toBe('One person is ahead of you.\nAbout a minute to go.');
  });

  it.each([
    [0, 'Only a few seconds to go.'],
    [9.9, 'Only a few seconds to go.'],
    [41.5, 'About 50 seconds to go.'],
    [55, 'About a minute to go.'],
    [89, 'About a minute to go.'],
    [90, 'About 2 minutes to go.'],
    [3540, 'About 59 minutes to go.'],
    [3600, 'About an hour to go.'],
    [7200, 'About 2 hours to go.'],
  ])('tells a wait of %d s as a person would', (etaSeconds, sentence) => {
    expect(wordsFor({ phase: 'queued', etaSeconds })?.detail).toBe(sentence);
  });

  it.each<EndCause>(['over', 'refused', 'unreachable', 'no-video', 'blocked'])('offers a way on from "%s"', (cause) => {
    expect(wordsFor({ phase: 'ended', cause })).toMatchObject({ busy: false, action: expect.any(String) as string });
  });

  it('offers no button where none would help', () => {
    expect(wordsFor({ phase: 'ended', cause: 'unsupported' })).not.toHaveProperty('action');
  });

  it("puts the server's reason in place of its own", () => {
    expect(wordsFor({ phase: 'ended', cause: 'no-video', text: 'the time is up' })?.detail).toBe('The time is up.');
    expect(wordsFor({ phase: 'reconnecting', played: true, text: 'Back soon!' })?.detail).toBe('Back soon!');
  });
});

describe('goingAway', () => {
  it("says it in the page's words, and adds the server's", () => {
    expect(goingAway(undefined)).toBe('This stream will end soon.');
    expect(goingAway('maintenance at six')).toBe('This stream will end soon: maintenance at six');
  });
});
