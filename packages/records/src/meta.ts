import { invariant } from "@millwright/core/errors";

/** The value of `ROOT/meta`. The public index of a revision is `base + revision`. */
export interface Meta {
  readonly generation: number;
  readonly base: number;
}

/** The base of the first generation: keeps every public index above 1, which clients take for "nothing known yet". */
export const firstBase = 10;

export function encodeMeta(meta: Meta): Uint8Array {
  return Buffer.from(JSON.stringify({ format: 1, ...meta }));
}

export function decodeMeta(value: Uint8Array): Meta {
  const { format, generation, base } = JSON.parse(Buffer.from(value).toString()) as Record<string, unknown>;
  invariant(format === 1, `the store's meta record has format ${String(format)}; this version knows format 1`);
  invariant(Number.isSafeInteger(generation) && Number.isSafeInteger(base), "the store's meta record is damaged");
  return { generation: Number(generation), base: Number(base) };
}
