import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, warningDiagnostic } from "@millwright/core/diagnostics";
import type { Block, Body, Expression } from "@millwright/hcl/ast";
import type { BlockSchema } from "@millwright/hcl/body-schema";
import { justAttributes, partialContentOf } from "@millwright/hcl/body-content";
import { evaluate } from "@millwright/hcl/evaluate";
import { readEither } from "@millwright/hcl/read-either";
import { childScope, type Scope } from "@millwright/hcl/scope";
import { rangeOf, sourceFile } from "@millwright/hcl/source-file";
import { toPlain } from "@millwright/value/json";
import { isWhollyKnown, stringValue } from "@millwright/value/value";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { parseProviderPattern, type ProviderPattern } from "./provider-pattern.ts";
import { parseProviderSource, providerSourceText } from "./provider-source.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What a user has set for all folders: `.terraformrc` or `.tofurc` in the home folder, or `opentofu/tofurc` in `XDG_CONFIG_HOME`,
 * and `*.tfrc` in `configFolder`; or the one file that `TF_CLI_CONFIG_FILE` names. Source: Terraform's documentation of the CLI configuration file.
 */
export interface CliConfig {
  readonly pluginCache?: { readonly folder: string; readonly mayBreakLockFile: boolean };
  /** Services of a host, as its discovery document would say them. */
  readonly hosts: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  /** Tokens by host. */
  readonly credentials: ReadonlyMap<string, string>;
  readonly credentialsHelper?: { readonly name: string; readonly args: readonly string[] };
  /** How providers are installed; undefined where it is not said. */
  readonly installation?: readonly InstallationMethod[];
  /** Folders that hold a provider's program, by `providerSourceText`. */
  readonly devOverrides: ReadonlyMap<string, string>;
  /** Whether there is no asking for newer versions of the program; none is ever asked for. */
  readonly disableCheckpoint: boolean;
}

/** A place that providers come from, and for which of them it is asked. */
export type InstallationMethod = (
  | { readonly kind: "direct" }
  | { readonly kind: "filesystem"; readonly folder: string }
  | { readonly kind: "network"; readonly url: string }
) & { readonly include: readonly ProviderPattern[]; readonly exclude: readonly ProviderPattern[] };

export const emptyCliConfig: CliConfig = {
  hosts: new Map(),
  credentials: new Map(),
  devOverrides: new Map(),
  disableCheckpoint: false,
};

/**
 * Where the user's own files are: credentials that `login` has stored, mirrors, helpers. That is `~/.terraform.d`, and where there
 * is none, OpenTofu's folder in `XDG_CONFIG_HOME`, if it is there.
 */
export function configFolder(env: Environment): string {
  const usual = join(env["HOME"] ?? homedir(), ".terraform.d");
  const tofu = env["XDG_CONFIG_HOME"] ? join(env["XDG_CONFIG_HOME"], "opentofu") : usual;
  return existsSync(usual) || !existsSync(tofu) ? usual : tofu;
}

/** Reads all of a user's settings. A file that the environment names and that is not there is a warning. */
export function readCliConfig(env: Environment, cwd: string): Diagnosed<CliConfig> {
  const diagnostics: Diagnostic[] = [];
  let config = emptyCliConfig;
  for (const path of configFiles(env, cwd, diagnostics)) {
    const bytes = readFileSync(path);
    const read = parseCliConfig(path, bytes, env);
    diagnostics.push(...read.diagnostics);
    config = merged(config, read.value, diagnostics);
  }
  return { value: foldersIn(cwd, withEnvironment(config, env)), diagnostics };
}

/** Folders of the settings are seen from where a command works. */
function foldersIn(cwd: string, { pluginCache, installation, ...config }: CliConfig): CliConfig {
  const seen = installation?.map((method) =>
    method.kind === "filesystem" ? { ...method, folder: resolve(cwd, method.folder) } : method,
  );
  return {
    ...config,
    devOverrides: new Map([...config.devOverrides].map(([source, folder]) => [source, resolve(cwd, folder)])),
    ...(pluginCache ? { pluginCache: { ...pluginCache, folder: resolve(cwd, pluginCache.folder) } } : {}),
    ...(seen ? { installation: seen } : {}),
  };
}

