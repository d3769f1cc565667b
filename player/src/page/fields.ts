/** Collects what is wrong with a document while the rest of it is still used. */
export type Warn = (problem: string) => void;

/** The fields of a JSON object; none when `value` is something else. */
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

/** The entries of a list that `accept` takes, at most `most` of them. */
export function stringList(
  value: unknown,
  where: string,
  most: number,
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
  if (value.length > most) {
    warn(`${where}: only the first ${String(most)} are used`);
  }
  const accepted = value.slice(0, most).flatMap((entry: unknown) => {
    const taken = typeof entry === 'string' ? accept(entry) : undefined;
    if (taken === undefined) {
      warn(`${where}: ${JSON.stringify(entry)} is not understood`);
    }
    return taken ?? [];
  });
  return [...new Set(accepted)];
}

/** Complains of every field that is not one of `known`. */
export function warnUnknownFields(
  fields: Readonly<Record<string, unknown>>,
  known: readonly string[],
  where: string,
  warn: Warn,
): void {
  for (const name of Object.keys(fields)) {
    if (!known.includes(name)) {
      warn(`${where}${name}: no such field`);
    }
  }
}
