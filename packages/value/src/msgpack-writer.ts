/** Writes MessagePack into a buffer that grows; always in the shortest form there is. */
export class MsgpackWriter {
  #bytes: Buffer = Buffer.allocUnsafe(512);
  #length = 0;

  /** A copy of what has been written. */
  finish(): Uint8Array {
    return new Uint8Array(this.#bytes.subarray(0, this.#length));
  }

  nil(): void {
    this.#room(1);
    this.#bytes[this.#length++] = 0xc0;
  }

  bool(flag: boolean): void {
    this.#room(1);
    this.#bytes[this.#length++] = flag ? 0xc3 : 0xc2;
  }

  /** A safe integer. */
  integer(n: number): void {
    this.#room(9);
    if (n >= 0 && n < 0x80) this.#bytes[this.#length++] = n;
    else if (n < 0 && n >= -0x20) this.#bytes[this.#length++] = n + 0x100;
    else if (n >= 0) this.#unsigned(n);
    else this.#signed(n);
  }

  /** An integer of 64 bits with sign. */
  integer64(n: bigint): void {
    if (n >= Number.MIN_SAFE_INTEGER && n <= Number.MAX_SAFE_INTEGER) return this.integer(Number(n));
    this.#room(9);
    this.#bytes[this.#length++] = n < 0n ? 0xd3 : 0xcf;
    this.#bytes.writeBigUInt64BE(BigInt.asUintN(64, n), this.#length);
    this.#length += 8;
  }

  double(n: number): void {
    this.#room(9);
    this.#bytes[this.#length++] = 0xcb;
    this.#length = this.#bytes.writeDoubleBE(n, this.#length);
  }

  string(text: string): void {
    const length = Buffer.byteLength(text);
    this.#room(length + 5);
    if (length < 32) this.#bytes[this.#length++] = 0xa0 | length;
    else this.#header(0xd9, length);
    this.#length += this.#bytes.write(text, this.#length);
  }

  binary(bytes: Uint8Array): void {
    this.#room(5);
    this.#header(0xc4, bytes.length);
    this.raw(bytes);
  }

  arrayHeader(length: number): void {
    this.#room(5);
    if (length < 16) this.#bytes[this.#length++] = 0x90 | length;
    else this.#wideHeader(0xdc, length);
  }

  mapHeader(length: number): void {
    this.#room(5);
    if (length < 16) this.#bytes[this.#length++] = 0x80 | length;
    else this.#wideHeader(0xde, length);
  }

  extension(type: number, body: Uint8Array): void {
    this.#room(6);
    const fixed = [1, 2, 4, 8, 16].indexOf(body.length);
    if (fixed >= 0) this.#bytes[this.#length++] = 0xd4 + fixed;
    else this.#header(0xc7, body.length);
    this.#bytes[this.#length++] = type;
    this.raw(body);
  }

  /** Bytes that are MessagePack already. */
  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #unsigned(n: number): void {
    if (n < 0x100) {
      this.#bytes[this.#length++] = 0xcc;
      this.#bytes[this.#length++] = n;
    } else if (n < 0x10000) {
      this.#bytes[this.#length++] = 0xcd;
      this.#length = this.#bytes.writeUInt16BE(n, this.#length);
    } else if (n < 0x1_0000_0000) {
      this.#bytes[this.#length++] = 0xce;
      this.#length = this.#bytes.writeUInt32BE(n, this.#length);
    } else {
      this.#bytes[this.#length++] = 0xcf;
      this.#length = this.#bytes.writeBigUInt64BE(BigInt(n), this.#length);
    }
  }

  #signed(n: number): void {
    if (n >= -0x80) {
      this.#bytes[this.#length++] = 0xd0;
      this.#length = this.#bytes.writeInt8(n, this.#length);
    } else if (n >= -0x8000) {
      this.#bytes[this.#length++] = 0xd1;
      this.#length = this.#bytes.writeInt16BE(n, this.#length);
    } else if (n >= -0x8000_0000) {
      this.#bytes[this.#length++] = 0xd2;
      this.#length = this.#bytes.writeInt32BE(n, this.#length);
    } else {
      this.#bytes[this.#length++] = 0xd3;
      this.#length = this.#bytes.writeBigInt64BE(BigInt(n), this.#length);
    }
  }

  /** `first` is the code with a length of 8 bits; those with 16 and 32 follow it. */
  #header(first: number, length: number): void {
    if (length < 0x100) {
      this.#bytes[this.#length++] = first;
      this.#bytes[this.#length++] = length;
    } else {
      this.#wideHeader(first + 1, length);
    }
  }

  #wideHeader(first: number, length: number): void {
    if (length < 0x10000) {
      this.#bytes[this.#length++] = first;
      this.#length = this.#bytes.writeUInt16BE(length, this.#length);
    } else {
      this.#bytes[this.#length++] = first + 1;
      this.#length = this.#bytes.writeUInt32BE(length, this.#length);
    }
  }

  #room(length: number): void {
    if (this.#length + length <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + length));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
