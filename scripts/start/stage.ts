import {
  type ChildProcess,
  type ChildProcessByStdio,
  spawn,
  type SpawnOptionsWithStdioTuple,
} from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** A step did not come out as it must; the message says which fact does not hold. */
export class StepFailed extends Error {
  override readonly name = "StepFailed";
}

export interface Outcome {
  readonly code: number;
  /** What was printed, standard output and standard error together, without colours. */
  readonly text: string;
}

const launcher = fileURLToPath(new URL("../../packages/cli/bin/millwright", import.meta.url));
export const examples = fileURLToPath(new URL("../../examples/", import.meta.url));

/** Where `millwright dev` answers. */
interface Addresses {
  /** `host:port` of Consul's HTTP API. */
  readonly consul: string;
  readonly vault: string;
  readonly nomad: string;
  readonly dns: string;
  /** The file with the root token. */
  readonly tokenFile: string;
}

async function anyPorts(): Promise<readonly string[]> {
  const names = ["http", "dns", "vault", "nomad", "server"];
  return Promise.all(names.map(async (name) => `-${name}-port=${await freePort()}`));
}

/** A port of loopback that nobody has at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** A fresh folder with `millwright dev` beside it, in which commands are run as a user would type them. */
export class Stage {
  readonly folder: string;
  readonly addresses: Addresses;
  facts = 0;
  readonly #dev: ChildProcess;
  readonly #bin: string;
  readonly #running = new Set<ChildProcess>();
  readonly #atEnd: (() => Promise<void>)[] = [];

