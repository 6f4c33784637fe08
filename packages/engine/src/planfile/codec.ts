import { markWithPaths, unmarkDeepWithPaths } from "@millwright/value/marks";
import { decodeMsgpack, encodeMsgpack } from "@millwright/value/msgpack";
import type { Path } from "@millwright/value/path";
import { dynamicType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import { invariant } from "@millwright/core/errors";

/** A value as a plan file holds it: MessagePack with its own type, unknowns with what is known of them, and marks by path. */
export type PlainValue = {
  readonly value: string;
  readonly marks?: readonly { readonly path: readonly PlainStep[]; readonly marks: readonly string[] }[];
};

/** An attribute by name, or an index as a value. */
export type PlainStep = string | { readonly index: string };

export function encodeValue(value: Value): PlainValue {
  const [bare, marks] = unmarkDeepWithPaths(value);
  const text = bytesToText(encodeMsgpack(bare, dynamicType));
  if (marks.length === 0) return { value: text };
  return { value: text, marks: marks.map((entry) => ({ path: encodePath(entry.path), marks: [...entry.marks] })) };
}

/** Reads what {@link encodeValue} wrote. Throws where the text is damaged. */
export function decodeValue(plain: PlainValue): Value {
  const decoded = decodeMsgpack(textToBytes(plain.value), dynamicType);
  invariant(decoded.ok, "a value of a plan file can be read");
  if (!plain.marks) return decoded.value;
  return markWithPaths(
    decoded.value,
    plain.marks.map(({ path, marks }) => ({ path: decodePath(path), marks: new Set(marks) })),
  );
}

export function encodePath(path: Path): PlainStep[] {
  return path.map((step) => ("attribute" in step ? step.attribute : { index: encodeValue(step.index).value }));
}

export function decodePath(steps: readonly PlainStep[]): Path {
  return steps.map((step) =>
    typeof step === "string" ? { attribute: step } : { index: decodeValue({ value: step.index }) },
  );
}

export function bytesToText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

export function textToBytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "base64"));
}
