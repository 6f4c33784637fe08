import { createHash } from "node:crypto";
import type { EngineReply } from "../engine.ts";
import type { GuardedCall, Route } from "../http/route.ts";
import { refusal } from "../replies.ts";

const policy = { kind: "policy" } as const;

/** Random bytes and hashes. */
export function toolRoutes(): readonly Route[] {
  return [
    { method: "POST", pattern: "/v1/sys/tools/random", permission: policy, handle: random },
    { method: "POST", pattern: "/v1/sys/tools/random/:bytes", permission: policy, handle: random },
    { method: "POST", pattern: "/v1/sys/tools/hash", permission: policy, handle: hash },
    { method: "POST", pattern: "/v1/sys/tools/hash/:algorithm", permission: policy, handle: hash },
  ];
}

const algorithms: Readonly<Record<string, string>> = {
  "sha2-224": "sha224",
  "sha2-256": "sha256",
  "sha2-384": "sha384",
  "sha2-512": "sha512",
  "sha3-224": "sha3-224",
  "sha3-256": "sha3-256",
  "sha3-384": "sha3-384",
  "sha3-512": "sha3-512",
};

const mostBytes = 128 * 1024;

async function random({ core, fields, params }: GuardedCall): Promise<EngineReply> {
  const given = params["bytes"] ?? fields.text("bytes") ?? "32";
  const length = Number(given);
  if (!Number.isInteger(length) || length < 1) return refusal(400, "'bytes' cannot be less than 1");
  if (length > mostBytes) return refusal(400, `'bytes' should be less than ${mostBytes}`);
  const encoding = encodingOf(fields, "base64");
  if (!encoding) return unsupportedFormat(fields);
  return { kind: "data", data: { random_bytes: Buffer.from(core.chance.bytes(length)).toString(encoding) } };
}

async function hash({ fields, params }: GuardedCall): Promise<EngineReply> {
  const name = params["algorithm"] ?? fields.text("algorithm") ?? "sha2-256";
  const algorithm = Object.hasOwn(algorithms, name) ? algorithms[name] : undefined;
  if (algorithm === undefined) return refusal(400, `unsupported algorithm ${name}`);
  const encoding = encodingOf(fields, "hex");
  if (!encoding) return unsupportedFormat(fields);
  const input = Buffer.from(fields.text("input") ?? "", "base64");
  return { kind: "data", data: { sum: createHash(algorithm).update(input).digest(encoding) } };
}

function encodingOf(fields: GuardedCall["fields"], usual: "hex" | "base64"): "hex" | "base64" | undefined {
  const format = fields.text("format") ?? usual;
  return format === "hex" || format === "base64" ? format : undefined;
}

function unsupportedFormat(fields: GuardedCall["fields"]): EngineReply {
  return refusal(400, `unsupported encoding format ${fields.text("format") ?? ""}; must be "hex" or "base64"`);
}
