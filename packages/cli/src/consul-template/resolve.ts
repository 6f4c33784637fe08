import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { type ConsulConfig, consulConfigFromEnv } from "@millwright/clients/consul-config";
import { type VaultConfig, vaultConfigFromEnv } from "@millwright/clients/vault-config";
import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { Command } from "@millwright/process/process";
import type {
  ChildSpec,
  CommandSpec,
  EnvironmentFilter,
  RenderConfig,
  TemplateSpec,
  WaitSpec,
} from "@millwright/render/config";
import { defaultRetry, type RetryPolicy } from "@millwright/render/retry";
import type { Settings, TemplateSettings } from "./settings.ts";

export interface Invocation {
  readonly settings: Settings;
  readonly isOnce: boolean;
  readonly isDry: boolean;
  /** The program at the end of the line, with its arguments. */
  readonly child: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/** Everything that a run needs, with defaults filled in. */
export interface Resolved {
  readonly config: RenderConfig;
  readonly consul: ConsulConfig;
  readonly vault: VaultConfig;
  readonly tokenFile?: string;
  readonly unwrapsToken: boolean;
}

/** Reads the templates, too. Throws an operational error where the environment's variables cannot be used. */
export function resolveInvocation(
  invocation: Invocation,
):
  | { readonly ok: true; readonly resolved: Resolved }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] } {
  const { settings, isOnce, isDry, env, cwd } = invocation;
  const diagnostics: Diagnostic[] = [];
  const consul = consulOf(settings.consul ?? {}, env, cwd);
  const vault = vaultOf(settings.vault ?? {}, env);
  const templates = (settings.template ?? []).flatMap(
    (template) => templateOf(template, invocation, diagnostics) ?? [],
  );
  const child = childOf(invocation, diagnostics);
  if (templates.length === 0 && !child && diagnostics.length === 0) diagnostics.push(nothingToDo);
  if (diagnostics.length > 0) return { ok: false, diagnostics };
  const tokenFile = settings.vault?.vault_agent_token_file;
  const wait = isOnce ? undefined : waitOf(settings.wait);
  const config: RenderConfig = {
    templates,
    ...(child ? { child } : {}),
    mode: isOnce ? "once" : "follow",
    isDry,
    ...(wait && wait !== "none" ? { wait } : {}),
    follow: {
      consulRetry: retryOf(settings.consul?.retry),
      blockMilliseconds: settings.block_query_wait ?? 60_000,
      maxStaleMilliseconds: settings.max_stale ?? 2000,
      vaultRetry: retryOf(settings.vault?.retry),
      defaultLeaseMilliseconds: settings.vault?.default_lease_duration ?? 300_000,
      leaseThreshold: settings.vault?.lease_renewal_threshold ?? 0.9,
    },
    renewsToken:
      settings.vault?.enabled !== false &&
      (settings.vault?.renew_token ?? (tokenFile === undefined && vault.token !== undefined)),
    environment: { ...env, ...serverVariables(settings) },
    folder: cwd,
  };
  const unwrapsToken = settings.vault?.unwrap_token ?? false;
  const resolved = { config, consul, vault, unwrapsToken };
  return {
    ok: true,
    resolved: tokenFile === undefined ? resolved : { ...resolved, tokenFile: resolve(cwd, tokenFile) },
  };
}

const nothingToDo = errorDiagnostic(
  "Nothing to render",
  "Name a template with -template=IN:OUT, or a file with templates in it with -config=FILE.",
  { code: "template-none" },
);

function consulOf(
  given: NonNullable<Settings["consul"]>,
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
): ConsulConfig {
  const { address, namespace, token, token_file: tokenFile, auth, ssl = {} } = given;
  const { tokenFile: envTokenFile, ...base } = consulConfigFromEnv(env);
  const file = tokenFile === undefined ? (token === undefined ? envTokenFile : undefined) : resolve(cwd, tokenFile);
  const user = auth?.enabled === false ? undefined : auth?.username;
  return {
    ...base,
    ...(file === undefined ? {} : { tokenFile: file }),
    ...(address ? { address } : {}),
    ...(namespace ? { namespace } : {}),
    ...(token ? { token } : {}),
    ...(user ? { basicAuth: `${user}:${auth?.password ?? ""}` } : {}),
    ...tlsOf(ssl),
  };
}