function configFiles(env: Environment, cwd: string, diagnostics: Diagnostic[]): string[] {
  const given = env["TF_CLI_CONFIG_FILE"] || env["TERRAFORM_CONFIG"];
  if (given) {
    const named = resolve(cwd, given);
    if (isFile(named)) return [named];
    const detail = `TF_CLI_CONFIG_FILE names the file ${named}, which is not there, so nothing of it holds.`;
    diagnostics.push(warningDiagnostic("Unable to open CLI configuration file", detail));
    return [];
  }
  const home = env["HOME"] ?? homedir();
  const xdg = env["XDG_CONFIG_HOME"];
  const named = [join(home, ".terraformrc"), join(home, ".tofurc"), ...(xdg ? [join(xdg, "opentofu", "tofurc")] : [])];
  const own = named.find(isFile);
  const folder = configFolder(env);
  const names = existsSync(folder) ? readdirSync(folder).sort() : [];
  const further = names
    .filter((name) => /\.tfrc(\.json)?$/.test(name) && name !== "credentials.tfrc.json")
    .map((name) => join(folder, name));
  return [...(own ? [own] : []), ...further.filter(isFile)];
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** Reads one file of settings. */
export function parseCliConfig(name: string, bytes: Uint8Array, env: Environment): Diagnosed<CliConfig> {
  const { value: body, diagnostics } = readEither(sourceFile(name, bytes));
  const reader = new ConfigReader(
    diagnostics.filter(({ severity }) => severity === "error"),
    env,
  );
  return { value: reader.read(body), diagnostics: reader.diagnostics };
}

const blockTypes: readonly BlockSchema[] = [
  { type: "provider_installation", labelNames: [] },
  { type: "credentials", labelNames: ["host"] },
  { type: "credentials_helper", labelNames: ["name"] },
  { type: "host", labelNames: ["name"] },
  { type: "providers", labelNames: [] },
  { type: "provisioners", labelNames: [] },
];
const attributeNames = [
  "plugin_cache_dir",
  "plugin_cache_may_break_dependency_lock_file",
  "disable_checkpoint",
  "disable_checkpoint_signature",
];

class ConfigReader {
  readonly diagnostics: Diagnostic[];
  readonly #env: Environment;
  readonly #hosts = new Map<string, Readonly<Record<string, unknown>>>();
  readonly #credentials = new Map<string, string>();
  readonly #devOverrides = new Map<string, string>();
  #helper: CliConfig["credentialsHelper"];
  #installation: InstallationMethod[] | undefined;

  constructor(diagnostics: readonly Diagnostic[], env: Environment) {
    this.diagnostics = [...diagnostics];
    this.#env = env;
  }

  read(body: Body): CliConfig {
    const { value, diagnostics } = partialContentOf(body, {
      attributes: attributeNames.map((name) => ({ name, required: false })),
      blocks: blockTypes,
    });
    this.diagnostics.push(...diagnostics);
    const plain = (name: string) => this.#plain(value.content.attributes.get(name)?.expression);
    for (const block of value.content.blocks) this.#block(block);
    const cache = plain("plugin_cache_dir");
    const folder = typeof cache === "string" && cache !== "" ? this.#expanded(cache) : undefined;
    const mayBreakLockFile = plain("plugin_cache_may_break_dependency_lock_file") === true;
    return {
      hosts: this.#hosts,
      credentials: this.#credentials,
      devOverrides: this.#devOverrides,
      disableCheckpoint: plain("disable_checkpoint") === true,
      ...(folder === undefined ? {} : { pluginCache: { folder, mayBreakLockFile } }),
      ...(this.#helper ? { credentialsHelper: this.#helper } : {}),
      ...(this.#installation ? { installation: this.#installation } : {}),
    };
  }

  #block(block: Block): void {
    const label = (block.labels[0] ?? "").toLowerCase();
    switch (block.type) {
      case "host": {
        const { services } = this.#plainArguments(block.body);
        if (isRecord(services)) this.#hosts.set(label, services);
        return;
      }
      case "credentials": {
        const { token } = this.#plainArguments(block.body);
        if (typeof token === "string") this.#credentials.set(label, token);
        return;
      }
      case "credentials_helper": {
        const { args } = this.#plainArguments(block.body);
        this.#helper = { name: block.labels[0]!, args: textsIn(args) };
        return;
      }
      case "provider_installation":
        for (const method of methodBlocks(block.body)) this.#method(method.type, method.body, method.block);
        return;
    }
  }

  #method(type: string, body: Body, block: Block): void {
    const given = this.#plainArguments(body);
    if (type === "dev_overrides") {
      for (const [name, folder] of Object.entries(given)) {
        const source = parseProviderSource(name);
        if (source && typeof folder === "string")
          this.#devOverrides.set(providerSourceText(source), this.#expanded(folder));
        else this.#mistake(block, `dev_overrides holds ${JSON.stringify(name)}, which is no provider's address.`);
      }
      this.#installation ??= [];
      return;
    }
    const include = this.#patterns(given["include"], block);
    const exclude = this.#patterns(given["exclude"], block);
    this.#installation ??= [];
    if (type === "direct") this.#installation.push({ kind: "direct", include, exclude });
    else if (type === "filesystem_mirror" && typeof given["path"] === "string")
      this.#installation.push({ kind: "filesystem", folder: this.#expanded(given["path"]), include, exclude });
    else if (type === "network_mirror" && typeof given["url"] === "string") {
      const { url } = given;
      if (!URL.canParse(url) || !/^https:/.test(url) || !url.endsWith("/"))
        this.#mistake(
          block,
          `The url of a network_mirror is an https address that ends with a slash, and ${url} is not.`,
        );
      else this.#installation.push({ kind: "network", url, include, exclude });
    } else
      this.#mistake(
        block,
        `There is no provider installation method ${type} with these arguments. There are direct, filesystem_mirror with a path, network_mirror with a url, and dev_overrides${type === "oci_mirror" ? "; OCI registries are not read here" : ""}.`,
      );
  }

  #patterns(given: unknown, block: Block): ProviderPattern[] {
    return textsIn(given).flatMap((text) => {
      const pattern = parseProviderPattern(text);
      if (!pattern)
        this.#mistake(block, `${JSON.stringify(text)} is no pattern of providers. One looks like "example.com/*/*".`);
      return pattern ? [pattern] : [];
    });
  }

  #plainArguments(body: Body): Readonly<Record<string, unknown>> {
    const { value, diagnostics } = justAttributes(body);
    this.diagnostics.push(...diagnostics);
    return Object.fromEntries([...value].map(([name, { expression }]) => [name, this.#plain(expression)]));
  }

  #plain(expression: Expression | undefined): unknown {
    if (!expression) return undefined;
    const { value, diagnostics } = evaluate(expression, environmentScope(this.#env));
    this.diagnostics.push(...diagnostics);
    return isWhollyKnown(value) ? toPlain(value, value.type) : undefined;
  }

  #mistake(block: Block, detail: string): void {
    const subject = rangeOf(block.header);
    this.diagnostics.push(errorDiagnostic("Invalid provider_installation block", detail, { subject }));
  }

  // $NAME and ${NAME} are read from the environment.
  #expanded(text: string): string {
    return text.replaceAll(/\$(?:(\w+)|\{(\w+)\})/g, (_, plain, braced) => this.#env[plain ?? braced] ?? "");
  }
}

function methodBlocks(body: Body): { readonly type: string; readonly body: Body; readonly block: Block }[] {
  return body.blocks.map((block) => ({ type: block.type, body: block.body, block }));
}

/** `${NAME}` is the environment's, and empty where that has none. */
function environmentScope(env: Environment): Scope {
  return childScope(undefined, { get: (name) => stringValue(env[name] ?? ""), keys: () => Object.keys(env) });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((element) => typeof element === "string") : [];
}

function merged(a: CliConfig, b: CliConfig, diagnostics: Diagnostic[]): CliConfig {
  if (a.installation && b.installation) {
    const detail = "Two of the files of settings have a provider_installation block. Leave one of them.";
    diagnostics.push(errorDiagnostic("Duplicate provider_installation block", detail));
  }
  return {
    ...a,
    ...b,
    hosts: new Map([...a.hosts, ...b.hosts]),
    credentials: new Map([...a.credentials, ...b.credentials]),
    devOverrides: new Map([...a.devOverrides, ...b.devOverrides]),
    disableCheckpoint: a.disableCheckpoint || b.disableCheckpoint,
  };
}

function withEnvironment(config: CliConfig, env: Environment): CliConfig {
  const folder = env["TF_PLUGIN_CACHE_DIR"] || config.pluginCache?.folder;
  const wish = env["TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE"];
  const mayBreakLockFile =
    wish === undefined || wish === "" ? (config.pluginCache?.mayBreakLockFile ?? false) : wish !== "0";
  return folder === undefined ? config : { ...config, pluginCache: { folder, mayBreakLockFile } };
}
