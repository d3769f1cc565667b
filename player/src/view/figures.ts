import type { Texts } from '../texts';

/** Whether a unit is abbreviated, or written in full for screen readers. */
export type UnitDisplay = 'short' | 'long';

/** Digits are 0 to 9 in all languages, as in the texts. */
const DIGITS = { numberingSystem: 'latn' } as const;

/** Formats a number with `digits` decimals in the language of the texts. */
export function formatNumber(value: number, digits: number, texts: Texts): string {
  return new Intl.NumberFormat(texts['page.language'], {
    ...DIGITS,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(value);
}

/** Formats a number with its unit in the language of the texts, for example "5 min" or "5 minutes". */
export function formatUnit(
  value: number,
  unit: 'second' | 'minute' | 'hour',
  texts: Texts,
  unitDisplay: UnitDisplay,
): string {
  return new Intl.NumberFormat(texts['page.language'], { ...DIGITS, style: 'unit', unit, unitDisplay }).format(value);
}
