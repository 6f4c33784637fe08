import type { VaultClient } from "@millwright/clients/vault";
import { type Given, LocalMistake, remoteFailure, vaultCommand } from "../command.ts";
import { dataOf } from "../data.ts";
import { withoutSlash, writeAndSay } from "./logical.ts";

/** What can be enabled at a path: the words of its commands, and where the server keeps it. */
interface MountKind {
  readonly what: string;
  readonly api: string;
  /** Behind `Success! ` when it was enabled. */
  readonly enabled: (type: string, path: string) => string;
  readonly disabled: (path: string) => string;
}

const secretsKind: MountKind = {
  what: "secrets engine",
  api: "sys/mounts",
  enabled: (type, path) => `Success! Enabled the ${type} secrets engine at: ${path}/`,
  disabled: (path) => `Success! Disabled the secrets engine (if it existed) at: ${path}/`,
};

const authKind: MountKind = {
  what: "auth method",
  api: "sys/auth",
  enabled: (type, path) => `Success! Enabled ${type} auth method at: ${path}/`,
  disabled: (path) => `Success! Disabled the auth method (if it existed) at: ${path}/`,
};

const auditKind: MountKind = {
  what: "audit device",
  api: "sys/audit",
  enabled: (type, path) => `Success! Enabled the ${type} audit device at: ${path}/`,
  disabled: (path) => `Success! Disabled audit device (if it was enabled) at: ${path}/`,
};

const enableFlags = {
  path: { kind: "string", value: "PATH", help: "Where it is to answer; its type by default." },
  description: { kind: "string", value: "TEXT", help: "What it is for." },
  version: { kind: "int", value: "N", help: "Of the kv engine: 1 or 2." },
  "default-lease-ttl": {
    kind: "string",
    value: "TIME",
    help: "How long a lease lives where nothing else is said: 1h.",
  },
  "max-lease-ttl": { kind: "string", value: "TIME", help: "How long a lease can live at most." },
} as const;

/** `secrets enable`, and `mount` as it was in 2016. */
export const enableSecrets = vaultCommand({
  usage: "[flags] TYPE",
  about: "Enables a secrets engine at a path.",
  examples: ["secrets enable -version=2 kv", "secrets enable -path=db database"],
  flags: enableFlags,
  args: { least: 1, most: 1 },
  run: async (given) => enable(given, secretsKind, {}),
});

/** `auth enable`. */
export const enableAuth = vaultCommand({
  usage: "[flags] TYPE",
  about: "Enables an auth method at a path.",
  examples: ["auth enable jwt"],
  flags: enableFlags,
  args: { least: 1, most: 1 },
  run: async (given) => enable(given, authKind, {}),
});

/** `audit enable`. */
export const enableAudit = vaultCommand({
  usage: "[flags] TYPE [KEY=VALUE ...]",
  about: "Enables an audit device: every request and answer is written to it, with secrets only as keyed hashes.",
  examples: ["audit enable file file_path=/var/log/millwright/audit.log"],
  flags: { path: enableFlags.path, description: enableFlags.description },
  args: { least: 1, most: Number.POSITIVE_INFINITY },
  run: async ({ values, args: [type = "", ...rest], io, client, output }) => {
    const path = withoutSlash(values.path ?? type);
    const body = { type, description: values.description ?? "", options: await dataOf(rest, io) };
    return writeAndSay({ client, io, output }, `sys/audit/${path}`, body, auditKind.enabled(type, path));
  },
});

async function enable(
  { values, args: [type = ""], io, client, output }: Given<typeof enableFlags>,
  kind: MountKind,
  extra: object,
): Promise<number> {
  const [name, version] = type === "kv-v1" || type === "kv-v2" ? ["kv", Number(type.at(-1))] : [type, values.version];
  const path = withoutSlash(values.path ?? type);
  if (path === "") throw new LocalMistake(`A ${kind.what} needs a path: -path=NAME.`);
  const ttls = { default_lease_ttl: values["default-lease-ttl"], max_lease_ttl: values["max-lease-ttl"] };
  const config = Object.fromEntries(Object.entries(ttls).filter(([, value]) => value !== undefined));
  const body = {
    type: name,
    description: values.description ?? "",
    config,
    ...(version === undefined ? {} : { options: { version: String(version) } }),
    ...extra,
  };
  return writeAndSay({ client, io, output }, `${kind.api}/${path}`, body, kind.enabled(String(name), path));
}

