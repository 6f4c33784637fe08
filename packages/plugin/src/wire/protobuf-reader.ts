/** The bytes of a message are not what its table says, or end too early. */
export class MalformedMessage extends Error {
  override readonly name = "MalformedMessage";
}

/** How a field lies on the wire: as a number of variable length, 8 bytes, bytes with their length before them, or 4 bytes. */
export const wireTypes = { varint: 0, fixed64: 1, delimited: 2, fixed32: 5 } as const;

/**
 * Reads one message of the Protocol Buffers encoding, field by field. What it gives out lies in the bytes it was made of:
 * nothing is copied but text. Throws {@link MalformedMessage}.
 * Source: the Protocol Buffers documentation, "Encoding".
 */
export class ProtobufReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** A field's number and wire type. */
  tag(): { readonly number: number; readonly wireType: number } {
    const tag = this.uint32();
    return { number: tag >>> 3, wireType: tag & 7 };
  }

  /** A varint of 32 bits; more bits are dropped. */
  uint32(): number {
    return Number(this.#varint() & 0xffffffffn);
  }

  /** A whole number of 64 bits with sign. Beyond 2^53 digits are lost; nothing of the protocol is as large. */
  int64(): number {
    const first = this.#bytes[this.#at];
    if (first !== undefined && first < 0x80) {
      this.#at++;
      return first;
    }
    return Number(BigInt.asIntN(64, this.#varint()));
  }

  delimited(): Uint8Array {
    const length = this.uint32();
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  text(): string {
    const length = this.uint32();
    const start = this.#take(length);
    return this.#bytes.toString("utf8", start, start + length);
  }

  /** Passes over a field that the table does not know. */
  skip(wireType: number): void {
    switch (wireType) {
      case wireTypes.varint:
        this.#varint();
        return;
      case wireTypes.fixed64:
        this.#take(8);
        return;
      case wireTypes.delimited:
        this.#take(this.uint32());
        return;
      case wireTypes.fixed32:
        this.#take(4);
        return;
      default:
        throw new MalformedMessage(`a field has the wire type ${wireType}, which there is not`);
    }
  }

  #varint(): bigint {
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#bytes[this.#take(1)]!;
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt(low);
    }
    let value = BigInt(low);
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#take(1)]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new MalformedMessage("a number takes more than ten bytes");
  }

  /** Where the next `length` bytes start, which are passed over. */
  #take(length: number): number {
    const start = this.#at;
    if (start + length > this.#bytes.length) throw new MalformedMessage("the message ends before its field does");
    this.#at = start + length;
    return start;
  }
}