  private constructor(folder: string, addresses: Addresses, dev: ChildProcess) {
    this.folder = folder;
    this.addresses = addresses;
    this.#dev = dev;
    this.#bin = join(folder, "bin");
    mkdirSync(this.#bin);
    for (const name of ["millwright", "terraform", "consul", "vault", "nomad", "consul-template"])
      symlinkSync(launcher, join(this.#bin, name));
  }

  /**
   * With the usual ports, others only where they are taken; or with any, which nobody else on this machine looks for. Where `dev` does
   * not start, or the signal aborts before it has, nothing is left of it.
   */
  static async open(ports: "usual" | "any", signal: AbortSignal): Promise<Stage> {
    const folder = mkdtempSync(join(tmpdir(), "millwright-"));
    const flags = ports === "usual" ? ["-free-ports"] : await anyPorts();
    process.stdout.write(`A fresh folder: ${folder}\n\n$ millwright dev ${flags.join(" ")}\n`);
    const dev = spawn(launcher, ["dev", ...flags, "-log-level=warn"], {
      cwd: folder,
      env: { ...process.env, XDG_STATE_HOME: join(folder, "state") },
      stdio: ["ignore", "pipe", "inherit"],
      detached,
    });
    const stop = () => dev.kill("SIGTERM");
    signal.addEventListener("abort", stop);
    const addresses = await bannerOf(dev).catch((error: unknown) => {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    });
    signal.removeEventListener("abort", stop);
    const stage = new Stage(folder, addresses, dev);
    stage.say("To work with it in another terminal, beside those lines:");
    stage.say(`  export CONSUL_HTTP_ADDR=http://${addresses.consul}\n  export PATH=${stage.#bin}:$PATH`);
    return stage;
  }

  say(text: string): void {
    process.stdout.write(`${text}\n`);
  }

  title(text: string): void {
    this.say(`\n━━ ${text} ${"━".repeat(Math.max(0, 74 - text.length))}`);
  }

  /** Runs a command line in a folder below, showing it and all that it prints. */
  run(
    folder: string,
    command: string,
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ): Promise<Outcome> {
    this.say(`\n$ ${[command, ...args].join(" ")}`);
    return this.#shown(this.#start(join(this.#bin, command), args, this.#settings(folder, environment)));
  }

  /** The same for a line with pipes and quotes, by the shell. */
  shell(folder: string, line: string): Promise<Outcome> {
    this.say(`\n$ ${line}`);
    return this.#shown(this.#start("/bin/sh", ["-c", line], this.#settings(folder)));
  }

  /** Starts a command that goes on; `stop` interrupts it as ^C does, and gives what it printed. */
  background(folder: string, command: string, args: readonly string[]): { stop(): Promise<Outcome> } {
    this.say(`\n$ ${[command, ...args].join(" ")} &`);
    const child = this.#start(join(this.#bin, command), args, this.#settings(folder));
    const outcome = this.#shown(child);
    return {
      stop: () => {
        this.say("^C");
        child.kill("SIGINT");
        return outcome;
      },
    };
  }

  #start(command: string, args: readonly string[], settings: Settings): ChildProcessByStdio<null, Readable, Readable> {
    const child = spawn(command, args, settings);
    this.#running.add(child);
    child.once("exit", () => this.#running.delete(child));
    return child;
  }

  #settings(cwd: string, environment: Readonly<Record<string, string>> = {}): Settings {
    const { consul, vault, nomad, dns, tokenFile } = this.addresses;
    const env = {
      ...process.env,
      ...environment,
      PATH: `${this.#bin}:${process.env.PATH ?? ""}`,
      HOME: this.folder,
      CONSUL_HTTP_ADDR: `http://${consul}`,
      VAULT_ADDR: `http://${vault}`,
      NOMAD_ADDR: `http://${nomad}`,
      VAULT_TOKEN: readFileSync(tokenFile, "utf8").trim(),
      MILLWRIGHT_DNS_ADDR: dns,
      TF_CLI_CONFIG_FILE: "/dev/null",
    };
    return { cwd, env, stdio: ["ignore", "pipe", "pipe"], detached };
  }

  #shown(child: ChildProcessByStdio<null, Readable, Readable>): Promise<Outcome> {
    const chunks: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        process.stdout.write(chunk);
      });
    return new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code) => resolve({ code: code ?? 128, text: Buffer.concat(chunks).toString("utf8") }));
    });
  }

  /** The keys under a prefix, as the server has them. */
  async keys(prefix: string): Promise<ReadonlyMap<string, string>> {
    const answer = await fetch(`http://${this.addresses.consul}/v1/kv/${prefix}?recurse`);
    if (answer.status === 404) return new Map();
    const entries = (await answer.json()) as readonly { readonly Key: string; readonly Value: string | null }[];
    return new Map(entries.map(({ Key, Value }) => [Key, Buffer.from(Value ?? "", "base64").toString("utf8")]));
  }

  /** Kills the agent or the server, which `dev` starts again; resolves when it answers. */
  async restart(part: "agent" | "server"): Promise<void> {
    const running = () =>
      JSON.parse(readFileSync(join(this.folder, ".millwright", part, "running.json"), "utf8")) as {
        readonly pid: number;
        readonly http: readonly string[];
      };
    const before = running().pid;
    this.say(`kill -9 ${before}`);
    process.kill(before, "SIGKILL");
    const answers = async ({ http }: ReturnType<typeof running>) =>
      (await fetch(`http://${http[0]}/v1/agent/self`).catch(() => undefined))?.ok ?? false;
    for (const giveUp = Date.now() + 20_000; Date.now() < giveUp; await pause(50))
      if (running().pid !== before && (await answers(running()))) return;
    throw new StepFailed(`the ${part} is started again`);
  }

  /** Holds a fact; one that does not hold ends the run. */
  fact(holds: boolean, what: string): void {
    if (!holds) throw new StepFailed(what);
    this.facts++;
  }

  /** Says what to try, with everything still running. */
  sayWhatNext(): void {
    this.say(`
━━ What to try next ${"━".repeat(58)}

The server and the agent are still running. In another terminal, after the
export lines above:

  cd ${this.folder}
  millwright plan --help            every command explains itself
  millwright console                try expressions
  millwright kv put a/key value     keys, by hand
  vault kv put secret/app a=b       secrets; vault kv get secret/app
  dig @127.0.0.1 -p ${this.#dnsPort} consul.service.consul

The README has the first steps with a folder of your own. ^C here stops
everything and removes the folder.`);
  }

  /** Says where the factory's program answers, and what to try. */
  sayFactoryRuns(found: readonly { readonly host: string; readonly port: number }[]): void {
    const web = found.map(({ host, port }) => `http://${host}:${port}/orders`);
    this.say(`
━━ The factory runs ${"━".repeat(58)}

It takes orders at
${web.map((url) => `  ${url}`).join("\n")}

In another terminal, after the export lines above:

  cd ${join(this.folder, "factory")}
  export TF_VAR_postgres_password=$(cat ../postgres-password)

  Find it by name:
    dig @127.0.0.1 -p ${this.#dnsPort} web.widgets.service.consul SRV
  Kill an instance, and watch it come back:
    pkill -9 -o -f widgets.cjs; watch nomad status widgets
  Roll to release 2, one instance at a time:
    millwright apply -var=release=2

^C here stops everything and removes the folder.`);
  }

  get #dnsPort(): string {
    return this.addresses.dns.split(":").at(-1) ?? "";
  }

  /** Has something done when the stage is closed, after everything on it has ended. */
  atEnd(action: () => Promise<void>): void {
    this.#atEnd.push(action);
  }

  /** Ends everything that was started here, at whatever it is, and leaves nothing of it. */
  async close(): Promise<void> {
    const commands = [...this.#running].map((child) => ended(child, "SIGKILL"));
    await Promise.all([...commands, ended(this.#dev, "SIGTERM")]);
    for (const action of this.#atEnd) await action();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

type Settings = SpawnOptionsWithStdioTuple<"ignore", "pipe", "pipe">;

// ^C of the terminal is for this program alone, which ends the others in their order.
const detached = true;

/** Sends a signal to a program and all it has started; `dev` tells its own parts. Resolves when it has ended. */
async function ended(child: ChildProcess, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exit = once(child, "exit");
  process.kill(signal === "SIGKILL" ? -child.pid : child.pid, signal);
  await exit;
}

/** Shows what `dev` prints, and reads from it where it answers. */
function bannerOf(dev: ChildProcessByStdio<null, Readable, null>): Promise<Addresses> {
  let text = "";
  const find = (pattern: RegExp) => pattern.exec(text)?.[1] ?? "";
  return new Promise((resolve, reject) => {
    dev.stdout.on("data", (chunk: Buffer) => {
      process.stdout.write(chunk);
      text += chunk.toString("utf8");
      if (!text.includes("^C ends both.")) return;
      resolve({
        consul: find(/Consul HTTP API +http:\/\/(\S+)/),
        vault: find(/Vault HTTP API +http:\/\/(\S+)/),
        nomad: find(/Nomad HTTP API +http:\/\/(\S+)/),
        dns: find(/DNS +(\S+)/),
        tokenFile: find(/VAULT_TOKEN=\$\(cat (\S+)\)/),
      });
    });
    dev.once("exit", () => reject(new StepFailed("millwright dev does not start; what it printed above says why")));
  });
}
