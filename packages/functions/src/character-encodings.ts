import iconv from "iconv-lite";
import { registeredEncoding } from "./encoding-registry.ts";

/** A character encoding: text to bytes and back. Both give undefined where something cannot be said in the other. */
export interface CharacterEncoding {
  /** The registered name, as messages show it. */
  readonly name: string;
  encode(text: string): Uint8Array | undefined;
  decode(bytes: Uint8Array): string | undefined;
}

/** The encoding of an IANA name or alias that the reference supports, or undefined. */
export function characterEncoding(name: string): CharacterEncoding | undefined {
  const registered = registeredEncoding(name);
  if (!registered) return undefined;
  return { name: registered.name, ...codecOf(registered.name, registered.aliases) };
}

type Codec = Omit<CharacterEncoding, "name">;

function codecOf(name: string, aliases: readonly string[]): Codec {
  switch (name) {
    case "UTF-8":
      return { encode: (text) => new TextEncoder().encode(text), decode: strictDecoder("utf-8") };
    case "UTF-16":
      return utf16;
    case "UTF-16BE":
      return { encode: (text) => iconv.encode(text, "utf-16be"), decode: strictDecoder("utf-16be") };
    case "UTF-16LE":
      return { encode: (text) => iconv.encode(text, "utf-16le"), decode: strictDecoder("utf-16le") };
    case "ISO-2022-JP":
      return iso2022jp;
    case "HZ-GB-2312":
      return hz;
    case "US-ASCII":
      return singleByteCodec(Array.from({ length: 128 }, (_, byte) => String.fromCharCode(byte)));
    default:
      return tableCodec(name, aliases);
  }
}

/** Only what was decoded without a replacement character counts. */
function strictDecoder(label: string): Codec["decode"] {
  return (bytes) => {
    try {
      const text = new TextDecoder(label, { fatal: true, ignoreBOM: true }).decode(bytes);
      return text.includes("\ufffd") ? undefined : text;
    } catch (error) {
      if (error instanceof TypeError) return undefined;
      throw error;
    }
  };
}

/** With a byte order mark in front; without one it is read as big-endian. */
const utf16: Codec = {
  encode: (text) => iconv.encode(`\ufeff${text}`, "utf-16be"),
  decode: (bytes) => {
    const isMarked = (bytes[0] === 0xfe && bytes[1] === 0xff) || (bytes[0] === 0xff && bytes[1] === 0xfe);
    const label = isMarked && bytes[0] === 0xff ? "utf-16le" : "utf-16be";
    return strictDecoder(label)(isMarked ? bytes.subarray(2) : bytes);
  },
};

const ebcdic =
  "000102039c09867f978d8e0b0c0d0e0f101112139d8508871819928f1c1d1e1f80818283840a171b88898a8b8c0506079091169394959604" +
  "98999a9b14159e1a20a0e2e4e0e1e3e5e7f1a22e3c282b7c26e9eaebe8edeeefecdf21242a293bac2d2fc2c4c0c1c3c5c7d1a62c255f3e3f" +
  "f8c9cacbc8cdcecfcc603a2340273d22d8616263646566676869abbbf0fdfeb1b06a6b6c6d6e6f707172aabae6b8c6a4b57e737475767778" +
  "797aa1bfd0dddeae5ea3a5b7a9a7b6bcbdbe5b5dafa8b4d77b414243444546474849adf4f6f2f3f57d4a4b4c4d4e4f505152b9fbfcf9faff" +
  "5cf7535455565758595ab2d4d6d2d3d530313233343536373839b3dbdcd9da9f";

/** EBCDIC of the USA and its kin, which iconv-lite has not: the same Latin-1 characters at other places. */
function ebcdicTable(changes: ReadonlyMap<number, string> = new Map()): string[] {
  return Array.from({ length: 256 }, (_, byte) => {
    return changes.get(byte) ?? String.fromCharCode(Number.parseInt(ebcdic.slice(byte * 2, byte * 2 + 2), 16));
  });
}

const openSystemsChanges: ReadonlyMap<number, string> = new Map([
  [0x5f, "^"],
  [0xad, "["],
  [0xb0, "¬"],
  [0xba, "Ý"],
  [0xbb, "¨"],
  [0xbd, "]"],
]);