function vaultOf(
  given: NonNullable<Settings["vault"]>,
  env: Readonly<Record<string, string | undefined>>,
): VaultConfig {
  const { address, namespace, token, ssl = {} } = given;
  const { ca_cert_bytes: caPem } = ssl;
  return {
    ...vaultConfigFromEnv(env),
    ...(address ? { address } : {}),
    ...(namespace ? { namespace } : {}),
    ...(token ? { token } : {}),
    ...(caPem ? { caPem } : {}),
    ...tlsOf(ssl),
  };
}

function tlsOf(ssl: NonNullable<NonNullable<Settings["consul"]>["ssl"]>) {
  return {
    ...(ssl.enabled ? { tls: true } : {}),
    ...(ssl.verify === undefined ? {} : { tlsVerify: ssl.verify }),
    ...(ssl.ca_cert ? { caFile: ssl.ca_cert } : {}),
    ...(ssl.ca_path ? { caPath: ssl.ca_path } : {}),
    ...(ssl.cert ? { certFile: ssl.cert } : {}),
    ...(ssl.key ? { keyFile: ssl.key } : {}),
    ...(ssl.server_name ? { tlsServerName: ssl.server_name } : {}),
  };
}

/** What `env` and programs are told of the servers: the addresses that were given, but no token that they did not have. */
function serverVariables({ consul, vault }: Settings): Readonly<Record<string, string>> {
  return {
    ...(consul?.address ? { CONSUL_HTTP_ADDR: consul.address } : {}),
    ...(consul?.ssl?.enabled ? { CONSUL_HTTP_SSL: "true" } : {}),
    ...(vault?.address ? { VAULT_ADDR: vault.address } : {}),
    ...(vault?.ssl?.ca_cert ? { VAULT_CACERT: vault.ssl.ca_cert } : {}),
  };
}

function retryOf(given: NonNullable<Settings["consul"]>["retry"] = {}): RetryPolicy {
  return {
    enabled: given.enabled ?? defaultRetry.enabled,
    attempts: given.attempts ?? defaultRetry.attempts,
    backoffMilliseconds: given.backoff ?? defaultRetry.backoffMilliseconds,
    longestMilliseconds: given.max_backoff ?? defaultRetry.longestMilliseconds,
  };
}

function waitOf(wait: Settings["wait"]): WaitSpec | "none" | undefined {
  if (!wait) return undefined;
  if (wait.enabled === false) return "none";
  const least = wait.min ?? 0;
  return least === 0 && wait.max === undefined ? undefined : { least, most: wait.max ?? least * 4 };
}

function templateOf(
  given: TemplateSettings,
  { settings, cwd, isOnce }: Invocation,
  diagnostics: Diagnostic[],
): TemplateSpec | undefined {
  const { source, contents, destination, user, group, uid, gid, perms, sandbox_path: sandbox } = given;
  const read = textOf(given, cwd);
  if ("summary" in read) {
    diagnostics.push(read);
    return undefined;
  }
  const owner = user ?? (uid === undefined || uid < 0 ? undefined : String(uid));
  const ownerGroup = group ?? (gid === undefined || gid < 0 ? undefined : String(gid));
  const left = given.left_delimiter ?? settings.default_delimiters?.left;
  const right = given.right_delimiter ?? settings.default_delimiters?.right;
  const wait = isOnce ? undefined : waitOf(given.wait);
  const command = commandOf(given);
  return {
    name: source ?? `(contents of ${destination ?? "a template"})`,
    text: contents ?? read.text,
    ...(destination === undefined ? {} : { destination }),
    ...(command ? { command } : {}),
    ...(left || right ? { delimiters: { left: left ?? "", right: right ?? "" } } : {}),
    ...(perms ? { permissions: perms } : {}),
    ...(owner ? { user: owner } : {}),
    ...(ownerGroup ? { group: ownerGroup } : {}),
    keepsBackup: given.backup ?? false,
    makesFolders: given.create_dest_dirs ?? true,
    missingKey: given.error_on_missing_key ? "error" : "default",
    errorIsFatal: given.error_fatal ?? settings.template_error_fatal ?? true,
    deniedFunctions: [...(given.function_denylist ?? []), ...(given.function_blacklist ?? [])],
    ...(sandbox ? { sandbox: resolve(cwd, sandbox) } : {}),
    ...(wait ? { wait } : {}),
  };
}

