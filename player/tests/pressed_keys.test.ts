import { describe, expect, it } from 'vitest';
import { PressedKeys } from '../src/input/pressed_keys';

describe('PressedKeys', () => {
  it('sends a release where the press went', () => {
    const keys = new PressedKeys();
    keys.down('AltLeft', false);
    keys.down('KeyC', true);
    expect(keys.up('KeyC')).toBe(true);
    expect(keys.up('AltLeft')).toBe(false);
    expect(keys.up('KeyC')).toBe(false);
  });

  it('uses the last press of a key', () => {
    const keys = new PressedKeys();
    keys.down('Escape', true);
    keys.down('Escape', false);
    expect(keys.up('Escape')).toBe(false);
  });

  it('forgets all keys on clear', () => {
    const keys = new PressedKeys();
    keys.down('Escape', true);
    keys.clear();
    expect(keys.up('Escape')).toBe(false);
  });
});
