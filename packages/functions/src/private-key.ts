import type { JsonWebKey, KeyObject } from "node:crypto";
import { createPrivateKey } from "node:crypto";
import { quote } from "@millwright/text/quote";
import { decodeBase64 } from "./base64.ts";

export type ReadKey =
  | { readonly ok: true; readonly key: KeyObject }
  | { readonly ok: false /** As the reference words it, where that does not tell the key. */; readonly error: string };

/**
 * Reads an RSA private key in PEM: PKCS #1 (`RSA PRIVATE KEY`), PKCS #8 (`PRIVATE KEY`) or OpenSSH's own form. One with a
 * passphrase is refused, as is any other kind of key.
 */
export function readPrivateKey(pem: string): ReadKey {
  const [, type, body] = /-----BEGIN ([^\r\n]*?)-----\s*\n([^]*?)\n-----END \1-----/.exec(pem) ?? [];
  if (type === undefined || body === undefined) return fail("invalid private key: ssh: no key found");
  if (/^Proc-Type:.*ENCRYPTED/m.test(body)) return fail(withPassphrase);
  switch (type) {
    case "RSA PRIVATE KEY":
      return readDer(body, "pkcs1");
    case "PRIVATE KEY":
      return readDer(body, "pkcs8");
    case "EC PRIVATE KEY":
    case "DSA PRIVATE KEY":
      return fail(`invalid private key type ${type}: an RSA key is required`);
    case "OPENSSH PRIVATE KEY":
      return readOpenSsh(body);
    default:
      return fail(`invalid private key: ssh: unsupported key type ${quote(type)}`);
  }
}

const withPassphrase = "invalid private key: ssh: this private key is passphrase protected";
const notReadable = "invalid ASN1 data in the given private key";

function fail(error: string): ReadKey {
  return { ok: false, error };
}

function readDer(body: string, type: "pkcs1" | "pkcs8"): ReadKey {
  const decoded = decodeBase64(body);
  if (!decoded.ok) return fail("invalid private key: ssh: no key found");
  try {
    const key = createPrivateKey({ key: Buffer.from(decoded.bytes), format: "der", type });
    if (key.asymmetricKeyType !== "rsa")
      return fail(`invalid private key type ${key.asymmetricKeyType}: an RSA key is required`);
    return { ok: true, key };
  } catch (error) {
    if (error instanceof Error && "code" in error) return fail(notReadable);
    throw error;
  }
}

const magic = "openssh-key-v1\0";

/** https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key */
function readOpenSsh(body: string): ReadKey {
  const decoded = decodeBase64(body);
  const bytes = Buffer.from(decoded.ok ? decoded.bytes : []);
  if (bytes.toString("latin1", 0, magic.length) !== magic)
    return fail("invalid private key: ssh: invalid openssh private key format");
  const outer = new FieldReader(bytes.subarray(magic.length));
  const cipher = outer.text();
  outer.field();
  outer.field();
  const count = outer.number();
  outer.field();
  const inner = new FieldReader(outer.field());
  if (cipher !== "none") return fail(withPassphrase);
  const [check, again] = [inner.number(), inner.number()];
  if (outer.isBroken || inner.isBroken || count !== 1 || check !== again) {
    return fail("invalid private key: ssh: malformed OpenSSH key");
  }
  const type = inner.text();
  if (type !== "ssh-rsa") return fail(`invalid private key type ${type}: an RSA key is required`);
  const [n, e, d, inverse, p, q] = Array.from({ length: 6 }, () => inner.integer());
  if (inner.isBroken) return fail("invalid private key: ssh: malformed OpenSSH key");
  return { ok: true, key: rsaKey({ n: n!, e: e!, d: d!, inverse: inverse!, p: p!, q: q! }) };
}

interface RsaNumbers {
  readonly n: bigint;
  readonly e: bigint;
  readonly d: bigint;
  readonly inverse: bigint;
  readonly p: bigint;
  readonly q: bigint;
}

function rsaKey({ n, e, d, inverse, p, q }: RsaNumbers): KeyObject {
  const jwk: JsonWebKey = {
    kty: "RSA",
    n: base64Url(n),
    e: base64Url(e),
    d: base64Url(d),
    p: base64Url(p),
    q: base64Url(q),
    dp: base64Url(d % (p - 1n)),
    dq: base64Url(d % (q - 1n)),
    qi: base64Url(inverse),
  };
  return createPrivateKey({ key: jwk, format: "jwk" });
}

function base64Url(number: bigint): string {
  const hex = number.toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), "0"), "hex").toString("base64url");
}

/** Fields with their length before them, as SSH has them (RFC 4251, 5). */
class FieldReader {
  readonly #bytes: Buffer;
  #offset = 0;
  /** Whether something was read that is not there. */
  isBroken = false;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  number(): number {
    if (this.#offset + 4 > this.#bytes.length) {
      this.isBroken = true;
      return 0;
    }
    this.#offset += 4;
    return this.#bytes.readUInt32BE(this.#offset - 4);
  }

  field(): Buffer {
    const length = this.number();
    const start = this.#offset;
    this.#offset += length;
    if (this.#offset > this.#bytes.length) this.isBroken = true;
    return this.#bytes.subarray(start, this.#offset);
  }

  text(): string {
    return this.field().toString("latin1");
  }

  integer(): bigint {
    const hex = this.field().toString("hex");
    return hex === "" ? 0n : BigInt(`0x${hex}`);
  }
}
