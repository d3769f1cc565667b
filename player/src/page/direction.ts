/** Whether a language is written from right to left. */
export function isRightToLeft(tag: string): boolean {
  return ['Arab', 'Hebr', 'Thaa', 'Syrc', 'Nkoo', 'Adlm', 'Rohg'].includes(new Intl.Locale(tag).maximize().script ?? '');
}
