import { OperationalError } from "@millwright/core/errors";
import { artifactErrors } from "./errors.ts";

/** What a file's bytes must come to: a digest, or the file somewhere that says it. */
export type ChecksumWanted = Digest | { readonly kind: "file"; readonly source: string };

export interface Digest {
  readonly kind: "digest";
  readonly algorithm: Algorithm;
  /** Lower case. */
  readonly hex: string;
}

export type Algorithm = "md5" | "sha1" | "sha256" | "sha512";

/** Hexadecimal digits of each. */
const lengths: Readonly<Record<Algorithm, number>> = { md5: 32, sha1: 40, sha256: 64, sha512: 128 };
const algorithms = Object.keys(lengths) as readonly Algorithm[];

/** Reads `sha256:HEX`, a bare digest, which its length tells, or `file:ADDRESS`. Throws `refused`. */
export function parseChecksum(text: string): ChecksumWanted {
  const [, type, value] = /^([a-z0-9]+):(.*)$/is.exec(text) ?? [undefined, undefined, text];
  if (type === "file") return { kind: "file", source: value! };
  const digest = type === undefined ? bareDigest(value!) : typedDigest(type, value!);
  if (digest) return digest;
  throw new OperationalError(
    artifactErrors.refused,
    `The checksum ${JSON.stringify(text)} is none. Write TYPE:HEX with TYPE one of ${algorithms.join(", ")}, or file:ADDRESS.`,
  );
}

/**
 * Finds a file's digest in a checksum file: lines of `sha256sum` (`HEX  name`, `HEX *name`), of BSD (`SHA256 (name) = HEX`),
 * or one digest alone. Throws `refused` where it is not in there.
 */
export function findInChecksumFile(text: string, filename: string, shown: string): Digest {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "" && !line.startsWith("#"));
  for (const line of lines) {
    const bsd = /^([a-z0-9]+)\s*\((.+)\)\s*=\s*([0-9a-f]+)\s*$/i.exec(line);
    const [name, digest] = bsd
      ? [bsd[2]!, typedDigest(bsd[1]!.toLowerCase(), bsd[3]!)]
      : namedDigest(/^([0-9a-f]+)\s+\*?(.+?)\s*$/i.exec(line));
    if (digest && name.slice(name.lastIndexOf("/") + 1) === filename) return digest;
  }
  const only = lines.length === 1 ? bareDigest(lines[0]!.trim()) : undefined;
  if (only) return only;
  throw new OperationalError(
    artifactErrors.refused,
    `The checksum file ${shown} does not name ${filename}. Add its line, or write checksum = "TYPE:HEX".`,
  );
}

/** Throws `wrongChecksum` where the bytes were other ones. */
export function checkDigest(wanted: Digest, hex: string, shown: string): void {
  if (hex === wanted.hex) return;
  throw new OperationalError(
    artifactErrors.wrongChecksum,
    `What came from ${shown} has another ${wanted.algorithm} checksum than was asked for:\n` +
      `  expected ${wanted.hex}\n       got ${hex}\n` +
      "Nothing of it was kept. If the new file is the one you want, correct the checksum that is asked for.",
  );
}

function namedDigest(match: RegExpExecArray | null): readonly [string, Digest | undefined] {
  return match ? [match[2]!, bareDigest(match[1]!)] : ["", undefined];
}

function bareDigest(hex: string): Digest | undefined {
  const algorithm = algorithms.find((name) => lengths[name] === hex.length);
  return algorithm && typedDigest(algorithm, hex);
}

function typedDigest(type: string, hex: string): Digest | undefined {
  const algorithm = algorithms.find((name) => name === type);
  const isDigest = algorithm && hex.length === lengths[algorithm] && /^[0-9a-f]*$/i.test(hex);
  return isDigest ? { kind: "digest", algorithm, hex: hex.toLowerCase() } : undefined;
}
