import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DEFAULT_TEXTS, interpolate, isTextKey } from '../src/texts';

describe('interpolate', () => {
  it('puts values where they are named, and leaves other names alone', () => {
    expect(interpolate('{a} of {b}, {a}', { a: 1, b: 'two' })).toBe('1 of two, 1');
    expect(interpolate('{toString} {missing}', {})).toBe('{toString} {missing}');
  });

  it('does not fill what a value contains', () => {
    expect(interpolate('{a}{b}', { a: '{b}', b: 'x' })).toBe('{b}x');
  });
});

describe('isTextKey', () => {
  it('knows the texts of the page, and nothing of their prototype', () => {
    expect(isTextKey('connecting.title')).toBe(true);
    expect(isTextKey('toString')).toBe(false);
  });
});

describe('index.html', () => {
  const html = readFileSync(new URL('../index.html', import.meta.url), 'utf8');

  it('names only texts that there are', () => {
    const named = [...html.matchAll(/data-(?:text|label)="([^"]*)"/g)].map(([, key]) => key ?? '');
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((key) => !isTextKey(key))).toEqual([]);
  });

  it('shows before any script what the script would show first', () => {
    expect(html).toContain(`>${DEFAULT_TEXTS['connecting.title']}</h1>`);
    expect(html).toContain(`<title>${DEFAULT_TEXTS['page.name']}</title>`);
  });

  it('has nothing in it that a strict content security policy forbids', () => {
    expect(html).not.toMatch(/ (style|on[a-z]+)=|<style|<script(?! type="module" src=)|javascript:|https?:\/\//);
  });
});
