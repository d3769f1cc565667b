import { expect, it } from 'vitest';
import { EventHub } from '../src/core/player_events';

it('passes events to the listeners of their name until they are removed', () => {
  const hub = new EventHub<{ state: string; stats: number }>();
  const seen: unknown[] = [];
  const remove = hub.on('state', (state) => seen.push(['first', state]));
  hub.on('state', (state) => seen.push(['second', state]));
  hub.emit('stats', 1);
  hub.emit('state', 'queued');
  remove();
  hub.emit('state', 'playing');
  expect(seen).toEqual([
    ['first', 'queued'],
    ['second', 'queued'],
    ['second', 'playing'],
  ]);
});
