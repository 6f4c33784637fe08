import { gunzipSync, gzipSync } from "node:zlib";
import type { FunctionSpec } from "@millwright/hcl/function-spec";
import { quote } from "@millwright/text/quote";
import { stringType } from "@millwright/value/types";
import { asString, stringValue, unmark, withMarks } from "@millwright/value/value";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import type { CharacterEncoding } from "./character-encodings.ts";
import { characterEncoding } from "./character-encodings.ts";
import { notNull, refuse, stringFunction, text, unlessSecret } from "./define.ts";
import type { Dialect } from "./dialect.ts";
import { decodeUtf8, encodeUtf8 } from "./utf8.ts";

const base64decode: FunctionSpec = {
  name: "base64decode",
  description: "The text (UTF-8) that a Base64 string holds.",
  parameters: [{ ...text("str"), allowMarked: true }],
  returnType: stringType,
  refineResult: notNull,
  call: ([str]) => {
    const [bare, marks] = unmark(str!);
    const decoded = decodeUtf8(base64Bytes(asString(bare), marks));
    if (decoded === undefined) refuse("the result of decoding the provided string is not valid UTF-8");
    return withMarks(stringValue(decoded), marks);
  },
};

function base64Bytes(encoded: string, marks: ReadonlySet<string>): Uint8Array {
  const decoded = decodeBase64(encoded);
  if (!decoded.ok) refuse(`failed to decode base64 data ${unlessSecret(quote(encoded), marks)}`);
  return decoded.bytes;
}

const base64encode = stringFunction(
  { name: "base64encode", description: "The text, as UTF-8, in Base64." },
  ["str"],
  (str) => encodeBase64(encodeUtf8(str!)),
);

const base64gzip = stringFunction(
  {
    name: "base64gzip",
    description:
      "The text, as UTF-8, compressed with gzip, in Base64. The bytes may differ between versions, what they hold not.",
  },
  ["str"],
  (str) => encodeBase64(gzipSync(encodeUtf8(str!))),
);

const base64gunzip: FunctionSpec = {
  name: "base64gunzip",
  description: "The text (UTF-8) that a Base64 string holds compressed with gzip.",
  parameters: [{ ...text("str"), allowMarked: true }],
  returnType: stringType,
  refineResult: notNull,
  call: ([str]) => {
    const [bare, marks] = unmark(str!);
    const unpacked = unzip(base64Bytes(asString(bare), marks));
    const decoded = unpacked && decodeUtf8(unpacked);
    if (decoded === undefined) refuse("failed to gunzip bytestream: not gzip-compressed UTF-8 text");
    return withMarks(stringValue(decoded), marks);
  },
};

function unzip(bytes: Uint8Array): Uint8Array | undefined {
  try {
    return gunzipSync(bytes);
  } catch (error) {
    // What zlib complains of is the data; anything else is not expected.
    if (error instanceof Error && "code" in error && /^Z_/.test(String(error.code))) return undefined;
    throw error;
  }
}

const urlencode = stringFunction(
  { name: "urlencode", description: "The text with everything escaped that means something in a URL's query." },
  ["str"],
  (str) => {
    const escaped = encodeURIComponent(str!).replace(
      /[!'()*]/g,
      (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
    );
    return escaped.replaceAll("%20", "+");
  },
);

const urldecode = stringFunction(
  { name: "urldecode", description: "The text that was escaped for a URL's query." },
  ["str"],
  (str) => {
    const wrong = /%(?![0-9A-Fa-f]{2})[^]{0,2}/.exec(str!);
    if (wrong) refuse(`failed to decode URL '': invalid URL escape ${quote(wrong[0])}`);
    const bytes: number[] = [];
    for (const [piece] of str!.matchAll(/%..|[^%]/gu)) {
      if (piece.length === 3) bytes.push(Number.parseInt(piece.slice(1), 16));
      else bytes.push(...encodeUtf8(piece === "+" ? " " : piece));
    }
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes));
  },
);

function textencodebase64(dialect: Dialect): FunctionSpec {
  return stringFunction(
    { name: "textencodebase64", description: "The text in a character encoding of the IANA registry, in Base64." },
    ["string", "encoding"],
    (string, name) => {
      const encoding = encodingArgument(name!, dialect);
      const bytes = encoding.encode(string!);
      if (!bytes) refuse(`the given string contains characters that cannot be represented in ${encoding.name}`, 0);
      return encodeBase64(bytes);
    },
  );
}

function textdecodebase64(dialect: Dialect): FunctionSpec {
  return stringFunction(
    {
      name: "textdecodebase64",
      description: "The text that Base64 holds in a character encoding of the IANA registry.",
    },
    ["source", "encoding"],
    (source, name) => {
      const encoding = encodingArgument(name!, dialect);
      const decoded = decodeBase64(source!);
      if (!decoded.ok) refuse(`the given value is has an invalid base64 symbol at offset ${decoded.offset}`, 0);
      const result = encoding.decode(decoded.bytes);
      if (result === undefined)
        refuse(`the given string contains symbols that are not defined for ${encoding.name}`, 0);
      return result;
    },
  );
}

function encodingArgument(name: string, dialect: Dialect): CharacterEncoding {
  const product = dialect === "opentofu" ? "OpenTofu" : "Terraform";
  return (
    characterEncoding(name) ??
    refuse(`${quote(name)} is not a supported IANA encoding name or alias in this ${product} version`, 1)
  );
}

export function encodingFunctions(dialect: Dialect): readonly FunctionSpec[] {
  const both = [
    base64decode,
    base64encode,
    base64gzip,
    textdecodebase64(dialect),
    textencodebase64(dialect),
    urlencode,
  ];
  return dialect === "opentofu" ? [...both, base64gunzip, urldecode] : both;
}
