/** Thrown by {@link MsgpackReader}, and caught where a whole value is read: the bytes are not what they should be. */
export class Malformed extends Error {
  override readonly name = "Malformed";
}

/** What kind of item comes next. */
export type ItemKind =
  | "nil"
  | "bool"
  | "integer"
  | "float"
  | "string"
  | "binary"
  | "array"
  | "map"
  | "extension"
  | "reserved";

/** Reads MessagePack items one after another. Each method expects its kind of item next, and throws {@link Malformed} else. */
export class MsgpackReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The kind of the next item, which stays the next one. */
  peek(): ItemKind {
    if (this.#at >= this.#bytes.length) throw new Malformed("the data ends before the value does");
    return kindOf(this.#bytes[this.#at]!);
  }

  /** Passes over these bytes if they come next. */
  skipIf(expected: Uint8Array): boolean {
    const end = this.#at + expected.length;
    if (end > this.#bytes.length || this.#bytes.compare(expected, 0, expected.length, this.#at, end) !== 0)
      return false;
    this.#at = end;
    return true;
  }

  nil(): void {
    if (this.#byte() !== 0xc0) throw new Malformed("nil is required");
  }

  bool(): boolean {
    const code = this.#byte();
    if (code !== 0xc2 && code !== 0xc3) throw new Malformed("bool is required");
    return code === 0xc3;
  }

  /** An integer of 64 bits with or without sign; a number where it is safe. */
  integer(): number | bigint {
    const code = this.#byte();
    if (code < 0x80) return code;
    if (code >= 0xe0) return code - 0x100;
    switch (code) {
      case 0xcc:
        return this.#byte();
      case 0xcd:
        return this.#bytes.readUInt16BE(this.#take(2));
      case 0xce:
        return this.#bytes.readUInt32BE(this.#take(4));
      case 0xcf:
        return narrow(this.#bytes.readBigUInt64BE(this.#take(8)));
      case 0xd0:
        return this.#bytes.readInt8(this.#take(1));
      case 0xd1:
        return this.#bytes.readInt16BE(this.#take(2));
      case 0xd2:
        return this.#bytes.readInt32BE(this.#take(4));
      case 0xd3:
        return narrow(this.#bytes.readBigInt64BE(this.#take(8)));
      default:
        throw new Malformed("integer is required");
    }
  }

  float(): number {
    const code = this.#byte();
    if (code === 0xca) return this.#bytes.readFloatBE(this.#take(4));
    if (code === 0xcb) return this.#bytes.readDoubleBE(this.#take(8));
    throw new Malformed("float is required");
  }

  /** A string, which may also come as binary. */
  string(): string {
    const length = this.#bodyLength();
    const start = this.#take(length);
    return this.#bytes.toString("utf8", start, start + length);
  }

  arrayHeader(): number {
    const code = this.#byte();
    if ((code & 0xf0) === 0x90) return code & 0x0f;
    if (code === 0xdc) return this.#bytes.readUInt16BE(this.#take(2));
    if (code === 0xdd) return this.#bytes.readUInt32BE(this.#take(4));
    throw new Malformed("array is required");
  }

  mapHeader(): number {
    const code = this.#byte();
    if ((code & 0xf0) === 0x80) return code & 0x0f;
    if (code === 0xde) return this.#bytes.readUInt16BE(this.#take(2));
    if (code === 0xdf) return this.#bytes.readUInt32BE(this.#take(4));
    throw new Malformed("map is required");
  }

  extension(): { readonly type: number; readonly body: Uint8Array } {
    const code = this.#byte();
    const length = code >= 0xd4 && code <= 0xd8 ? 1 << (code - 0xd4) : this.#length(code - 0xc7);
    const type = this.#byte();
    const start = this.#take(length);
    return { type, body: this.#bytes.subarray(start, start + length) };
  }

  /** Passes over the next item, whatever it is. */
  skip(): void {
    switch (this.peek()) {
      case "array":
        for (let left = this.arrayHeader(); left > 0; left--) this.skip();
        return;
      case "map":
        for (let left = this.mapHeader() * 2; left > 0; left--) this.skip();
        return;
      case "string":
      case "binary":
        this.#take(this.#bodyLength());
        return;
      case "extension":
        this.extension();
        return;
      case "integer":
        this.integer();
        return;
      case "float":
        this.float();
        return;
      default:
        this.#take(1);
    }
  }

  #bodyLength(): number {
    const code = this.#byte();
    if ((code & 0xe0) === 0xa0) return code & 0x1f;
    return this.#length(code >= 0xd9 ? code - 0xd9 : code - 0xc4);
  }

  /** A length of 8, 16 or 32 bits, by the place of the code among the three. */
  #length(width: number): number {
    if (width === 0) return this.#byte();
    if (width === 1) return this.#bytes.readUInt16BE(this.#take(2));
    if (width === 2) return this.#bytes.readUInt32BE(this.#take(4));
    throw new Malformed("string is required");
  }

  #byte(): number {
    return this.#bytes[this.#take(1)]!;
  }

  /** Where the next `length` bytes start, which are passed over. */
  #take(length: number): number {
    const start = this.#at;
    if (start + length > this.#bytes.length) throw new Malformed("the data ends before the value does");
    this.#at = start + length;
    return start;
  }
}

function kindOf(code: number): ItemKind {
  if (code < 0x80 || code >= 0xe0) return "integer";
  if (code < 0x90) return "map";
  if (code < 0xa0) return "array";
  if (code < 0xc0) return "string";
  return otherKinds[code - 0xc0]!;
}

const otherKinds: readonly ItemKind[] = [
  ...(["nil", "reserved", "bool", "bool"] as const),
  ...(["binary", "binary", "binary", "extension", "extension", "extension"] as const),
  ...(["float", "float", "integer", "integer", "integer", "integer"] as const),
  ...(["integer", "integer", "integer", "integer"] as const),
  ...(["extension", "extension", "extension", "extension", "extension"] as const),
  ...(["string", "string", "string", "array", "array", "map", "map"] as const),
];

function narrow(n: bigint): number | bigint {
  return n >= Number.MIN_SAFE_INTEGER && n <= Number.MAX_SAFE_INTEGER ? Number(n) : n;
}
