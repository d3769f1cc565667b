import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');

type Tokens = ReadonlyMap<string, string>;

/** Parses the colours (`#rrggbb`) of a style sheet's light and dark scheme, without their branding overrides. */
function tokensOf(css: string): { light: Tokens; dark: Tokens } {
  const [light = '', dark = ''] = css.split('@media (prefers-color-scheme: dark)');
  const parse = (block: string): Tokens =>
    new Map(
      [...block.matchAll(/--([\w-]+): (?:var\(--[\w-]+, )?(#[0-9a-f]{6})\)?;/g)].map(
        ([, name = '', value = '']) => [name, value] as const,
      ),
    );
  return { light: parse(light), dark: parse(dark) };
}

const PAGE = tokensOf(read('../src/style/tokens.css'));
const DASHBOARD = tokensOf(read('../../services/router/dashboard/tokens.css'));
const SHARED = ['accent', 'on-accent', 'ground', 'surface', 'text', 'muted', 'good', 'warning', 'bad'];

describe.each(['light', 'dark'] as const)('colour tokens, %s', (scheme) => {
  it.each(SHARED)('are the same in the dashboard: %s', (name) => {
    expect(PAGE[scheme].get(name)).toMatch(/^#/);
    expect(DASHBOARD[scheme].get(name)).toBe(PAGE[scheme].get(name));
  });

  it("match the browser's theme colour", () => {
    const colour = PAGE[scheme].get('ground') ?? '';
    expect(read('../index.html')).toContain(
      `<meta name="theme-color" content="${colour}" media="(prefers-color-scheme: ${scheme})" />`,
    );
  });
});
