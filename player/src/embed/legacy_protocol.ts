import type { State } from '../state';
import type { PlayerApi } from './bridge';
import { isInteraction, readControl } from './requests';

/** A change that pages written for the older dialect hear of. */
export interface Notice {
  readonly ok: boolean;
  readonly type: string;
  readonly status: string;
}

type Callable = (args: readonly unknown[], player: PlayerApi) => string | undefined;

/** Every function that can be allowed, by the names that those pages use; each returns what is wrong, if anything. */
const FUNCTIONS: Readonly<Record<string, Callable>> = {
  emitUIInteraction: ([value], player) =>
    isInteraction(value) ? sent(player.interact(value)) : 'an object or a text is needed',
  emitCommand: ([value], player) =>
    typeof value === 'object' && isInteraction(value) ? sent(player.command(value)) : 'an object is needed',
  emitSocketInteraction: ([action, payload], player) => {
    const request = readControl(action, payload);
    return typeof request === 'string' ? request : sent(player.control(request.action, request.payload));
  },
  sendStartLatencyTest: (_args, player) => sent(player.testLatency()),
  connect: (_args, player) => {
    player.retry();
    return undefined;
  },
};

/**
 * Calls a function for an embedding page.
 *
 * @param allowed - the functions that the operator has named
 * @returns what is wrong, or undefined when it was done
 */
export function invoke(
  name: string,
  args: readonly unknown[],
  allowed: readonly string[],
  player: PlayerApi,
): string | undefined {
  if (!allowed.includes(name)) {
    return 'not allowed';
  }
  const callable = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
  return callable === undefined ? 'no such function' : callable(args, player);
}

/** What to tell of the way from one state to the next. */
export function noticesFor(before: State, after: State): readonly Notice[] {
  if (before.phase === after.phase) {
    return [];
  }
  switch (after.phase) {
    case 'playing':
      return [{ ok: true, type: 'player', status: 'playing' }];
    case 'reconnecting':
    case 'waiting':
    case 'ended':
      return [{ ok: false, type: 'ws', status: 'closed' }];
    case 'connecting':
    case 'queued':
    case 'starting':
    case 'blocked':
      return [];
  }
}

function sent(done: boolean): string | undefined {
  return done ? undefined : 'the stream is not connected';
}
