import { describe, expect, it } from 'vitest';
import { PressedKeys } from '../src/input/pressed_keys';

describe('PressedKeys', () => {
  it('gives a key that comes up to whoever saw it go down', () => {
    const owners = new PressedKeys();
    owners.down('AltLeft', false);
    owners.down('KeyC', true);
    expect(owners.up('KeyC')).toBe(true);
    expect(owners.up('AltLeft')).toBe(false);
    expect(owners.up('KeyC')).toBe(false);
  });

  it('goes by the last time that a key went down', () => {
    const owners = new PressedKeys();
    owners.down('Escape', true);
    owners.down('Escape', false);
    expect(owners.up('Escape')).toBe(false);
  });

  it('forgets what it will not see come up', () => {
    const owners = new PressedKeys();
    owners.down('Escape', true);
    owners.forget();
    expect(owners.up('Escape')).toBe(false);
  });
});
