/** Writes one message of the Protocol Buffers encoding, field by field. */
export class ProtobufWriter {
  readonly #pieces: Uint8Array[] = [];
  #length = 0;

  tag(number: number, wireType: number): void {
    this.#varint(BigInt((number << 3) | wireType));
  }

  /** A whole number of 64 bits with sign. */
  int64(value: number): void {
    this.#varint(BigInt.asUintN(64, BigInt(value)));
  }

  delimited(bytes: Uint8Array): void {
    this.#varint(BigInt(bytes.byteLength));
    this.#add(bytes);
  }

  text(text: string): void {
    this.delimited(Buffer.from(text));
  }

  finish(): Buffer {
    return Buffer.concat(this.#pieces, this.#length);
  }

  #varint(value: bigint): void {
    const bytes: number[] = [];
    let rest = value;
    while (rest > 0x7fn) {
      bytes.push(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    bytes.push(Number(rest));
    this.#add(Uint8Array.from(bytes));
  }

  #add(bytes: Uint8Array): void {
    this.#pieces.push(bytes);
    this.#length += bytes.byteLength;
  }
}
