import type { EngineReply } from "../engine.ts";
import type { GuardedCall, Route } from "../http/route.ts";
import type { Acl } from "../policy/acl.ts";
import { refusal } from "../replies.ts";

const policy = { kind: "policy" } as const;

/** What a token may do at some paths. */
export function capabilityRoutes(): readonly Route[] {
  return [
    { method: "POST", pattern: "/v1/sys/capabilities", permission: policy, onTop: true, handle: ofToken },
    { method: "POST", pattern: "/v1/sys/capabilities-self", permission: policy, onTop: true, handle: ofSelf },
    { method: "POST", pattern: "/v1/sys/capabilities-accessor", permission: policy, onTop: true, handle: ofAccessor },
  ];
}

async function ofSelf(call: GuardedCall): Promise<EngineReply> {
  return told(call, call.acl);
}

async function ofToken(call: GuardedCall): Promise<EngineReply> {
  const { core, fields } = call;
  const view = await core.tokens.find(fields.text("token") ?? "");
  if (!view) return refusal(403, "invalid token");
  return told(call, await core.policies.aclOf(view.policies));
}

async function ofAccessor(call: GuardedCall): Promise<EngineReply> {
  const { core, fields } = call;
  const view = await core.tokens.byAccessor(fields.text("accessor") ?? "");
  if (!view) return refusal(403, "invalid accessor");
  return told(call, await core.policies.aclOf(view.policies));
}

function told({ fields }: GuardedCall, acl: Acl): EngineReply {
  const paths = [...(fields.texts("paths") ?? []), ...(fields.texts("path") ?? [])];
  const first = paths[0];
  if (first === undefined) return refusal(400, "paths must be supplied");
  const found = new Map(paths.map((path) => [path, acl.capabilities(path.replace(/^\/+/, ""))]));
  // `capabilities` is the answer of the time when only one path could be asked for.
  const single = paths.length === 1 ? { capabilities: found.get(first) } : {};
  return { kind: "data", data: { ...Object.fromEntries(found), ...single } };
}
