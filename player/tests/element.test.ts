import { describe, expect, it } from 'vitest';
import { PixelfleetPlayer } from '../src/element/react';
import { definePlayer, PixelfleetPlayerElement } from '../src/element/register';

// The tests run without a document, as a server does that renders pages.
describe('the published modules on a server', () => {
  it('can be imported, and register nothing', () => {
    expect(definePlayer).not.toThrow();
    expect(PixelfleetPlayerElement.observedAttributes).toEqual(['src']);
    expect(PixelfleetPlayer).toBeDefined();
  });
});
