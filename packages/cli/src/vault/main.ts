import { vaultVersion } from "@millwright/core/followed-versions";
import { similar } from "@millwright/core/similar";
import type { CommandIo } from "../io.ts";
import { isHelp, isVersion } from "../words.ts";
import { localFailure, runVaultCommand, type VaultCommand } from "./command.ts";

/** A command by the words that call it: its line in the overview, and where it is. */
interface Entry {
  readonly about: string;
  load(): Promise<VaultCommand>;
}

const logical = () => import("./commands/logical.ts");
const leases = () => import("./commands/leases.ts");
const operator = () => import("./commands/operator.ts");
const policies = () => import("./commands/policies.ts");
const mounts = () => import("./commands/mounts.ts");
const tokens = () => import("./commands/tokens.ts");
const kv = () => import("./commands/kv.ts");

/** All commands of Vault's command line that are here. */
const commands: Readonly<Record<string, Entry>> = {
  read: { about: "Read data, or get a credential", load: async () => (await logical()).read },
  write: { about: "Write data, configuration and roles", load: async () => (await logical()).write },
  patch: { about: "Change some fields of data", load: async () => (await logical()).patch },
  list: { about: "List names", load: async () => (await logical()).list },
  delete: { about: "Delete data and configuration", load: async () => (await logical()).deletePath },
  unwrap: { about: "Unwrap a wrapped secret", load: async () => (await logical()).unwrap },
  login: { about: "Log in, and keep the token", load: async () => (await tokens()).login },
  status: { about: "Show whether the server is sealed", load: async () => (await operator()).status },
  "kv get": { about: "Show a key-value secret", load: async () => (await kv()).kvGet },
  "kv put": { about: "Write a key-value secret", load: async () => (await kv()).kvPut },
  "kv patch": { about: "Change fields of a key-value secret", load: async () => (await kv()).kvPatch },
  "kv list": { about: "List key-value secrets", load: async () => (await kv()).kvList },
  "kv delete": { about: "Delete a version", load: async () => (await kv()).kvDelete },
  "kv undelete": { about: "Bring deleted versions back", load: async () => (await kv()).kvUndelete },
  "kv destroy": { about: "Delete versions for good", load: async () => (await kv()).kvDestroy },
  "kv metadata put": { about: "Say how many versions are kept", load: async () => (await kv()).kvMetadataPut },
  "kv metadata get": { about: "Show versions", load: async () => (await kv()).kvMetadataGet },
  "kv metadata delete": { about: "Delete all versions", load: async () => (await kv()).kvMetadataDelete },
  "lease renew": { about: "Extend a lease", load: async () => (await leases()).renew },
  "lease revoke": { about: "End a lease, or all under a prefix", load: async () => (await leases()).revoke },
  "lease lookup": { about: "Show a lease", load: async () => (await leases()).lookup },
  "policy list": { about: "List policies", load: async () => (await policies()).listPolicies },
  "policy read": { about: "Print a policy", load: async () => (await policies()).readPolicy },
  "policy write": { about: "Write a policy", load: async () => (await policies()).writePolicy },
  "policy delete": { about: "Delete a policy", load: async () => (await policies()).deletePolicy },
  "secrets enable": { about: "Enable a secrets engine", load: async () => (await mounts()).enableSecrets },
  "secrets disable": { about: "Disable a secrets engine", load: async () => (await mounts()).disableSecrets },
  "secrets list": { about: "List secrets engines", load: async () => (await mounts()).listSecrets },
  "secrets tune": { about: "Change an engine's settings", load: async () => (await mounts()).tuneSecrets },
  "secrets move": { about: "Move an engine to another path", load: async () => (await mounts()).moveSecrets },
  "auth enable": { about: "Enable an auth method", load: async () => (await mounts()).enableAuth },
  "auth disable": { about: "Disable an auth method", load: async () => (await mounts()).disableAuth },
  "auth list": { about: "List auth methods", load: async () => (await mounts()).listAuth },
  "audit enable": { about: "Enable an audit device", load: async () => (await mounts()).enableAudit },
  "audit disable": { about: "Disable an audit device", load: async () => (await mounts()).disableAudit },
  "audit list": { about: "List audit devices", load: async () => (await mounts()).listAudit },
  "token create": { about: "Make a token", load: async () => (await tokens()).createToken },
  "token lookup": { about: "Show a token", load: async () => (await tokens()).lookupToken },
  "token renew": { about: "Extend a token", load: async () => (await tokens()).renewToken },
  "token revoke": { about: "End a token", load: async () => (await tokens()).revokeToken },
  "token capabilities": { about: "Show what a token may do", load: async () => (await tokens()).tokenCapabilities },
  "operator init": { about: "Make a new server's keys", load: async () => (await operator()).init },
  "operator unseal": { about: "Give an unseal key", load: async () => (await operator()).unseal },
  "operator seal": { about: "Seal the server", load: async () => (await operator()).seal },
  "operator rotate": { about: "Make a new encryption key", load: async () => (await operator()).rotate },
  "operator key-status": { about: "Show the encryption key's age", load: async () => (await operator()).keyStatus },
};

