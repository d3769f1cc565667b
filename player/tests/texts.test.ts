import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DEFAULT_TEXTS, interpolate, isTextKey } from '../src/texts';

describe('interpolate', () => {
  it('replaces placeholders, and keeps unknown ones', () => {
    expect(interpolate('{a} of {b}, {a}', { a: 1, b: 'two' })).toBe('1 of two, 1');
    expect(interpolate('{toString} {missing}', {})).toBe('{toString} {missing}');
  });

  it('does not interpolate values', () => {
    expect(interpolate('{a}{b}', { a: '{b}', b: 'x' })).toBe('{b}x');
  });
});

describe('isTextKey', () => {
  it('accepts keys of texts, and no inherited properties', () => {
    expect(isTextKey('connecting.title')).toBe(true);
    expect(isTextKey('toString')).toBe(false);
  });
});

describe('index.html', () => {
  const html = readFileSync(new URL('../index.html', import.meta.url), 'utf8');

  it('refers to existing texts only', () => {
    const named = [...html.matchAll(/data-(?:text|label)="([^"]*)"/g)].map(([, key]) => key ?? '');
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((key) => !isTextKey(key))).toEqual([]);
  });

  it('has the same initial texts as the script', () => {
    expect(html).toContain(`>${DEFAULT_TEXTS['connecting.title']}</h1>`);
    expect(html).toContain(`<title>${DEFAULT_TEXTS['page.name']}</title>`);
  });

  it('complies with a strict content security policy', () => {
    expect(html).not.toMatch(/ (style|on[a-z]+)=|<style|<script(?! type="module" src=)|javascript:|https?:\/\//);
  });
});
