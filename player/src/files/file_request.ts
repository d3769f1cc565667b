/** A request of the application for files, which it sends as a response: the page sends no file without one. */
export interface FileRequest {
  /** The accepted media types, such as "image/png" or "image/*"; none accepts all. */
  readonly types: readonly string[];
  /** The size of the largest accepted file. */
  readonly maxBytes: number;
}

/** The size of the largest file if the application names none, and the highest that it may name. */
export const DEFAULT_BYTES = 10_000_000;
export const MAX_BYTES = 100_000_000;

/** The bytes of one part: as base64 in UTF-16 it fits a data channel message of 64 KiB. */
export const PART_BYTES = 12_288;

const MAX_TYPES = 16;
const MAX_NAME_LENGTH = 200;

/**
 * Parses a response of the application: `{"pixelfleet": "files", "accept": true, [types], [maxBytes]}`.
 *
 * @returns the request; "none" when the application accepts no more files; undefined for any other response
 */
export function parseFileRequest(text: string): FileRequest | 'none' | undefined {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return undefined;
  }
  const fields = typeof message === 'object' && message !== null ? (message as Readonly<Record<string, unknown>>) : {};
  if (fields['pixelfleet'] !== 'files') {
    return undefined;
  }
  if (fields['accept'] !== true) {
    return 'none';
  }
  const { types, maxBytes } = fields;
  const isType = (type: unknown): type is string => typeof type === 'string' && /^[\w.+-]+\/[\w.+*-]+$/.test(type);
  return {
    types: Array.isArray(types) ? types.filter(isType).slice(0, MAX_TYPES) : [],
    maxBytes:
      typeof maxBytes === 'number' && maxBytes > 0 ? Math.min(Math.floor(maxBytes), MAX_BYTES) : DEFAULT_BYTES,
  };
}

/** Whether the application accepts a file. */
export function accepts({ types, maxBytes }: FileRequest, file: Pick<File, 'size' | 'type'>): boolean {
  const matches = (type: string): boolean =>
    type.endsWith('/*') ? file.type.startsWith(type.slice(0, -1)) : file.type === type;
  return file.size <= maxBytes && (types.length === 0 || types.some(matches));
}

/** The messages of a file, in order: its name and size, its parts in base64, and its end. */
export function* fileMessages(
  id: number,
  file: Pick<File, 'name' | 'type'>,
  content: Uint8Array,
): Generator<Readonly<Record<string, string | number>>> {
  const parts = Math.ceil(content.length / PART_BYTES);
  const name = file.name.slice(0, MAX_NAME_LENGTH);
  yield { pixelfleet: 'file', file: id, name, type: file.type, size: content.length, parts };
  for (let part = 0; part < parts; part += 1) {
    const bytes = content.subarray(part * PART_BYTES, (part + 1) * PART_BYTES);
    yield { pixelfleet: 'file-part', file: id, part, data: btoa(String.fromCharCode(...bytes)) };
  }
  yield { pixelfleet: 'file-end', file: id };
}
