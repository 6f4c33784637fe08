import { OperationalError } from "@millwright/core/errors";
import type { EngineReply } from "../engine.ts";
import { secretsErrors } from "../errors.ts";
import type { GuardedCall, Route } from "../http/route.ts";
import type { PolicyOutcome } from "../policy/policy-store.ts";
import { refusal } from "../replies.ts";

const policy = { kind: "policy" } as const;

/** The policies, under their new path and the old one. */
export function policyRoutes(): readonly Route[] {
  return [
    { method: "LIST", pattern: "/v1/sys/policies/acl", permission: policy, handle: listNew },
    { method: "GET", pattern: "/v1/sys/policies/acl/:name", permission: policy, handle: read("policy") },
    { method: "POST", pattern: "/v1/sys/policies/acl/:name", permission: policy, handle: write },
    { method: "DELETE", pattern: "/v1/sys/policies/acl/:name", permission: policy, handle: remove },
    { method: "GET", pattern: "/v1/sys/policy", permission: policy, onTop: true, handle: listOld },
    { method: "LIST", pattern: "/v1/sys/policy", permission: policy, onTop: true, handle: listOld },
    { method: "GET", pattern: "/v1/sys/policy/:name", permission: policy, onTop: true, handle: read("rules") },
    { method: "POST", pattern: "/v1/sys/policy/:name", permission: policy, onTop: true, handle: write },
    { method: "DELETE", pattern: "/v1/sys/policy/:name", permission: policy, onTop: true, handle: remove },
  ];
}

async function listNew({ core }: GuardedCall): Promise<EngineReply> {
  return { kind: "data", data: { keys: await core.policies.list() } };
}

async function listOld({ core }: GuardedCall): Promise<EngineReply> {
  const names = await core.policies.list();
  return { kind: "data", data: { keys: names, policies: names } };
}

function read(textField: "policy" | "rules") {
  return async (call: GuardedCall): Promise<EngineReply> => {
    const found = await call.core.policies.get(nameOf(call));
    if (!found) return { kind: "missing" };
    return { kind: "data", data: { name: found.name, [textField]: found.text } };
  };
}

async function write(call: GuardedCall): Promise<EngineReply> {
  const { core, fields } = call;
  const name = nameOf(call);
  // `rules` is what the field was called at first.
  const given = fields.text("policy") ?? fields.text("rules") ?? "";
  if (given === "") return refusal(400, "'policy' parameter not supplied or empty");
  return replyOf(await core.policies.put(name, decoded(given)));
}

async function remove(call: GuardedCall): Promise<EngineReply> {
  return replyOf(await call.core.policies.delete(nameOf(call)));
}

// A policy has one name, however it is written, and rules about it are about that one.
function nameOf({ params, path, operation, data, acl }: GuardedCall): string {
  const given = params["name"] ?? "";
  const name = given.toLowerCase();
  const place = path.slice(0, path.length - given.length) + name;
  if (acl.check({ operation, path: place, data }).isAllowed) return name;
  throw new OperationalError(
    secretsErrors.denied,
    `permission denied: the token's policies do not allow ${operation} on ${place}`,
  );
}

function replyOf(outcome: PolicyOutcome): EngineReply {
  switch (outcome.kind) {
    case "done":
      return { kind: "done", warnings: outcome.warnings.map(({ summary, detail }) => `${summary}: ${detail}`) };
    case "refused":
      return refusal(400, outcome.why);
    case "faulty": {
      const faults = outcome.diagnostics.map(({ summary, detail, subject }) => {
        const place = subject ? `${subject.filename}:${subject.start.line}: ` : "";
        return `${place}${summary}: ${detail}`;
      });
      return refusal(400, ["failed to parse policy:", ...faults].join("\n  "));
    }
  }
}

// Clients may send a policy as base64, so that it survives their own quoting.
function decoded(text: string): string {
  if (!/^[A-Za-z0-9+/\s]+={0,2}\s*$/.test(text)) return text;
  return Buffer.from(text, "base64").toString();
}
