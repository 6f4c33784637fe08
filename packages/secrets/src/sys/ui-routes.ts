import { entryAt, type MountEntry } from "../core/mount-table.ts";
import type { EngineReply } from "../engine.ts";
import type { GuardedCall, Route } from "../http/route.ts";
import { parsePolicy } from "../policy/parse-policy.ts";
import type { PathRule } from "../policy/policy.ts";
import { refusal } from "../replies.ts";
import { mountView } from "./mount-view.ts";

const anyToken = { kind: "token", why: "shows only mounts that the token's policies say something of" } as const;

/** What command lines ask before they read a secret: which version of kv lies at a path. */
export function uiRoutes(): readonly Route[] {
  return [
    { method: "GET", pattern: "/v1/sys/internal/ui/mounts", permission: anyToken, handle: listMounts },
    { method: "GET", pattern: "/v1/sys/internal/ui/mounts/*path", permission: anyToken, handle: readMount },
  ];
}

async function listMounts(call: GuardedCall): Promise<EngineReply> {
  const rules = await rulesOf(call);
  const seen = call.core.mounts.entries.filter((entry) => rules === "all" || concerns(rules, entry.path));
  const shown = (kind: MountEntry["class"]) =>
    Object.fromEntries(
      seen.filter((entry) => entry.class === kind).map((entry) => [pathWithin(entry), mountView(entry)]),
    );
  return { kind: "data", data: { secret: shown("secret"), auth: shown("auth") } };
}

async function readMount(call: GuardedCall): Promise<EngineReply> {
  const path = call.params["path"] ?? "";
  const rules = await rulesOf(call);
  const entry = entryAt(call.core.mounts.entries, path);
  if (!entry || (rules !== "all" && !concerns(rules, entry.path)))
    return refusal(
      403,
      `preflight capability check returned 403, please ensure client's policies grant access to path "${path}/"`,
    );
  return { kind: "data", data: { ...mountView(entry), path: entry.path } };
}

function pathWithin({ path, class: kind }: MountEntry): string {
  return kind === "auth" ? path.slice("auth/".length) : path;
}

async function rulesOf({ core, acl, caller }: GuardedCall): Promise<"all" | readonly PathRule[]> {
  if (acl.isRoot) return "all";
  const policies = await Promise.all(caller.policies.map((name) => core.policies.get(name)));
  return policies.flatMap((policy) => (policy ? parsePolicy(policy.name, policy.text).value.rules : []));
}

// Whether a rule is about something at or below a mount, or about a whole tree that the mount lies in.
function concerns(rules: readonly PathRule[], mount: string): boolean {
  return rules.some(({ pattern, capabilities }) => {
    if (capabilities.includes("deny") || capabilities.length === 0) return false;
    const { text, isPrefix, segments } = pattern;
    const fixed = segments ? text.slice(0, text.indexOf("+")) : text;
    if (fixed.startsWith(mount) || `${fixed}/` === mount) return true;
    return (isPrefix || segments !== undefined) && mount.startsWith(fixed);
  });
}
