import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readBranding } from '../src/page/read_branding';
import { readPageSettings } from '../src/page/page_settings';

const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const DOCUMENTS = [...README.matchAll(/```json\n(.*?)```/gs)].map(([, text]) => JSON.parse(text ?? '') as unknown);

describe('example documents in the README', () => {
  it.each([
    ['page.json', readPageSettings, 0],
    ['branding.json', readBranding, 1],
  ])('are valid: %s', (_name, read, at) => {
    const problems: string[] = [];
    read(DOCUMENTS[at], (problem) => problems.push(problem));
    expect(DOCUMENTS).toHaveLength(2);
    expect(problems).toEqual([]);
  });
});
