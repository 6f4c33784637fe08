import { newestTerm } from "../barrier/keyring.ts";
import type { EngineReply } from "../engine.ts";
import type { GuardedCall, Route } from "../http/route.ts";

/** The keyring. */
export function keyRoutes(): readonly Route[] {
  const sudo = { kind: "sudo" } as const;
  return [
    { method: "GET", pattern: "/v1/sys/key-status", permission: { kind: "policy" }, onTop: true, handle: status },
    { method: "POST", pattern: "/v1/sys/rotate", permission: sudo, onTop: true, handle: rotate },
    { method: "POST", pattern: "/v1/sys/rotate/keyring", permission: sudo, handle: rotate },
  ];
}

async function status({ core }: GuardedCall): Promise<EngineReply> {
  const { term, installed } = newestTerm(core.keys.keyring);
  const { encryptions } = core.keys;
  return { kind: "data", data: { term, install_time: new Date(installed).toISOString(), encryptions } };
}

async function rotate({ core }: GuardedCall): Promise<EngineReply> {
  await core.keys.rotate();
  return { kind: "done" };
}
