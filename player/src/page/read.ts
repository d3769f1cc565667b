/** Collects what is wrong with a document while the rest of it is still used. */
export type Complain = (problem: string) => void;

/** The fields of a JSON object; none when `value` is something else. */
export function fieldsOf(value: unknown, where: string, complain: Complain): Readonly<Record<string, unknown>> {
  if (value === undefined) {
    return {};
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    complain(`${where}: must be an object`);
    return {};
  }
  return value as Record<string, unknown>;
}

/** The entries of a list that `accept` takes, at most `most` of them. */
export function listOf(
  value: unknown,
  where: string,
  most: number,
  accept: (entry: string) => string | undefined,
  complain: Complain,
): readonly string[] {
  if (value === undefined) {
    return [];
  }
  if (!Array.isArray(value)) {
    complain(`${where}: must be a list`);
    return [];
  }
  if (value.length > most) {
    complain(`${where}: only the first ${String(most)} are used`);
  }
  const accepted = value.slice(0, most).flatMap((entry: unknown) => {
    const taken = typeof entry === 'string' ? accept(entry) : undefined;
    if (taken === undefined) {
      complain(`${where}: ${JSON.stringify(entry)} is not understood`);
    }
    return taken ?? [];
  });
  return [...new Set(accepted)];
}

/** Complains of every field that is not one of `known`. */
export function onlyKnown(
  fields: Readonly<Record<string, unknown>>,
  known: readonly string[],
  where: string,
  complain: Complain,
): void {
  for (const name of Object.keys(fields)) {
    if (!known.includes(name)) {
      complain(`${where}${name}: no such field`);
    }
  }
}