/** Where the reference's tables and those of iconv-lite disagree. */
const corrections: ReadonlyMap<string, ReadonlyMap<number, string>> = new Map([
  [
    "KOI8-U",
    new Map([
      [0xae, "ў"],
      [0xbe, "Ў"],
    ]),
  ],
  [
    "macintosh",
    new Map([
      [0xbd, "\u03a9"],
      [0xdb, "€"],
      [0xf0, "\uf8ff"],
    ]),
  ],
]);

/** Names under which iconv-lite has an encoding, where they are not registered ones. */
const iconvNames: ReadonlyMap<string, string> = new Map([
  ["IBM00858", "cp858"],
  ["ISO_8859-6-E", "iso-8859-6"],
  ["ISO_8859-6-I", "iso-8859-6"],
]);

function tableCodec(name: string, aliases: readonly string[]): Codec {
  if (name === "IBM037") return singleByteCodec(ebcdicTable());
  if (name === "IBM01140") return singleByteCodec(ebcdicTable(new Map([[0x9f, "€"]])));
  if (name === "IBM1047") return singleByteCodec(ebcdicTable(openSystemsChanges));
  const known = iconvNames.get(name) ?? [name, ...aliases].find((alias) => iconv.encodingExists(alias))!;
  if (name === "Shift_JIS" || name.startsWith("Extended_UNIX")) return chosenCodeCodec(known, "first");
  if (name === "Big5") return chosenCodeCodec(known, "last");
  if (name === "GBK") return withoutPrivate(iconvCodec(known));
  if (name === "EUC-KR" || name === "GB18030") return iconvCodec(known);
  // Of the ISO 8859 family only the first part has the C1 control characters in the reference.
  const hasControls = !/^ISO.8859/.test(name) || name === "ISO_8859-1:1987";
  const table = Array.from({ length: 256 }, (_, byte) => {
    if (!hasControls && byte >= 0x80 && byte < 0xa0) return "\ufffd";
    return corrections.get(name)?.get(byte) ?? iconv.decode(Buffer.from([byte]), known);
  });
  return singleByteCodec(table);
}

/** By a table of the character at each byte; U+FFFD where there is none. */
function singleByteCodec(table: readonly string[]): Codec {
  const bytes = new Map(table.map((character, byte) => [character, byte] as const));
  bytes.delete("\ufffd");
  return {
    encode: (text) => {
      const encoded = [...text].map((character) => bytes.get(character));
      return encoded.includes(undefined) ? undefined : Uint8Array.from(encoded as number[]);
    },
    decode: (encoded) => {
      const text = Array.from(encoded, (byte) => table[byte] ?? "\ufffd").join("");
      return text.includes("\ufffd") ? undefined : text;
    },
  };
}

/** iconv-lite puts something in place of what it cannot say; that it did shows on the way back. */
function iconvCodec(label: string): Codec {
  const decode = (bytes: Uint8Array): string | undefined => {
    const text = iconv.decode(Buffer.from(bytes), label);
    return text.includes("\ufffd") ? undefined : text;
  };
  return {
    encode: (text) => {
      const bytes = iconv.encode(text, label);
      return decode(bytes) === text ? bytes : undefined;
    },
    decode,
  };
}

/**
 * Of characters that have several codes of two bytes the reference takes the first (in Japanese sets: NEC's before IBM's) or
 * the last (in Big5: Hong Kong's). It knows no private characters in them.
 */
function chosenCodeCodec(label: string, choice: "first" | "last"): Codec {
  const codec = iconvCodec(label);
  return withoutPrivate({
    ...codec,
    encode: (text) => {
      const codes = Array.from(text, (character) => codesOf(label, choice).get(character) ?? codec.encode(character));
      return codes.includes(undefined) ? undefined : Buffer.concat(codes as Uint8Array[]);
    },
  });
}

/** The codec without characters of private use, and without the one letter that iconv-lite has in such a place of GBK. */
function withoutPrivate({ encode, decode }: Codec): Codec {
  const isPrivate = /[\p{Co}\u1e3f]/u;
  return {
    encode: (text) => (isPrivate.test(text) ? undefined : encode(text)),
    decode: (bytes) => {
      const text = decode(bytes);
      return text === undefined || isPrivate.test(text) ? undefined : text;
    },
  };
}

