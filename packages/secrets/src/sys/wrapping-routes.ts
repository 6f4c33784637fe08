import type { EngineReply } from "../engine.ts";
import type { GuardedCall, Route, RouteReply } from "../http/route.ts";
import { refusal } from "../replies.ts";

const policy = { kind: "policy" } as const;
const holder = { kind: "token", why: "the wrapping token itself is what allows it" } as const;

/** Answers in a token: put in, looked at, taken out. */
export function wrappingRoutes(): readonly Route[] {
  return [
    { method: "POST", pattern: "/v1/sys/wrapping/wrap", permission: policy, onTop: true, handle: wrap },
    { method: "POST", pattern: "/v1/sys/wrapping/lookup", permission: holder, handle: lookup },
    { method: "GET", pattern: "/v1/sys/wrapping/lookup", permission: holder, handle: lookup },
    { method: "POST", pattern: "/v1/sys/wrapping/unwrap", permission: holder, handle: unwrap },
    { method: "POST", pattern: "/v1/sys/wrapping/rewrap", permission: holder, handle: rewrap },
  ];
}

// The data come back as they are: it is the header with the wrapping's time that puts them into a token.
async function wrap({ data }: GuardedCall): Promise<EngineReply> {
  return { kind: "data", data };
}

async function lookup(call: GuardedCall): Promise<EngineReply> {
  const { ttl, created, creationPath } = await call.core.wrapping.lookup(tokenOf(call));
  const data = { creation_path: creationPath, creation_time: new Date(created).toISOString(), creation_ttl: ttl };
  return { kind: "data", data };
}

async function unwrap(call: GuardedCall): Promise<RouteReply> {
  const { body } = await call.core.wrapping.unwrap(tokenOf(call));
  return { kind: "stored", body };
}

async function rewrap(call: GuardedCall): Promise<RouteReply> {
  const token = call.fields.text("token") ?? "";
  if (token === "") return refusal(400, "missing token to rewrap");
  const info = await call.core.wrapping.wrap(await call.core.wrapping.unwrap(token));
  return { kind: "wrapped", info };
}

function tokenOf({ fields, clientToken }: GuardedCall): string {
  return fields.text("token") || clientToken;
}
