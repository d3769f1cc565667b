import { describe, expect, it } from 'vitest';
import type { EndCause, State, WaitCause } from '../src/state';
import { DEFAULT_TEXTS } from '../src/texts';
import { formatDuration, shutdownNotice, overlayContent, type OverlayContent } from '../src/view/overlay_content';

const content = (state: State): OverlayContent => {
  const words = overlayContent(state, DEFAULT_TEXTS);
  if (words === undefined) {
    throw new Error(`nothing to say in ${state.phase}`);
  }
  return words;
};

const values = (words: OverlayContent): readonly string[] => words.facts.map(({ value }) => value);

const CAUSES: readonly EndCause[] = [
  'over', 'left', 'kicked', 'not-allowed', 'refused', 'unreachable', 'no-video', 'network', 'link', 'unsupported',
];
const WAITS: readonly WaitCause[] = ['no-streamer', 'full', 'closing', 'queue-timeout', 'too-fast', 'no-service'];

describe('overlayContent', () => {
  it('says nothing over a picture', () => {
    expect(overlayContent({ phase: 'playing', ending: true }, DEFAULT_TEXTS)).toBeUndefined();
  });

  it.each<[State, string, OverlayContent['step']]>([
    [{ phase: 'connecting' }, 'Connecting', 'connect'],
    [{ phase: 'queued' }, 'Waiting for a free stream', 'queue'],
    [{ phase: 'starting' }, 'Starting the stream', 'start'],
    [{ phase: 'reconnecting', played: false }, 'Still connecting', 'connect'],
    [{ phase: 'reconnecting', played: true }, 'Reconnecting', undefined],
  ])('is busy without a button in %j', (state, title, step) => {
    expect(content(state)).toMatchObject({ mark: 'busy', title, offers: [] });
    expect(content(state).step).toBe(step);
  });

  it.each<State>([
    { phase: 'starting', cut: true },
    { phase: 'reconnecting', played: true, cut: true },
  ])('says that the network blocks video, and that the page tries again by itself, in %j', (state) => {
    expect(content(state)).toMatchObject({ mark: 'shield', title: 'Your network blocks the video', offers: [] });
    expect(content(state).hint).toBe(DEFAULT_TEXTS['waiting.hint']);
  });

  it("shows the server's words, and the queue, in place of what the network does", () => {
    const told = content({ phase: 'reconnecting', played: true, cut: true, text: 'all busy' });
    expect(told).toMatchObject({ title: 'Reconnecting', detail: 'All busy.' });
    expect(content({ phase: 'queued', position: 2, cut: true }).title).toBe('You are in the queue');
  });

  it.each<[Partial<Extract<State, { phase: 'queued' }>>, string, readonly string[]]>([
    [{ position: 3, ahead: 2, etaSeconds: 120 }, 'You are in the queue', ['3', '2', '2 min']],
    [{ position: 3 }, 'You are in the queue', ['3', '2', '–']],
    [{ ahead: 1 }, 'You are in the queue', ['2', '1', '–']],
    [{ position: 1, ahead: 0, etaSeconds: 3 }, 'You are next', ['1', '0', '10 s']],
    [{ etaSeconds: 60 }, 'Waiting for a free stream', ['1 min']],
    [{}, 'Waiting for a free stream', []],
  ])('shows the place in the queue: %j', (place, title, facts) => {
    const words = content({ phase: 'queued', ...place });
    expect(words.title).toBe(title);
    expect(values(words)).toEqual(facts);
    expect(words.hint).toBe(DEFAULT_TEXTS['queued.hint']);
  });

  it('says the place in whole sentences to those who listen, and shortly in the tab', () => {
    const words = content({ phase: 'queued', position: 2, ahead: 1, etaSeconds: 60 });
    expect(words.announcement).toBe(
      `You are in the queue. You are number 2 in the queue. One person is ahead of you. The wait is about 1 min. ${DEFAULT_TEXTS['queued.hint']}`,
    );
    expect(words.tab).toBe('2 in the queue');
    expect(content({ phase: 'queued', position: 1 }).announcement).not.toContain('ahead of you');
    expect(content({ phase: 'queued', position: 9 }).announcement).toContain('8 people are ahead of you.');
  });

  it("shows the matchmaker's own words where it knows no place", () => {
    expect(content({ phase: 'queued', text: 'all streams are busy' }).detail).toBe('All streams are busy.');
    expect(content({ phase: 'queued', position: 2, text: 'unused' })).not.toHaveProperty('detail');
  });

  it.each(WAITS)('says what is waited for, and offers not to wait: %s', (cause) => {
    const words = content({ phase: 'waiting', cause });
    expect(words).toMatchObject({ hint: DEFAULT_TEXTS['waiting.hint'], offers: [{ act: 'retry', label: 'Try now' }] });
    expect(words.detail).toBe(DEFAULT_TEXTS[`waiting.${cause}.detail`]);
  });

  it('asks for a click where the browser does', () => {
    expect(content({ phase: 'blocked' }).offers).toEqual([{ act: 'play', label: 'Play' }]);
  });

  it.each(CAUSES)('says why it is over and what now: %s', (cause) => {
    const words = content({ phase: 'ended', cause });
    expect(words.title).not.toBe('');
    expect(words.detail).toMatch(/\.$/);
    expect(words.announcement).toBe(`${words.title}. ${words.detail ?? ''}`);
  });

  it.each<[EndCause, readonly string[]]>([
    ['over', ['Start again']],
    ['unreachable', ['Try again']],
    ['network', ['Try again', 'Copy the link']],
    ['unsupported', ['Copy the link']],
    ['kicked', []],
    ['link', []],
  ])('offers what helps, and nothing that does not, after "%s"', (cause, labels) => {
    expect(content({ phase: 'ended', cause }).offers.map(({ label }) => label)).toEqual(labels);
  });

  it("puts the server's reason in place of its own", () => {
    expect(content({ phase: 'ended', cause: 'refused', text: 'the time is up' }).detail).toBe('The time is up.');
    expect(content({ phase: 'reconnecting', played: true, text: 'Back soon!' }).detail).toBe('Back soon!');
    expect(content({ phase: 'waiting', cause: 'no-service', text: 'closed on Sundays' }).detail).toBe('Closed on Sundays.');
  });

  it('names the code for whoever runs the service', () => {
    expect(content({ phase: 'ended', cause: 'kicked', code: 4201 }).reference).toBe('Code 4201');
    expect(content({ phase: 'ended', cause: 'kicked' })).not.toHaveProperty('reference');
  });

  it('speaks in the texts that it is given', () => {
    const texts = { ...DEFAULT_TEXTS, 'queued.next': 'Gleich', 'queued.say.place': 'Platz {place}.' };
    const words = overlayContent({ phase: 'queued', position: 1 }, texts);
    expect(words?.title).toBe('Gleich');
    expect(words?.announcement).toContain('Platz 1.');
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '10 s'],
    [9.9, '10 s'],
    [41.5, '50 s'],
    [55, '1 min'],
    [89, '1 min'],
    [90, '2 min'],
    [3540, '59 min'],
    [3600, '1 h'],
    [7200, '2 h'],
  ])('tells %d s as a person would', (seconds, words) => {
    expect(formatDuration(seconds, DEFAULT_TEXTS)).toBe(words);
  });
});

describe('shutdownNotice', () => {
  it("says it in the page's words, and adds the server's", () => {
    expect(shutdownNotice(undefined, DEFAULT_TEXTS)).toBe('This stream will end soon.');
    expect(shutdownNotice('maintenance at six', DEFAULT_TEXTS)).toBe('This stream will end soon: maintenance at six');
  });
});
