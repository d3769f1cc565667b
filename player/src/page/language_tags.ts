/** Returns a language tag in its canonical form, such as `pt-BR`; undefined for a text that is no language tag. */
export function canonicalTag(text: string): string | undefined {
  try {
    return Intl.getCanonicalLocales(text)[0];
  } catch {
    return undefined;
  }
}

/**
 * Returns the language of `available` that fits best, or undefined.
 *
 * A language fits when language and script are the same: `es` fits `es-MX`, and `zh-CN` fits `zh-SG` but not `zh-TW`.
 *
 * @param wanted - language tags, the preferred one first; invalid ones are ignored
 * @param available - canonical language tags
 */
export function chooseLanguage(wanted: readonly string[], available: readonly string[]): string | undefined {
  for (const text of wanted) {
    const tag = canonicalTag(text);
    if (tag === undefined) {
      continue;
    }
    const full = new Intl.Locale(tag).maximize();
    const fitting = available.filter((each) => {
      const { language, script } = new Intl.Locale(each).maximize();
      return language === full.language && script === full.script;
    });
    const found =
      fitting.find((each) => each === tag) ??
      fitting.find((each) => tag.startsWith(`${each}-`)) ??
      fitting.find((each) => new Intl.Locale(each).maximize().region === full.region) ??
      fitting[0];
    if (found !== undefined) {
      return found;
    }
  }
  return undefined;
}
