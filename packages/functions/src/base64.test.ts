import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeBase64, encodeBase64 } from "./base64.ts";

test("what is encoded is decoded, line breaks aside", () => {
  const property = fc.property(fc.uint8Array(), fc.nat(20), (bytes, at) => {
    const encoded = encodeBase64(bytes);
    const broken = `${encoded.slice(0, at)}\r\n${encoded.slice(at)}`;
    expect(decodeBase64(broken)).toEqual({ ok: true, bytes });
  });
  fc.assert(property, { seed: 20_261_121 });
});

test.each([
  { input: "!", offset: 0 },
  { input: "AAAA!", offset: 4 },
  { input: "AAA", offset: 0 },
  { input: "AAAAAA", offset: 4 },
  { input: "A===", offset: 1 },
  { input: "AA=", offset: 3 },
  { input: "AA=A", offset: 2 },
  { input: "AA==A", offset: 4 },
  { input: "AAA==", offset: 4 },
  { input: "AA AA", offset: 2 },
  { input: "AA-_", offset: 2 },
])("$input is wrong at $offset", ({ input, offset }) => {
  expect(decodeBase64(input)).toEqual({ ok: false, offset });
});