/** `secrets tune`. */
export const tuneSecrets = vaultCommand({
  usage: "[flags] PATH",
  about: "Changes how a secrets engine treats its leases, or what it says of itself.",
  examples: ["secrets tune -default-lease-ttl=30m postgresql/"],
  flags: {
    description: enableFlags.description,
    "default-lease-ttl": enableFlags["default-lease-ttl"],
    "max-lease-ttl": enableFlags["max-lease-ttl"],
  },
  args: { least: 1, most: 1 },
  run: async ({ values, args: [given = ""], io, client, output }) => {
    const path = withoutSlash(given);
    const settings = {
      description: values.description,
      default_lease_ttl: values["default-lease-ttl"],
      max_lease_ttl: values["max-lease-ttl"],
    };
    const body = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
    if (Object.keys(body).length === 0)
      throw new LocalMistake("Say what to change: -default-lease-ttl, -max-lease-ttl or -description.");
    return writeAndSay(
      { client, io, output },
      `sys/mounts/${path}/tune`,
      body,
      `Success! Tuned the secrets engine at: ${path}/`,
    );
  },
});

/** `secrets move`. */
export const moveSecrets = vaultCommand({
  usage: "[flags] FROM TO",
  about: "Moves a secrets engine to another path. Its leases end: their names begin with the path.",
  examples: ["secrets move postgresql/ db/"],
  flags: {},
  args: { least: 2, most: 2 },
  run: async ({ args: [from = "", to = ""], io, client, output }) => {
    const places = { from: withoutSlash(from), to: withoutSlash(to) };
    const said = `Success! Moved secrets engine ${places.from}/ to: ${places.to}/`;
    return writeAndSay({ client, io, output }, "sys/remount", places, said);
  },
});

export const disableSecrets = disableCommand(secretsKind, ["secrets disable db"]);
export const disableAuth = disableCommand(authKind, ["auth disable jwt"]);
export const disableAudit = disableCommand(auditKind, ["audit disable file"]);
export const listSecrets = listCommand(secretsKind, ["secrets list"]);
export const listAuth = listCommand(authKind, ["auth list"]);
export const listAudit = listCommand(auditKind, ["audit list"]);

function disableCommand(kind: MountKind, examples: readonly string[]) {
  return vaultCommand({
    usage: "[flags] PATH",
    about: `Disables the ${kind.what} at a path. What it holds is deleted, and its leases end.`,
    examples,
    flags: {},
    args: { least: 1, most: 1 },
    run: async ({ args: [given = ""], io, client, output }) => {
      const path = withoutSlash(given);
      await client.delete(`${kind.api}/${path}`, { signal: io.signal });
      return output.say(kind.disabled(path));
    },
  });
}

function listCommand(kind: MountKind, examples: readonly string[]) {
  return vaultCommand({
    usage: "[flags]",
    about: `Lists what is enabled: each ${kind.what} with its path.`,
    examples,
    flags: {},
    args: { least: 0, most: 0 },
    run: async ({ io, client, output }) => {
      const mounts = await mountsAt(client, kind, io.signal);
      const found = Object.entries(mounts).sort(([a], [b]) => (a < b ? -1 : 1));
      if (kind !== auditKind) {
        const lines = found.map(([path, of]) => [path, of.type ?? "", of.accessor ?? "", of.description ?? ""]);
        return output.table(["Path", "Type", "Accessor", "Description"], lines, mounts);
      }
      if (found.length === 0 && output.format === "table") {
        await io.stderr("No audit devices are enabled.\n");
        return remoteFailure;
      }
      const lines = found.map(([path, { type, description }]) => [path, type ?? "", description ?? ""]);
      return output.table(["Path", "Type", "Description"], lines, mounts);
    },
  });
}

interface MountInfo {
  readonly type?: string;
  readonly accessor?: string;
  readonly description?: string;
}

async function mountsAt(
  client: VaultClient,
  kind: MountKind,
  signal: AbortSignal,
): Promise<Readonly<Record<string, MountInfo>>> {
  const secret = await client.read(kind.api, { signal });
  return (secret?.data ?? {}) as Readonly<Record<string, MountInfo>>;
}
