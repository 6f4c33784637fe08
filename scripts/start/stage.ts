import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
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

/** A fresh folder with a key-value server beside it, in which commands are run as a user would type them. */
export class Stage {
  readonly folder: string;
  readonly address: string;
  facts = 0;
  readonly #server: ChildProcess;
  readonly #bin: string;

  private constructor(folder: string, address: string, server: ChildProcess) {
    this.folder = folder;
    this.address = address;
    this.#server = server;
    this.#bin = join(folder, "bin");
    mkdirSync(this.#bin);
    for (const name of ["millwright", "terraform", "consul"]) symlinkSync(launcher, join(this.#bin, name));
  }

  static async open(): Promise<Stage> {
    const folder = mkdtempSync(join(tmpdir(), "millwright-"));
    const port = await freePort(8500);
    const server = spawn(launcher, ["server", "-dev", `-http-port=${port}`], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    const stage = new Stage(folder, `127.0.0.1:${port}`, server);
    stage.say(
      `A fresh folder:     ${folder}\nA key-value server: http://${stage.address}${port === 8500 ? "" : " (8500 is taken)"}\n`,
    );
    stage.say(
      `To work with it in another terminal:\n  export CONSUL_HTTP_ADDR=http://${stage.address}\n  export PATH=${stage.#bin}:$PATH`,
    );
    await stage.#ready();
    return stage;
  }

  async #ready(): Promise<void> {
    for (let attempt = 0; attempt < 100; attempt++) {
      try {
        if ((await fetch(`http://${this.address}/v1/status/leader`)).ok) return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    throw new StepFailed(`the server at ${this.address} does not answer`);
  }

  say(text: string): void {
    process.stdout.write(`${text}\n`);
  }

  title(text: string): void {
    this.say(`\n━━ ${text} ${"━".repeat(Math.max(0, 74 - text.length))}`);
  }

  /** Runs a command line in a folder below, showing it and all that it prints. */
  run(folder: string, command: string, args: readonly string[]): Promise<Outcome> {
    this.say(`\n$ ${[command, ...args].join(" ")}`);
    const path = `${this.#bin}:${process.env.PATH ?? ""}`;
    const env = {
      ...process.env,
      PATH: path,
      CONSUL_HTTP_ADDR: `http://${this.address}`,
      TF_CLI_CONFIG_FILE: "/dev/null",
    };
    const child = spawn(join(this.#bin, command), args, { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      process.stdout.write(chunk);
    });
    child.stderr.on("data", (chunk: Buffer) => {
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
    const answer = await fetch(`http://${this.address}/v1/kv/${prefix}?recurse`);
    if (answer.status === 404) return new Map();
    const entries = (await answer.json()) as readonly { readonly Key: string; readonly Value: string | null }[];
    return new Map(entries.map(({ Key, Value }) => [Key, Buffer.from(Value ?? "", "base64").toString("utf8")]));
  }

  /** Holds a fact; one that does not hold ends the run. */
  fact(holds: boolean, what: string): void {
    if (!holds) throw new StepFailed(what);
    this.facts++;
  }

  async leaveRunning(): Promise<void> {
    this.say(`
━━ What to try next ${"━".repeat(58)}

The server is still running. In another terminal, after the two export lines
above:

  cd ${this.folder}/millwright     the folder of the five steps
  millwright plan --help            every command explains itself
  millwright console                try expressions
  millwright kv put a/key value     keys, by hand
  curl http://${this.address}/v1/kv/?recurse

The README has the first steps with a folder of your own. ^C here stops the
server and removes the folder.`);
    await new Promise<void>((resolve) => {
      process.once("SIGINT", resolve);
      process.once("SIGTERM", resolve);
    });
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#server.once("exit", resolve));
    if (this.#server.exitCode === null && this.#server.kill("SIGTERM")) await ended;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The wanted port where it is free, else any other. */
async function freePort(wanted: number): Promise<number> {
  return (await tryPort(wanted)) ?? (await tryPort(0))!;
}

function tryPort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(undefined));
    probe.listen(port, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address ? address.port : undefined));
    });
  });
}