function textOf({ source, contents }: TemplateSettings, cwd: string): { readonly text: string } | Diagnostic {
  if (source !== undefined && contents !== undefined) {
    const detail = `"source" (${source}) and "contents" are both given: leave one of them out.`;
    return errorDiagnostic("Two texts for one template", detail, { code: "template-source" });
  }
  if (contents !== undefined) return { text: contents };
  if (source === undefined) {
    const detail = 'A template needs a "source" (a file) or "contents".';
    return errorDiagnostic("Template without a text", detail, { code: "template-source" });
  }
  try {
    return { text: readFileSync(resolve(cwd, source), "utf8") };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "there is no such file" : code === "EISDIR" ? "it is a folder" : `${code}`;
    const detail = `${source}: ${why}. Correct the path; it starts at ${cwd}.`;
    return errorDiagnostic("Template cannot be read", detail, { code: "template-source" });
  }
}

function commandOf({ command, command_timeout: timeout, exec }: TemplateSettings): CommandSpec | undefined {
  const given = exec?.command ?? command;
  if (given === undefined || given === "") return undefined;
  return {
    command: processCommand(given),
    timeout: exec?.timeout ?? timeout ?? 30_000,
    killSignal: exec?.kill_signal ?? "SIGINT",
    killTimeout: exec?.kill_timeout ?? 30_000,
    environment: filterOf(exec?.env),
  };
}

function childOf({ settings, child }: Invocation, diagnostics: Diagnostic[]): ChildSpec | undefined {
  const { exec = {} } = settings;
  if (child.length > 0 && exec.command !== undefined) {
    const detail = `Both "${child.join(" ")}" at the end of the line and an exec command are given: leave one of them out.`;
    diagnostics.push(errorDiagnostic("Two programs to run", detail, { code: "template-exec" }));
    return undefined;
  }
  const given = child.length > 0 ? child : exec.enabled === false ? undefined : exec.command;
  if (given === undefined || given === "") return undefined;
  return {
    // What stands at the end of the line has been split by a shell already.
    command: child.length > 0 ? program(child) : processCommand(given),
    environment: filterOf(exec.env),
    killSignal: exec.kill_signal ?? "SIGINT",
    killTimeout: exec.kill_timeout ?? 30_000,
    ...(exec.reload_signal ? { reloadSignal: exec.reload_signal } : {}),
    splay: exec.splay ?? 0,
  };
}

/**
 * A list is a program with arguments, a text a line for the shell. Plain words need no shell, and signals then reach the
 * program itself.
 */
function processCommand(given: string | readonly string[]): Command {
  if (typeof given !== "string" && given.length > 1) return program(given);
  const line = typeof given === "string" ? given : given[0]!;
  const isPlain = /^[\w@%+:,./-]+( +[\w@%+:,./=-]+)*$/.test(line) && !shellWords.has(line.split(" ")[0]!);
  return isPlain ? program(line.split(/ +/)) : { kind: "shell", line };
}

/** What is no program of its own. */
const shellWords: ReadonlySet<string> = new Set(
  "alias bg break cd command continue eval exec exit export fc fg getopts hash jobs read readonly return set shift source test times trap type ulimit umask unalias unset wait".split(
    " ",
  ),
);

function program(words: readonly string[]): Command {
  const [file = "", ...args] = words;
  return { kind: "program", argv: [file, ...args] };
}

function filterOf(env: NonNullable<Settings["exec"]>["env"] = {}): EnvironmentFilter {
  return {
    isPristine: env.pristine ?? false,
    custom: env.custom ?? [],
    allowed: [...(env.allowlist ?? []), ...(env.whitelist ?? [])],
    denied: [...(env.denylist ?? []), ...(env.blacklist ?? [])],
  };
}
