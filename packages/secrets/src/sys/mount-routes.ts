import { OperationalError } from "@millwright/core/errors";
import type { MountEntry } from "../core/mount-table.ts";
import type { EngineReply } from "../engine.ts";
import { secretsErrors } from "../errors.ts";
import type { GuardedCall, Route } from "../http/route.ts";
import { refusal } from "../replies.ts";
import { checkTtls, configOf, mountSpec, mountView, tuneView } from "./mount-view.ts";

const policy = { kind: "policy" } as const;
const sudo = { kind: "sudo" } as const;

/** What is mounted: `sys/mounts`, `sys/auth`, `sys/remount`. */
export function mountRoutes(): readonly Route[] {
  return [
    { method: "GET", pattern: "/v1/sys/mounts", permission: policy, onTop: true, handle: listOf("secret") },
    { method: "GET", pattern: "/v1/sys/mounts/*path", permission: policy, onTop: true, handle: read("secret") },
    { method: "POST", pattern: "/v1/sys/mounts/*path", permission: policy, onTop: true, handle: write("secret") },
    { method: "DELETE", pattern: "/v1/sys/mounts/*path", permission: policy, onTop: true, handle: remove("secret") },
    { method: "GET", pattern: "/v1/sys/auth", permission: policy, onTop: true, handle: listOf("auth") },
    { method: "GET", pattern: "/v1/sys/auth/*path", permission: sudo, onTop: true, handle: read("auth") },
    { method: "POST", pattern: "/v1/sys/auth/*path", permission: sudo, onTop: true, handle: write("auth") },
    { method: "DELETE", pattern: "/v1/sys/auth/*path", permission: sudo, onTop: true, handle: remove("auth") },
    { method: "POST", pattern: "/v1/sys/remount", permission: sudo, onTop: true, handle: remount },
    { method: "GET", pattern: "/v1/sys/remount/status/:id", permission: policy, handle: remountStatus },
  ];
}

type MountClass = MountEntry["class"];

function listOf(kind: MountClass) {
  return async ({ core }: GuardedCall): Promise<EngineReply> => {
    const shown = core.mounts.entries.filter((entry) => entry.class === kind);
    return { kind: "data", data: Object.fromEntries(shown.map((entry) => [shownPath(entry), mountView(entry)])) };
  };
}

function read(kind: MountClass) {
  return async ({ core, params }: GuardedCall): Promise<EngineReply> => {
    const { path, isTune } = placeOf(kind, params);
    const entry = core.mounts.entries.find((known) => known.path === path);
    if (!entry && isTune) return refusal(400, `cannot fetch sysview for path ${JSON.stringify(path)}`);
    if (!entry)
      return refusal(400, `No ${kind === "auth" ? "auth engine" : "secret engine mount"} at ${params["path"]}/`);
    return { kind: "data", data: isTune ? tuneView(entry, core.mounts.ttl) : mountView(entry) };
  };
}

function write(kind: MountClass) {
  return async (call: GuardedCall): Promise<EngineReply> => {
    const { core, fields, params } = call;
    const { path, isTune } = placeOf(kind, params);
    if (isTune) return tune(call, path);
    if (isElsewhere(kind, path)) return refusal(400, `cannot mount ${JSON.stringify(path)}: see sys/auth`);
    const spec = mountSpec(fields, { class: kind, path });
    checkTtls(spec.config, core.mounts.ttl);
    const isBuiltIn = ["system", "cubbyhole", "token"].includes(spec.type);
    if (isBuiltIn || !core.mounts.typeOf(spec.type, kind))
      return refusal(400, `plugin not found in the catalog: ${spec.type}: this server has no such ${kind} engine`);
    await core.mounts.mount(spec);
    return { kind: "done" };
  };
}

function remove(kind: MountClass) {
  return async ({ core, params }: GuardedCall): Promise<EngineReply> => {
    const { path } = placeOf(kind, params);
    if (isElsewhere(kind, path)) return refusal(400, `cannot unmount ${JSON.stringify(path)}: see sys/auth`);
    if (["sys/", "cubbyhole/", "auth/token/"].includes(path))
      return refusal(400, `cannot unmount ${JSON.stringify(path)}: the server needs it`);
    await core.mounts.unmount(path, core.leases);
    return { kind: "done" };
  };
}

async function tune({ core, fields }: GuardedCall, path: string): Promise<EngineReply> {
  const entry = core.mounts.entries.find((known) => known.path === path);
  if (!entry) return refusal(400, `cannot tune ${JSON.stringify(path)}: nothing is mounted there`);
  const config = configOf(fields);
  checkTtls({ ...entry.config, ...config }, core.mounts.ttl);
  const description = fields.text("description");
  const options = fields.textMap("options") ?? {};
  await core.mounts.tune(path, { config, options, ...(description === undefined ? {} : { description }) });
  return { kind: "done" };
}

async function remount({ core, fields }: GuardedCall): Promise<EngineReply> {
  const from = wholePath(fields.text("from") ?? "");
  const to = wholePath(fields.text("to") ?? "");
  if (from === "/" || to === "/") throw badRequest("both from and to must be given");
  if (from.startsWith("auth/") !== to.startsWith("auth/"))
    throw badRequest("cannot remount a secrets engine as an auth method, nor the other way");
  if (["sys/", "cubbyhole/", "auth/token/"].includes(from)) throw badRequest(`cannot remount ${JSON.stringify(from)}`);
  await core.mounts.move(from, to, core.leases);
  // It is done by now. The id carries what its status will be asked for, so that nothing has to be kept.
  const id = Buffer.from(JSON.stringify([from, to])).toString("base64url");
  return { kind: "data", data: { migration_id: id } };
}

async function remountStatus({ params }: GuardedCall): Promise<EngineReply> {
  const [source, target] = migrationOf(params["id"] ?? "");
  const info = { source_mount: source, target_mount: target, status: "success" };
  return { kind: "data", data: { migration_id: params["id"], migration_info: info } };
}

function migrationOf(id: string): readonly unknown[] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(id, "base64url").toString());
    if (Array.isArray(parsed) && parsed.length === 2) return parsed;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw badRequest("there is no such migration");
}

// `secret`, `secret/tune`, and of auth methods without the leading `auth/`.
function placeOf(
  kind: MountClass,
  params: Readonly<Record<string, string>>,
): {
  readonly path: string;
  readonly isTune: boolean;
} {
  const given = params["path"] ?? "";
  const isTune = given.endsWith("/tune");
  const path = wholePath(isTune ? given.slice(0, -"/tune".length) : given);
  return { path: kind === "auth" ? `auth/${path}` : path, isTune };
}

// Auth methods come and go under `sys/auth`, which needs sudo: no other path does the same without.
function isElsewhere(kind: MountClass, path: string): boolean {
  return kind === "secret" && path.startsWith("auth/");
}

function wholePath(text: string): string {
  return `${text.trim().replace(/^\/+|\/+$/g, "")}/`;
}

function shownPath({ path, class: kind }: MountEntry): string {
  return kind === "auth" ? path.slice("auth/".length) : path;
}

function badRequest(text: string): OperationalError {
  return new OperationalError(secretsErrors.badRequest, text);
}
