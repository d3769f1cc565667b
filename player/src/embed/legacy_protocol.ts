import type { State } from '../state';
import type { PlayerApi } from './bridge';
import { isInteraction, parseControl } from './requests';

/** A state change in the legacy protocol. */
export interface Notice {
  readonly ok: boolean;
  readonly type: string;
  readonly status: string;
}

type LegacyFunction = (args: readonly unknown[], player: PlayerApi) => string | undefined;

/** The functions that `page.json` can allow, by their names in the protocol. Each returns an error, or undefined. */
const FUNCTIONS: Readonly<Record<string, LegacyFunction>> = {
  emitUIInteraction: ([value], player) =>
    isInteraction(value) ? sent(player.interact(value)) : 'the argument must be an object or a string',
  emitCommand: ([value], player) =>
    typeof value === 'object' && isInteraction(value) ? sent(player.command(value)) : 'the argument must be an object',
  emitSocketInteraction: ([action, payload], player) => {
    const request = parseControl(action, payload);
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
 * @param allowed - the functions that `page.json` lists
 * @returns an error, or undefined when the function was called
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
  const call = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
  return call === undefined ? 'unknown function' : call(args, player);
}

/** The notices for a change of state; none while the phase stays the same. */
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
