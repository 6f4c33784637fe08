import { generateKeyPair, type KeyObject, sign, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { promisify } from "node:util";
import { invariant } from "@millwright/core/errors";
import { der } from "./der.ts";

/** A certificate that its own key has signed. `.toString()` is its PEM, `.raw` its DER. */
export interface SelfSigned {
  readonly certificate: X509Certificate;
  readonly privateKey: KeyObject;
}

export interface SelfSignedOptions {
  readonly curve: "P-256" | "P-521";
  readonly commonName: string;
  readonly organization?: string;
  /** DNS names and IP addresses that it is for. */
  readonly subjectAltNames: readonly string[];
  readonly keyUsages: readonly KeyUsage[];
  readonly extendedKeyUsages: readonly ExtendedKeyUsage[];
  /** Whether it may sign other certificates. */
  readonly isAuthority: boolean;
  /** At most 20 bytes, of which some are not zero; the first bit counts for nothing. */
  readonly serial: Uint8Array;
  /** Both are cut to whole seconds. */
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** In the order of their bits. Source: RFC 5280, 4.2.1.3. */
const keyUsages = [
  "digitalSignature",
  "contentCommitment",
  "keyEncipherment",
  "dataEncipherment",
  "keyAgreement",
  "keyCertSign",
  "cRLSign",
] as const;
export type KeyUsage = (typeof keyUsages)[number];

/** Source: RFC 5280, 4.2.1.12. */
const extendedKeyUsages = { serverAuth: "1.3.6.1.5.5.7.3.1", clientAuth: "1.3.6.1.5.5.7.3.2" } as const;
export type ExtendedKeyUsage = keyof typeof extendedKeyUsages;

/** A new key, and a certificate (version 3, ECDSA) that it signs for itself. Source: RFC 5280, section 4.1. */
export async function selfSigned(options: SelfSignedOptions): Promise<SelfSigned> {
  invariant(options.serial.length <= 20 && options.serial.some((byte) => byte !== 0), "a serial has 1 to 20 bytes");
  const { publicKey, privateKey } = await promisify(generateKeyPair)("ec", { namedCurve: options.curve });
  const body = toBeSigned(options, publicKey);
  const { hash } = signatures[options.curve];
  const certificate = der.sequence(body, algorithmOf(options), der.bits(sign(hash, body, privateKey)));
  return { certificate: new X509Certificate(certificate), privateKey };
}

const signatures = {
  "P-256": { identifier: "1.2.840.10045.4.3.2", hash: "sha256" },
  "P-521": { identifier: "1.2.840.10045.4.3.4", hash: "sha512" },
} as const;

function algorithmOf({ curve }: SelfSignedOptions): Uint8Array {
  return der.sequence(der.identifier(signatures[curve].identifier));
}

function toBeSigned(options: SelfSignedOptions, publicKey: KeyObject): Uint8Array {
  const version3 = der.explicit(0, der.integer(Uint8Array.of(2)));
  const name = nameOf(options);
  return der.sequence(
    version3,
    der.integer(positive(options.serial)),
    algorithmOf(options),
    name,
    der.sequence(der.time(options.notBefore), der.time(options.notAfter)),
    name,
    publicKey.export({ format: "der", type: "spki" }),
    der.explicit(3, der.sequence(...extensionsOf(options))),
  );
}

// Readers take 20 bytes at most, and a first bit that is set costs one more.
function positive(serial: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(serial);
  bytes[0] = bytes[0]! & 0x7f;
  return bytes;
}

function nameOf({ organization, commonName }: SelfSignedOptions): Uint8Array {
  const part = (identifier: string, text: string) => der.set(der.sequence(der.identifier(identifier), der.utf8(text)));
  const organizations = organization === undefined ? [] : [part("2.5.4.10", organization)];
  return der.sequence(...organizations, part("2.5.4.3", commonName));
}

function extensionsOf(options: SelfSignedOptions): readonly Uint8Array[] {
  const critical = (identifier: string, content: Uint8Array) =>
    der.sequence(der.identifier(identifier), der.boolean(true), der.octets(content));
  const usual = (identifier: string, content: Uint8Array) =>
    der.sequence(der.identifier(identifier), der.octets(content));
  const { extendedKeyUsages: extended, subjectAltNames } = options;
  return [
    ...(options.keyUsages.length > 0 ? [critical("2.5.29.15", keyUsageBits(options.keyUsages))] : []),
    ...(extended.length > 0
      ? [usual("2.5.29.37", der.sequence(...extended.map((usage) => der.identifier(extendedKeyUsages[usage]))))]
      : []),
    critical("2.5.29.19", options.isAuthority ? der.sequence(der.boolean(true)) : der.sequence()),
    ...(subjectAltNames.length > 0 ? [usual("2.5.29.17", der.sequence(...subjectAltNames.map(alternativeName)))] : []),
  ];
}

function keyUsageBits(usages: readonly KeyUsage[]): Uint8Array {
  const bits = usages.map((usage) => keyUsages.indexOf(usage));
  const byte = bits.reduce((sum, bit) => sum | (0x80 >> bit), 0);
  // DER has no trailing zero bits in a named bit list.
  return der.bits(Uint8Array.of(byte), 7 - Math.max(...bits));
}

function alternativeName(name: string): Uint8Array {
  const family = isIP(name);
  if (family === 0) return der.implicit(2, Buffer.from(name, "ascii"));
  return der.implicit(7, family === 4 ? Uint8Array.from(name.split(".").map(Number)) : ipv6Bytes(name));
}

function ipv6Bytes(address: string): Uint8Array {
  // The URL parser gives the canonical form of any valid spelling, an IPv4 tail included.
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = "", tail = ""] = canonical.split("::");
  const groups = (part: string) => (part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16)));
  const [left, right] = [groups(head), groups(tail)];
  const zeros = Array<number>(8 - left.length - right.length).fill(0);
  return Uint8Array.from([...left, ...zeros, ...right].flatMap((group) => [group >> 8, group & 0xff]));
}
