import { describe, expect, test } from "vitest";
import { diagnostic, functionError, rawState, timestamp } from "./common.ts";
import type { Draft, MessageType } from "./message.ts";
import { asBytes, bool, bytes, entries, int64, message, nested, notThere, repeated, text } from "./message.ts";
import { MalformedMessage } from "./protobuf-reader.ts";

const inner = message("Inner", { n: int64(1), flag: bool(2) });
const outer = message("Outer", {
  name: text(1),
  data: bytes(2),
  inner: nested(3, () => inner),
  many: repeated(4, () => inner),
  byName: entries(5, () => inner),
  raw: entries(16, () => asBytes),
  gone: notThere("never"),
});

const cases: readonly { name: string; draft: Draft<ReturnType<typeof outer.decode>>; hex: string }[] = [
  { name: "what is absent takes no bytes", draft: { name: "", many: [] }, hex: "" },
  { name: "text in UTF-8", draft: { name: "é" }, hex: "0a02c3a9" },
  { name: "a message inside, though empty", draft: { inner: {} }, hex: "1a00" },
  { name: "a negative number in ten bytes", draft: { inner: { n: -1 } }, hex: "1a0b08ffffffffffffffffff01" },
  { name: "a large number", draft: { inner: { n: 2 ** 40 + 5 } }, hex: "1a07088580808080 20".replace(" ", "") },
  {
    name: "several of a kind, in order",
    draft: { many: [{ n: 1 }, { flag: true }] },
    hex: "220208012202 1001".replace(" ", ""),
  },
  { name: "entries by name", draft: { byName: new Map([["a", { n: 3 }]]) }, hex: "2a070a016112020803" },
  {
    name: "a number of two bytes for its field",
    draft: { raw: new Map([["", Uint8Array.of(9)]]) },
    hex: "820103120109",
  },
];

test.each(cases)("writes and reads $name", ({ draft, hex }) => {
  const encoded = outer.encode(draft);
  expect(encoded.toString("hex")).toBe(hex);
  expect(outer.encode(outer.decode(encoded)).toString("hex")).toBe(hex);
});

test("a field that is not there is neither read nor written", () => {
  expect(outer.encode({ gone: "x" })).toHaveLength(0);
  expect(outer.decode(new Uint8Array()).gone).toBe("never");
});

test("fields of later versions are passed over, whatever their kind", () => {
  const later = Buffer.from("f80101f101000000000000000 0fd0100000000fa0102ffff0a0161".replace(" ", ""), "hex");
  expect(outer.decode(later).name).toBe("a");
});

test("zero and empty are told from absent where that matters", () => {
  expect(functionError.decode(functionError.encode({ functionArgument: 0 })).functionArgument).toBe(0);
  expect(functionError.decode(functionError.encode({ text: "x" })).functionArgument).toBeUndefined();
});

test("words stand for numbers, and one that is not known is the first", () => {
  expect(diagnostic.decode(diagnostic.encode({ severity: "warning" })).severity).toBe("warning");
  expect(diagnostic.decode(Uint8Array.of(8, 77)).severity).toBe("invalid");
});

test("text by name, and moments", () => {
  const flatmap = new Map([["list.#", "1"]]);
  expect(rawState.decode(rawState.encode({ flatmap })).flatmap).toEqual(flatmap);
  const moment = { seconds: 1_700_000_000, nanos: 5 };
  expect(timestamp.decode(timestamp.encode(moment))).toEqual(moment);
});

describe("refuses", () => {
  const refused: readonly { name: string; type: MessageType<unknown>; hex: string }[] = [
    { name: "a message that is cut off", type: outer, hex: "0a05" },
    { name: "a number without end", type: inner, hex: "08ffffffffffffffffffffff" },
    { name: "a field of another kind", type: outer, hex: "0801" },
    { name: "a kind there is not", type: outer, hex: "0f" },
  ];
  test.each(refused)("$name", ({ type, hex }) => {
    expect(() => type.decode(Buffer.from(hex, "hex"))).toThrow(MalformedMessage);
  });
});
