import { OperationalError } from "@millwright/core/errors";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { text as textOf } from "node:stream/consumers";
import type { CliConfig } from "./cli-config.ts";
import { configFolder } from "./cli-config.ts";
import { sourceErrors } from "./errors.ts";
import { objectIn, textIn } from "./json-fields.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The tokens of hosts: `TF_TOKEN_HOST` of the environment before a `credentials` block, that before what `login` has stored,
 * and that before what a helper program says. Source: Terraform's documentation of the CLI configuration file.
 */
export class Credentials {
  readonly #env: Environment;
  readonly #config: CliConfig;
  readonly #told = new Map<string, Promise<string | undefined>>();

  constructor(env: Environment, config: CliConfig) {
    this.#env = env;
    this.#config = config;
  }

  /** Where `login` stores tokens: a file of mode 0600. */
  get file(): string {
    return join(configFolder(this.#env), "credentials.tfrc.json");
  }

  async tokenFor(host: string): Promise<string | undefined> {
    const given = environmentTokens(this.#env).get(host) ?? this.#config.credentials.get(host);
    if (given !== undefined) return given;
    const stored = textIn(objectIn((await this.#stored())[host])?.["token"]);
    if (stored !== undefined || !this.#config.credentialsHelper) return stored;
    const told = this.#told.get(host) ?? this.#fromHelper(host);
    this.#told.set(host, told);
    return told;
  }

  /** Stores a token, by the helper where one is set. Returns where it is now. */
  async store(host: string, token: string): Promise<string> {
    if (this.#config.credentialsHelper) {
      await this.#help("store", host, JSON.stringify({ token }));
      return `the credentials helper ${this.#config.credentialsHelper.name}`;
    }
    await this.#write({ ...(await this.#stored()), [host]: { token } });
    return this.file;
  }

  /** Forgets the token of a host; false where none was stored. */
  async forget(host: string): Promise<boolean> {
    if (this.#config.credentialsHelper) {
      await this.#help("forget", host);
      return true;
    }
    const { [host]: known, ...rest } = await this.#stored();
    if (known === undefined) return false;
    await this.#write(rest);
    return true;
  }

  async #stored(): Promise<Readonly<Record<string, unknown>>> {
    if (!existsSync(this.file)) return {};
    const text = await readFile(this.file, "utf8");
    try {
      return objectIn(objectIn(JSON.parse(text))?.["credentials"]) ?? {};
    } catch (error) {
      const message = `The file ${this.file} holds no JSON, so no credentials are known. Correct it, or remove it and log in again.`;
      throw new OperationalError(sourceErrors.refused, message, { cause: error });
    }
  }

  async #write(credentials: Readonly<Record<string, unknown>>): Promise<void> {
    await mkdir(configFolder(this.#env), { recursive: true, mode: 0o700 });
    const temporary = `${this.file}.${process.pid}.tmp`;
    await writeFile(temporary, `${JSON.stringify({ credentials }, null, 2)}\n`, { mode: 0o600 });
    await rename(temporary, this.file);
  }

  async #fromHelper(host: string): Promise<string | undefined> {
    const answer = await this.#help("get", host);
    try {
      return textIn(objectIn(JSON.parse(answer))?.["token"]);
    } catch (error) {
      const message = `The credentials helper ${this.#config.credentialsHelper?.name} answered with no JSON.`;
      throw new OperationalError(sourceErrors.badAnswer, message, { cause: error });
    }
  }

  async #help(verb: "get" | "store" | "forget", host: string, input = ""): Promise<string> {
    const { name, args } = this.#config.credentialsHelper ?? { name: "", args: [] };
    const program = helperPath(name, this.#env);
    const child = spawn(program, [...args, verb, host], { stdio: ["pipe", "pipe", "pipe"], env: { ...this.#env } });
    const ended = new Promise<number | null>((resolve, reject) => child.once("error", reject).once("close", resolve));
    // One that reads nothing of it may be right; its exit code says so.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    const [code, said, complaint] = await Promise.all([ended, textOf(child.stdout), textOf(child.stderr)]).catch(
      (error: unknown) => {
        const message = `The credentials helper terraform-credentials-${name} could not be started.`;
        throw new OperationalError(sourceErrors.machine, message, { cause: error });
      },
    );
    if (code === 0) return said;
    const message = `The credentials helper ${name} ended with ${code}: ${complaint.trim()}`;
    throw new OperationalError(sourceErrors.machine, message);
  }
}

// `TF_TOKEN_app_example_com`: an underscore is a dot, two are a hyphen; a hyphen may also stand as it is.
function environmentTokens(env: Environment): ReadonlyMap<string, string> {
  const tokens = new Map<string, string>();
  for (const [name, token] of Object.entries(env)) {
    if (!name.startsWith("TF_TOKEN_") || !token) continue;
    const host = name.slice("TF_TOKEN_".length).replaceAll("__", "-").replaceAll("_", ".").toLowerCase();
    tokens.set(host, token);
  }
  return tokens;
}

function helperPath(name: string, env: Environment): string {
  const file = `terraform-credentials-${name}`;
  const folders = [join(configFolder(env), "plugins"), ...(env["PATH"] ?? "").split(delimiter)];
  const found = folders.map((folder) => join(folder, file)).find((path) => existsSync(path));
  if (found) return found;
  const message = `There is no credentials helper ${file} in ${folders[0]}. Put it there, or remove the credentials_helper block.`;
  throw new OperationalError(sourceErrors.machine, message);
}
