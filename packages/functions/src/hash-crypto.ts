import { createHash } from "node:crypto";
import type { FunctionSpec } from "@millwright/hcl/function-spec";
import { quote } from "@millwright/text/quote";
import { numberType, stringType } from "@millwright/value/types";
import { asString, stringValue, unknownValue } from "@millwright/value/value";
import { decodeBase64 } from "./base64.ts";
import { integerArgument, notNull, refuse, stringFunction, text } from "./define.ts";
import type { Environment } from "./environment.ts";
import { hashes } from "./hashes.ts";
import { bcryptLibrary } from "./libraries.ts";
import { readPrivateKey } from "./private-key.ts";
import { decryptPkcs1 } from "./rsa.ts";
import { decodeUtf8, encodeUtf8 } from "./utf8.ts";

const hashFunctions = hashes.map(({ name, description, digest }) =>
  stringFunction({ name, description: `${description} of a text (as UTF-8).` }, ["str"], (str) =>
    digest(encodeUtf8(str!)),
  ),
);

const defaultCost = 10;
const longestPassword = 72;

function bcrypt({ chance, impure }: Environment): FunctionSpec {
  return {
    name: "bcrypt",
    description: "A bcrypt hash of a text, with a new salt at each call; unknown while planning.",
    parameters: [text("str")],
    variadic: { name: "cost", type: numberType },
    returnType: stringType,
    refineResult: notNull,
    call: ([str, givenCost, ...more]) => {
      if (impure === "later") return unknownValue(stringType);
      const cost = givenCost ? integerArgument(givenCost) : defaultCost;
      if (more.length > 0) refuse("bcrypt() takes no more than two arguments");
      const failed = "error occured generating password";
      if (encodeUtf8(asString(str!)).length > longestPassword) {
        refuse(`${failed} bcrypt: password length exceeds ${longestPassword} bytes`);
      }
      if (cost > 31) refuse(`${failed} crypto/bcrypt: cost ${cost} is outside allowed range (4,31)`);
      // A cost that is too low means the default, as in the reference.
      const rounds = String(cost < 4 ? defaultCost : cost).padStart(2, "0");
      const { encodeBase64, hashSync } = bcryptLibrary();
      const salt = encodeBase64(Array.from(chance.bytes(16)), 16);
      return stringValue(hashSync(asString(str!), `$2a$${rounds}$${salt}`));
    },
  };
}

const rsadecrypt: FunctionSpec = {
  name: "rsadecrypt",
  description: "The text in an RSA ciphertext (PKCS #1 v1.5, in Base64), by a private key in PEM.",
  parameters: [text("ciphertext"), text("privatekey")],
  returnType: stringType,
  refineResult: notNull,
  call: ([ciphertext, privatekey]) => {
    const encoded = asString(ciphertext!);
    const decoded = decodeBase64(encoded);
    if (!decoded.ok) refuse(`failed to decode input ${quote(encoded)}: cipher text must be base64-encoded`, 0);
    const key = readPrivateKey(asString(privatekey!));
    if (!key.ok) refuse(key.error, 1);
    const message = decryptPkcs1(decoded.bytes, key.key);
    if (!message) refuse("failed to decrypt: crypto/rsa: decryption error");
    const plain = decodeUtf8(message);
    if (plain === undefined) refuse("the decrypted message is not valid UTF-8");
    return stringValue(plain);
  },
};

function uuid({ chance, impure }: Environment): FunctionSpec {
  return {
    name: "uuid",
    description: "A random UUID, another one at each call; unknown while planning.",
    parameters: [],
    returnType: stringType,
    refineResult: notNull,
    call: () => (impure === "later" ? unknownValue(stringType) : stringValue(chance.uuid())),
  };
}

/** Namespaces with names of their own (RFC 9562, 6.6). */
const namespaces: ReadonlyMap<string, string> = new Map([
  ["dns", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"],
  ["url", "6ba7b811-9dad-11d1-80b4-00c04fd430c8"],
  ["oid", "6ba7b812-9dad-11d1-80b4-00c04fd430c8"],
  ["x500", "6ba7b814-9dad-11d1-80b4-00c04fd430c8"],
]);

const uuidv5 = stringFunction(
  { name: "uuidv5", description: "The UUID (version 5) of a name in a namespace: dns, url, oid, x500, or a UUID." },
  ["namespace", "name"],
  (namespace, name) => {
    const hash = createHash("sha1")
      .update(namespaceBytes(namespace!))
      .update(encodeUtf8(name!))
      .digest()
      .subarray(0, 16);
    hash[6] = (hash[6]! & 0x0f) | 0x50;
    hash[8] = (hash[8]! & 0x3f) | 0x80;
    return hash.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  },
);

function namespaceBytes(namespace: string): Uint8Array {
  const given = namespaces.get(namespace) ?? namespace;
  const fail = (why: string) => refuse(`uuidv5() doesn't support namespace ${namespace} (${why})`);
  const { length } = encodeUtf8(given);
  if (![32, 36, 38, 45].includes(length)) fail(`invalid UUID length: ${length}`);
  const prefix = given.slice(0, 9);
  if (length === 45 && prefix.toLowerCase() !== "urn:uuid:") fail(`invalid urn prefix: ${quote(prefix)}`);
  const bare = length === 45 ? given.slice(9) : length === 38 ? given.slice(1, -1) : given;
  const form = length === 32 ? /^[0-9a-f]{32}$/i : /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
  if (!form.test(bare)) fail("invalid UUID format");
  return Buffer.from(bare.replaceAll("-", ""), "hex");
}

export function hashCryptoFunctions(environment: Environment): readonly FunctionSpec[] {
  return [...hashFunctions, bcrypt(environment), rsadecrypt, uuid(environment), uuidv5];
}
