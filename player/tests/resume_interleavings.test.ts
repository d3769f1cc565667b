import { describe, expect, it } from 'vitest';
import { randomOf, World, type Fault } from './resume_model';

const RUNS = 400;
const STEPS = 300;

/** Returns 0, 1, 2 … */
function numbersTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, number) => number);
}

/** Does random things in a new world, and then lets everything arrive. */
function live(seed: number, bound: number, fault?: Fault): World {
  const random = randomOf(seed);
  const world = new World(random, bound, fault);
  for (let step = 0; step < STEPS; step += 1) {
    const choice = random();
    if (choice < 0.1) {
      world.librarySends();
    } else if (choice < 0.2) {
      world.serverSends();
    } else if (choice < 0.23) {
      world.breakSocket(random() < 0.7);
    } else if (choice < 0.3) {
      world.wait(random() * 2_000);
    } else {
      world.deliver();
    }
  }
  world.settle();
  return world;
}

/** Each message arrived exactly once and in order: all of them, or those before an end that has a code. */
function expectOrder(world: World): void {
  const { fromLibrary, fromServer } = world.numbers;
  expect(world.atLibrary).toEqual(numbersTo(world.atLibrary.length));
  expect(world.atServer).toEqual(numbersTo(world.atServer.length));
  if (world.ended === undefined) {
    expect(world.atLibrary).toHaveLength(fromServer);
    expect(world.atServer).toHaveLength(fromLibrary);
  } else {
    expect([1006, 4008]).toContain(world.ended);
  }
}

describe('any interleaving of messages, losses and returns', () => {
  it('delivers each message once and in order', () => {
    let survived = 0;
    for (let seed = 0; seed < RUNS; seed += 1) {
      const world = live(seed, 256);
      expectOrder(world);
      survived += world.ended === undefined ? 1 : 0;
    }
    expect(survived).toBeGreaterThan(RUNS / 2);
  });

  it('ends with a code when the server no longer keeps what is missing', () => {
    const codes = new Set<number | undefined>();
    for (let seed = 0; seed < RUNS; seed += 1) {
      const world = live(seed, 6);
      expectOrder(world);
      codes.add(world.ended);
    }
    expect(codes).toContain(4008);
    expect(codes).toContain(undefined);
  });

  it.each<Fault>(['skips', 'repeats', 'forgets-count'])('is checked: a server that %s is found', (fault) => {
    expect(() => {
      for (let seed = 0; seed < RUNS; seed += 1) {
        expectOrder(live(seed, 256, fault));
      }
    }).toThrow();
  });
});
