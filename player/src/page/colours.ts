/** The colours that `branding.json` may set, by their names in that file. */
export const COLOURS = ['accent', 'onAccent', 'ground', 'glow', 'surface', 'text', 'muted'] as const;

export type Colour = (typeof COLOURS)[number];

export type Scheme = 'light' | 'dark';

/** Parses `#rgb` or `#rrggbb`; returns undefined for anything else. */
export function parseColour(value: unknown): string | undefined {
  if (typeof value !== 'string' || !/^#([0-9a-f]{3}|[0-9a-f]{6})$/i.test(value)) {
    return undefined;
  }
  const digits = value.slice(1).toLowerCase();
  return `#${digits.length === 3 ? digits.replace(/./g, '$&$&') : digits}`;
}

/** The WCAG 2 contrast ratio of two colours (`#rrggbb`), from 1 to 21. */
export function contrast(one: string, other: string): number {
  const [lighter, darker] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (lighter + 0.05) / (darker + 0.05);
}

/** Returns the text colour with the higher contrast on `background`: near black or white. */
export function readableOn(background: string): string {
  const [dark, light] = ['#0b0e14', '#ffffff'] as const;
  return contrast(dark, background) >= contrast(light, background) ? dark : light;
}

function luminance(hex: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
