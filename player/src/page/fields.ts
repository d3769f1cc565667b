/** Reports an invalid part of a document. */
export type Warn = (problem: string) => void;

/** Returns the fields of a JSON object; none when `value` is undefined or not an object. */
export function objectFields(value: unknown, where: string, warn: Warn): Readonly<Record<string, unknown>> {
  if (value === undefined) {
    return {};
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    warn(`${where}: must be an object`);
    return {};
  }
  return value as Record<string, unknown>;
}

/** Returns the distinct entries of a list of at most `max` strings, as `accept` normalizes them. */
export function stringList(
  value: unknown,
  where: string,
  max: number,
  accept: (entry: string) => string | undefined,
  warn: Warn,
): readonly string[] {
  if (value === undefined) {
    return [];
  }
  if (!Array.isArray(value)) {
    warn(`${where}: must be a list`);
    return [];
  }
  if (value.length > max) {
    warn(`${where}: only the first ${String(max)} are used`);
  }
  const accepted = value.slice(0, max).flatMap((entry: unknown) => {
    const normalized = typeof entry === 'string' ? accept(entry) : undefined;
    if (normalized === undefined) {
      warn(`${where}: ${JSON.stringify(entry)} is not valid`);
    }
    return normalized ?? [];
  });
  return [...new Set(accepted)];
}

/** Returns a field that is true or false; false when it is missing or invalid. */
export function flag(value: unknown, where: string, warn: Warn): boolean {
  if (value !== undefined && typeof value !== 'boolean') {
    warn(`${where}: must be true or false`);
  }
  return value === true;
}

/** Warns of each field that is not one of `known`. */
export function warnUnknownFields(
  fields: Readonly<Record<string, unknown>>,
  known: readonly string[],
  where: string,
  warn: Warn,
): void {
  for (const name of Object.keys(fields)) {
    if (!known.includes(name)) {
      warn(`${where}${name}: unknown field`);
    }
  }
}