/** The words of Vault's command line as it was in 2016, and what they are called now. */
const formerWords: Readonly<Record<string, string>> = {
  renew: "lease renew",
  revoke: "lease revoke",
  init: "operator init",
  unseal: "operator unseal",
  seal: "operator seal",
  rotate: "operator rotate",
  "key-status": "operator key-status",
  mount: "secrets enable",
  unmount: "secrets disable",
  mounts: "secrets list",
  "mount-tune": "secrets tune",
  remount: "secrets move",
  policies: "policy list",
  "policy-write": "policy write",
  "policy-delete": "policy delete",
  "auth-enable": "auth enable",
  "auth-disable": "auth disable",
  "audit-enable": "audit enable",
  "audit-disable": "audit disable",
  "audit-list": "audit list",
  "token-create": "token create",
  "token-lookup": "token lookup",
  "token-renew": "token renew",
  "token-revoke": "token revoke",
};

/** Vault's own command line. Resolves to the exit code. */
export async function runVault(args: readonly string[], io: CommandIo): Promise<number> {
  const [first, ...rest] = args;
  if (first === undefined || first === "help" || isHelp(first)) {
    const text = overview("vault", Object.keys(commands));
    await (first === undefined ? io.stderr(text) : io.stdout(text));
    return first === undefined ? 127 : 0;
  }
  if (isVersion(first)) {
    await io.stdout(`Vault v${vaultVersion} (served by Millwright)\n`);
    return 0;
  }
  return dispatch(inPresentWords(first, rest), io, "vault", Object.keys(commands));
}

function inPresentWords(first: string, rest: readonly string[]): readonly string[] {
  const isCommand = rest[0] !== undefined && commands[`${first} ${rest[0]}`] !== undefined;
  // `auth TOKEN` logged in; `auth enable` is a command of now.
  if (first === "auth" && !isCommand) return ["login", ...rest];
  const now = isCommand ? undefined : formerWords[first];
  return now === undefined ? [first, ...rest] : [...now.split(" "), ...rest];
}

/** One of our own groups: `millwright secret …`, `lease …`, `policy …`, `auth …`, `audit …`, `token …`, `operator …`. */
export async function runSecretGroup(group: SecretGroup, args: readonly string[], io: CommandIo): Promise<number> {
  const names = Object.keys(commands).filter((name) => belongs(name, group));
  const words = group === "secret" ? args : [group, ...args];
  if (group === "secret" && (args[0] === undefined || isHelp(args[0])))
    return showGroup({ program: "millwright secret", names, asked: args[0] }, io);
  return dispatch(words, io, group === "secret" ? "millwright secret" : "millwright", names);
}

export type SecretGroup = "secret" | "lease" | "policy" | "auth" | "audit" | "token" | "operator";

function belongs(name: string, group: SecretGroup): boolean {
  if (group !== "secret") return name.startsWith(`${group} `);
  return !name.includes(" ") || name.startsWith("kv ") || name.startsWith("secrets ");
}

async function dispatch(
  words: readonly string[],
  io: CommandIo,
  program: string,
  names: readonly string[],
): Promise<number> {
  for (const count of [3, 2, 1]) {
    const name = words.slice(0, count).join(" ");
    if (words.length < count || !names.includes(name)) continue;
    const command = await commands[name]!.load();
    return runVaultCommand(command, `${program} ${name}`, words.slice(count), io);
  }
  for (const count of [2, 1]) {
    const group = words.slice(0, count).join(" ");
    const members = names.filter((name) => name.startsWith(`${group} `));
    if (words.length < count || members.length === 0) continue;
    const next = words[count];
    const within = {
      program: `${program} ${group}`,
      names: members.map((name) => name.slice(group.length + 1)),
      group,
    };
    return next === undefined || isHelp(next)
      ? showGroup({ ...within, asked: next }, io)
      : refuseWord(next, io, within);
  }
  return refuseWord(words[0] ?? "", io, { program, names });
}

/** Commands with words in common: `program` are those words, `names` what may follow. */
interface Group {
  readonly program: string;
  readonly names: readonly string[];
  /** The words by which the table has them, where they are not in `names`. */
  readonly group?: string;
}

async function showGroup({ asked, ...group }: Group & { readonly asked: string | undefined }, io: CommandIo) {
  const text = overview(group.program, group.names, group.group);
  await (asked === undefined ? io.stderr(text) : io.stdout(text));
  return asked === undefined ? localFailure : 0;
}

async function refuseWord(word: string, io: CommandIo, { program, names, group }: Group): Promise<number> {
  const near = similar(word, names);
  const hint = near ? ` Did you mean "${program} ${near}"?` : "";
  await io.stderr(`There is no command "${program} ${word}".${hint}\n\n${overview(program, names, group)}`);
  return 127;
}

function overview(program: string, names: readonly string[], group = ""): string {
  const prefix = group === "" ? "" : `${group} `;
  const lines = names.map((name) => `    ${name.padEnd(21)}${commands[prefix + name]!.about}\n`).join("");
  const example = names.includes("read") && group === "" ? "read postgresql/creds/readonly" : groupExamples[group];
  return `Usage: ${program} COMMAND [flags] [arguments]\n\n${lines}\nEach command explains itself: "${program} ${names[0]} -help".\nExample: ${program} ${example ?? names[0]}\n`;
}

/** What is typed most of each group. */
const groupExamples: Readonly<Record<string, string>> = {
  kv: "put secret/app username=app password=-",
  "kv metadata": "get secret/app",
  lease: "revoke -prefix postgresql/creds/",
  policy: "write web web.hcl",
  secrets: "enable -path=secret kv-v2",
  auth: "enable jwt",
  audit: "enable file file_path=/var/log/vault-audit.log",
  token: "create -policy=web -ttl=1h",
  operator: "unseal",
};
