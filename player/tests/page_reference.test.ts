import { Flags, NumericParameters, OptionParameters, TextParameters } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { URL_FLAGS, URL_NUMBERS } from '../src/connection/settings';

const PAGE = readFileSync(new URL('../../docs/reference/page.md', import.meta.url), 'utf8');
const ROWS = [...PAGE.matchAll(/^\| `(\w+)` \| (yes|no) \| (.+) \|$/gm)].map(([, name = '', url]) => ({ name, url }));

/** A flag of the UI library alone. */
const LIGHT_MODE = 'LightMode';

/** Those that the library reads from the URL in any case. */
const READ_BY_THE_LIBRARY: readonly string[] = Object.values(OptionParameters);

describe("the table of Epic's settings", () => {
  it('has each setting of the library once', () => {
    const settings = [Flags, NumericParameters, TextParameters, OptionParameters].flatMap(
      (names) => Object.values(names) as string[],
    );
    expect(ROWS.map(({ name }) => name).sort()).toEqual([...settings, LIGHT_MODE].sort());
  });

  it('names the URL parameters of the page', () => {
    const parameters = [...URL_FLAGS, ...Object.keys(URL_NUMBERS), ...READ_BY_THE_LIBRARY];
    expect(ROWS.filter(({ url }) => url === 'yes').map(({ name }) => name).sort()).toEqual(parameters.sort());
  });
});
