import { describe, expect, it } from 'vitest';
import type { EndCause, State, WaitCause } from '../src/state';
import { DEFAULT_TEXTS } from '../src/texts';
import { formatDuration, shutdownNotice, overlayContent, type OverlayContent } from '../src/view/overlay_content';

const contentOf = (state: State): OverlayContent => {
  const content = overlayContent(state, DEFAULT_TEXTS);
  if (content === undefined) {
    throw new Error(`no content in ${state.phase}`);
  }
  return content;
};

const values = (content: OverlayContent): readonly string[] => content.facts.map(({ value }) => value);

const CAUSES: readonly EndCause[] = [
  'over', 'left', 'kicked', 'elsewhere', 'time-over', 'idle', 'not-allowed', 'too-many-sessions', 'no-minutes', 'refused', 'origin', 'not-found', 'incompatible', 'unreachable', 'no-video', 'codec',
  'configuration', 'network', 'link', 'unsupported',
];
const WAITS: readonly WaitCause[] = [
  'no-streamer', 'full', 'closing', 'queue-timeout', 'too-fast', 'no-service', 'gateway',
];

describe('overlayContent', () => {
  it('offers a sign-in to a refused player where there is one', () => {
    const state: State = { phase: 'ended', cause: 'not-allowed', code: 4200 };
    expect(contentOf(state).buttons).toEqual([{ action: 'retry', label: 'Try again' }]);
    expect(overlayContent(state, DEFAULT_TEXTS, true)).toMatchObject({
      title: 'Sign in to play',
      buttons: [{ action: 'sign-in', label: 'Sign in' }],
      reference: 'Code 4200',
    });
    expect(overlayContent({ phase: 'ended', cause: 'kicked' }, DEFAULT_TEXTS, true)?.buttons).toEqual([]);
  });

  it('is undefined while playing', () => {
    expect(overlayContent({ phase: 'playing', ending: true }, DEFAULT_TEXTS)).toBeUndefined();
  });

  it.each<[State, string, OverlayContent['step']]>([
    [{ phase: 'connecting' }, 'Connecting', 'connect'],
    [{ phase: 'queued' }, 'Waiting for a free stream', 'queue'],
    [{ phase: 'queued', unserved: true }, 'No stream is available', 'queue'],
    [{ phase: 'starting' }, 'Starting the stream', 'start'],
    [{ phase: 'reconnecting', played: false }, 'Still connecting', 'connect'],
    [{ phase: 'reconnecting', played: true }, 'Reconnecting', undefined],
  ])('shows the loader without a button in %j', (state, title, step) => {
    expect(contentOf(state)).toMatchObject({ icon: 'busy', title, buttons: [] });
    expect(contentOf(state).step).toBe(step);
  });

  it.each<State>([
    { phase: 'starting', cut: true },
    { phase: 'reconnecting', played: true, cut: true },
  ])('shows that the network blocks the video in %j', (state) => {
    expect(contentOf(state)).toMatchObject({ icon: 'shield', title: 'Your network blocks the video', buttons: [] });
    expect(contentOf(state).hint).toBe(DEFAULT_TEXTS['waiting.hint']);
  });

  it("prefers the server's text and the queue over the blocked network", () => {
    const content = contentOf({ phase: 'reconnecting', played: true, cut: true, text: 'all busy' });
    expect(content).toMatchObject({ title: 'Reconnecting', detail: 'All busy.' });
    expect(contentOf({ phase: 'queued', position: 2, cut: true }).title).toBe('You are in the queue');
  });

  it.each<[Partial<Extract<State, { phase: 'queued' }>>, string, readonly string[]]>([
    [{ position: 3, ahead: 2, etaSeconds: 120 }, 'You are in the queue', ['3', '2', '2 min']],
    [{ position: 3 }, 'You are in the queue', ['3', '2', '–']],
    [{ ahead: 1 }, 'You are in the queue', ['2', '1', '–']],
    [{ position: 1, ahead: 0, etaSeconds: 3 }, 'You are next', ['1', '0', '10 sec']],
    [{ etaSeconds: 60 }, 'Waiting for a free stream', ['1 min']],
    [{}, 'Waiting for a free stream', []],
  ])('shows the position in the queue: %j', (place, title, facts) => {
    const content = contentOf({ phase: 'queued', ...place });
    expect(content.title).toBe(title);
    expect(values(content)).toEqual(facts);
    expect(content.hint).toBe(DEFAULT_TEXTS['queued.hint']);
  });

  it('announces the position in sentences, and shows it in the tab', () => {
    const content = contentOf({ phase: 'queued', position: 2, ahead: 1, etaSeconds: 60 });
    expect(content.announcement).toBe(
      `You are in the queue. You are number 2 in the queue. One person is ahead of you. The estimated wait is 1 minute. ${DEFAULT_TEXTS['queued.hint']}`,
    );
    expect(content.tab).toBe('No. 2 in the queue');
    expect(contentOf({ phase: 'queued', position: 1 }).announcement).not.toContain('ahead of you');
    expect(contentOf({ phase: 'queued', position: 9 }).announcement).toContain('8 people are ahead of you.');
  });

  it("shows the matchmaker's text if there is no position", () => {
    expect(contentOf({ phase: 'queued', text: 'all streams are busy' }).detail).toBe('All streams are busy.');
    expect(contentOf({ phase: 'queued', position: 2, text: 'unused' })).not.toHaveProperty('detail');
  });

  it.each(WAITS)('explains the wait and has a retry button: %s', (cause) => {
    const content = contentOf({ phase: 'waiting', cause });
    expect(content).toMatchObject({ hint: DEFAULT_TEXTS['waiting.hint'], buttons: [{ action: 'retry', label: 'Try now' }] });
    expect(content.detail).toBe(DEFAULT_TEXTS[`waiting.${cause}.detail`]);
  });

  it('names a proxy that blocks the connection, and what helps', () => {
    const content = contentOf({ phase: 'waiting', cause: 'upgrade', code: 426 });
    expect(content).toMatchObject({ icon: 'shield', title: 'A proxy blocks the connection', reference: 'Code 426' });
    expect(content.hint).toBe(DEFAULT_TEXTS['waiting.upgrade.hint']);
  });

  it('says what the page waited for in vain', () => {
    const ended = (waited: WaitCause): OverlayContent => contentOf({ phase: 'ended', cause: 'unreachable', waited });
    expect(ended('full')).toMatchObject({ title: 'All places are taken', buttons: [{ label: 'Try again' }] });
    expect(ended('full')).not.toHaveProperty('hint');
    expect(ended('upgrade').hint).toBe(DEFAULT_TEXTS['waiting.upgrade.hint']);
    expect(contentOf({ phase: 'ended', cause: 'unreachable' }).title).toBe('The server cannot be reached');
  });

  it('has a play button while blocked', () => {
    expect(contentOf({ phase: 'blocked' }).buttons).toEqual([{ action: 'play', label: 'Play' }]);
  });

  it('has a play button while the browser has paused the video', () => {
    const content = contentOf({ phase: 'blocked', paused: true });
    expect(content).toMatchObject({ title: 'The video is paused', buttons: [{ action: 'play', label: 'Play' }] });
    expect(content).not.toHaveProperty('step');
  });

  it.each(CAUSES)('explains the end: %s', (cause) => {
    const content = contentOf({ phase: 'ended', cause });
    expect(content.title).not.toBe('');
    expect(content.detail).toMatch(/\.$/);
    expect(content.announcement).toBe(`${content.title}. ${content.detail ?? ''}`);
  });

  it.each<[EndCause, readonly string[]]>([
    ['over', ['Play again']],
    ['unreachable', ['Try again']],
    ['network', ['Try again', 'Copy link']],
    ['incompatible', ['Reload page']],
    ['codec', ['Copy link', 'Try again']],
    ['unsupported', ['Copy link']],
    ['kicked', []],
    ['link', []],
  ])('has the buttons for "%s"', (cause, labels) => {
    expect(contentOf({ phase: 'ended', cause }).buttons.map(({ label }) => label)).toEqual(labels);
  });

  it("shows the server's reason in place of the default detail", () => {
    expect(contentOf({ phase: 'ended', cause: 'refused', text: 'the time is up' }).detail).toBe('The time is up.');
    expect(contentOf({ phase: 'reconnecting', played: true, text: 'Back soon!' }).detail).toBe('Back soon!');
    expect(contentOf({ phase: 'waiting', cause: 'no-service', text: 'closed on Sundays' }).detail).toBe('Closed on Sundays.');
  });

  it.each([true, false])('has a button once several attempts have failed, after video that played: %s', (played) => {
    const lasting = contentOf({ phase: 'reconnecting', played, lasting: true });
    expect(lasting.buttons).toEqual([{ action: 'retry', label: 'Try now' }]);
    expect(lasting.detail).toBe('The server has not responded yet. The page keeps trying.');
  });

  it('shows the close code for the operator', () => {
    expect(contentOf({ phase: 'ended', cause: 'kicked', code: 4201 }).reference).toBe('Code 4201');
    expect(contentOf({ phase: 'ended', cause: 'kicked' })).not.toHaveProperty('reference');
  });

  it.each([
    ['H264', 'H.264', DEFAULT_TEXTS['ended.codec.hint.h264']],
    ['H265', 'H.265', undefined],
    ['AV1, VP9', 'AV1, VP9', undefined],
    ['VP8, h264', 'VP8, H.264', DEFAULT_TEXTS['ended.codec.hint.h264']],
  ])('names the codec that the browser lacks: %s', (codec, name, hint) => {
    const content = contentOf({ phase: 'ended', cause: 'codec', codec });
    expect(content.detail).toContain(`the video codec ${name}, which this browser does not support.`);
    expect(content.hint).toBe(hint);
  });

  it("shows the browser's error for the operator", () => {
    const content = contentOf({ phase: 'ended', cause: 'configuration', code: 4205, error: 'Invalid port' });
    expect(content).toMatchObject({ detail: DEFAULT_TEXTS['ended.configuration.detail'], reference: 'Code 4205: Invalid port' });
  });

  it('uses the given texts', () => {
    const texts = { ...DEFAULT_TEXTS, 'queued.next': 'Gleich', 'queued.say.place': 'Platz {place}.' };
    const content = overlayContent({ phase: 'queued', position: 1 }, texts);
    expect(content?.title).toBe('Gleich');
    expect(content?.announcement).toContain('Platz 1.');
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '10 sec'],
    [9.9, '10 sec'],
    [41.5, '50 sec'],
    [55, '1 min'],
    [89, '1 min'],
    [90, '2 min'],
    [3540, '59 min'],
    [3600, '1 hr'],
    [7200, '2 hr'],
  ])('formats %d s as %s', (seconds, expected) => {
    expect(formatDuration(seconds, DEFAULT_TEXTS)).toBe(expected);
  });
});

describe('shutdownNotice', () => {
  it("adds the server's reason", () => {
    expect(shutdownNotice(undefined, DEFAULT_TEXTS)).toBe('This stream will end soon.');
    expect(shutdownNotice('maintenance at six', DEFAULT_TEXTS)).toBe('This stream will end soon: maintenance at six');
  });

  it('writes the unit in the language of the texts, or as the operator does', () => {
    expect(formatDuration(7200, { ...DEFAULT_TEXTS, 'page.language': 'de' })).toBe('2 Std.');
    expect(formatDuration(7200, { ...DEFAULT_TEXTS, 'page.language': 'ja' }, 'long')).toBe('2 時間');
    expect(formatDuration(300, { ...DEFAULT_TEXTS, 'page.language': 'ar' })).toBe('5 د');
    expect(formatDuration(300, { ...DEFAULT_TEXTS, 'duration.minutes': '{count} minutos' })).toBe('5 minutos');
  });
});