const knownCodes = new Map<string, ReadonlyMap<string, Uint8Array>>();

function codesOf(label: string, choice: "first" | "last"): ReadonlyMap<string, Uint8Array> {
  const known = knownCodes.get(label);
  if (known) return known;
  const codes = new Map<string, Uint8Array>();
  for (let first = 0x81; first <= 0xfe; first++) {
    for (let second = 0x40; second <= 0xfe; second++) {
      const code = Uint8Array.of(first, second);
      const character = iconv.decode(Buffer.from(code), label);
      const isOne = [...character].length === 1 && character !== "\ufffd";
      if (isOne && (choice === "last" || !codes.has(character))) codes.set(character, code);
    }
  }
  knownCodes.set(label, codes);
  return codes;
}

const escape = 0x1b;
type JapaneseSet = "ascii" | "katakana" | "kanji";
const designations: Readonly<Record<JapaneseSet, readonly number[]>> = {
  ascii: [escape, 0x28, 0x42],
  katakana: [escape, 0x28, 0x49],
  kanji: [escape, 0x24, 0x42],
};

/** The sets of EUC-JP in seven bits, with an escape sequence at each change (RFC 1468, and half-width katakana). */
const iso2022jp: Codec = {
  encode: (text) => {
    const bytes: number[] = [];
    let current: JapaneseSet = "ascii";
    const select = (set: JapaneseSet) => {
      if (set !== current) bytes.push(...designations[set]);
      current = set;
    };
    for (const character of text) {
      const euc = chosenCodeCodec("euc-jp", "first").encode(character);
      if (!euc || euc.length > 2) return undefined;
      const isKatakana = euc.length === 2 && euc[0] === 0x8e;
      select(euc.length === 1 ? "ascii" : isKatakana ? "katakana" : "kanji");
      bytes.push(...(isKatakana ? euc.subarray(1) : euc).map((byte) => byte & 0x7f));
    }
    select("ascii");
    return Uint8Array.from(bytes);
  },
  decode: strictDecoder("iso-2022-jp"),
};

const tilde = 0x7e;

/** GB 2312 in seven bits between `~{` and `~}` (RFC 1843). */
const hz: Codec = {
  encode: (text) => {
    const bytes: number[] = [];
    let inChinese = false;
    for (const character of text) {
      const isAscii = character.charCodeAt(0) < 0x80;
      // GBK has the euro sign in one byte too, which there is not room for here.
      const gbk = character === "€" ? Uint8Array.of(0xa2, 0xe3) : withoutPrivate(iconvCodec("gbk")).encode(character);
      if (!isAscii && !(gbk?.length === 2 && gbk.every((byte) => byte >= 0xa1))) return undefined;
      if (isAscii === inChinese) bytes.push(tilde, isAscii ? 0x7d : 0x7b);
      inChinese = !isAscii;
      if (!isAscii) bytes.push(...gbk!.map((byte) => byte & 0x7f));
      else if (character === "~") bytes.push(tilde, tilde);
      else bytes.push(character.charCodeAt(0));
    }
    return Uint8Array.from(bytes);
  },
  decode: (encoded) => {
    const gbk: number[] = [];
    let inChinese = false;
    for (let i = 0; i < encoded.length; ) {
      const [first, second] = [encoded[i]!, encoded[i + 1]];
      if (first === tilde && (second === 0x7b || second === 0x7d)) {
        inChinese = second === 0x7b;
        i += 2;
      } else if (first === tilde && second === tilde) {
        gbk.push(tilde);
        i += 2;
      } else if (first === tilde && second === 0x0a) {
        i += 2;
      } else if (first >= 0x80 || first === tilde) return undefined;
      else if (inChinese) {
        if (second === undefined || second >= 0x80) return undefined;
        gbk.push(first | 0x80, second | 0x80);
        i += 2;
      } else {
        gbk.push(first);
        i++;
      }
    }
    return iconvCodec("gbk").decode(Uint8Array.from(gbk));
  },
};
