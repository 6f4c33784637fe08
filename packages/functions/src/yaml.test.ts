import { rawEquals } from "@millwright/value/operations";
import type { Value } from "@millwright/value/value";
import { boolValue, nullValue, numberValue, objectValue, stringValue, tupleValue } from "@millwright/value/value";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeYaml } from "./yaml-decode.ts";
import { encodeYaml } from "./yaml-encode.ts";

const texts = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 20 }),
  fc.string({
    unit: fc.constantFrom(" ", "\n", "a", "-", ":", "#", '"', "'", "\t", "é", "👍", "\\", "x y z "),
    maxLength: 60,
  }),
);
const { value: values } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    texts.map((text) => stringValue(text)),
    fc.constantFrom(boolValue(true), numberValue(12), numberValue(-1.5), nullValue({ kind: "dynamic" })),
    fc.array(tie("value"), { maxLength: 4 }).map(tupleValue),
    fc.dictionary(texts, tie("value"), { maxKeys: 4 }).map(objectValue),
  ),
}));

test("what is written as YAML is read as the same value", () => {
  const property = fc.property(values, (value) => {
    const written = encodeYaml(value);
    const read = decodeYaml(written, "terraform");
    expect(read.ok && rawEquals(read.value, value), written).toBe(true);
  });
  fc.assert(property, { seed: 20_261_121, numRuns: 500 });
});

test("any text is read or refused, without a crash", () => {
  const bits = [
    "a",
    "b: ",
    "- ",
    "\n",
    "  ",
    "'",
    '"',
    "[",
    "]",
    "{",
    "}",
    ", ",
    "#",
    "|\n  ",
    ">\n ",
    "&x ",
    "*x",
    "!!str ",
    "1",
    "? ",
    "---\n",
    "<<: ",
    "%",
    "\t",
    "\u0000",
    "\ud800",
  ];
  const property = fc.property(fc.string({ unit: fc.constantFrom(...bits), maxLength: 30 }), (text) => {
    expect(typeof decodeYaml(text, "opentofu").ok).toBe("boolean");
  });
  fc.assert(property, { seed: 20_261_121, numRuns: 1000 });
});

test("aliases of aliases do not take time or room for each copy", () => {
  const levels = Array.from({ length: 30 }, (_, i) => `l${i}: &l${i} [${i === 0 ? "x" : `*l${i - 1}, *l${i - 1}`}]`);
  const before = performance.now();
  expect(decodeYaml(levels.join("\n"), "terraform").ok).toBe(true);
  expect(performance.now() - before).toBeLessThan(1000);
});
