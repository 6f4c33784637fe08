import { createHash, createHmac } from "node:crypto";
import type { FunctionTable } from "../function.ts";
import { answer, failure } from "../function.ts";
import type { CallResult } from "../value.ts";
import { ofTexts, tryTexts } from "./arguments.ts";

export const encodingFunctions: FunctionTable = new Map([
  ["base64Decode", tryTexts(1, (s) => decode("base64Decode", s!, standard))],
  ["base64Encode", ofTexts(1, (s) => Buffer.from(s!).toString("base64"))],
  ["base64URLDecode", tryTexts(1, (s) => decode("base64URLDecode", s!, urlSafe))],
  ["base64URLEncode", ofTexts(1, (s) => toUrlSafe(Buffer.from(s!).toString("base64")))],
  ["hmacSHA256Hex", ofTexts(2, (message, key) => createHmac("sha256", key!).update(message!).digest("hex"))],
  ["md5sum", ofTexts(1, (s) => createHash("md5").update(s!).digest("hex"))],
  ["sha256Hex", ofTexts(1, (s) => createHash("sha256").update(s!).digest("hex"))],
]);

const standard = /[A-Za-z0-9+/]/;
const urlSafe = /[A-Za-z0-9_-]/;

function toUrlSafe(base64: string): string {
  return base64.replaceAll("+", "-").replaceAll("/", "_");
}

function decode(name: string, s: string, alphabet: RegExp): CallResult {
  const fault = findFault(s, alphabet);
  if (fault !== undefined) return failure(`${name}: illegal base64 data at input byte ${fault}`);
  return answer(Buffer.from(s, "base64").toString());
}

/** The byte at which Go's decoder stops; it passes over line breaks. */
function findFault(s: string, alphabet: RegExp): number | undefined {
  const bytes = Buffer.from(s);
  const kept: number[] = [];
  for (const [i, byte] of bytes.entries()) if (byte !== 10 && byte !== 13) kept.push(i);
  const at = (i: number) => String.fromCharCode(bytes[kept[i]!]!);
  for (let i = 0; i < kept.length; i++) {
    if (alphabet.test(at(i))) continue;
    const isPadding = at(i) === "=" && i % 4 >= 2;
    if (!isPadding) return kept[i];
    if (i % 4 === 3) return i + 1 === kept.length ? undefined : kept[i + 1];
    if (i + 1 >= kept.length) return bytes.length;
    if (at(i + 1) !== "=") return kept[i + 1]! - 1;
    return i + 2 === kept.length ? undefined : kept[i + 2];
  }
  return kept.length % 4 === 0 ? undefined : (kept[kept.length - (kept.length % 4)] ?? bytes.length);
}
