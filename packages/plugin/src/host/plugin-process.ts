import { rm } from "node:fs/promises";
import { messageOf, OperationalError } from "@millwright/core/errors";
import { systemChance } from "@millwright/core/ports";
import type { Clock, Log } from "@millwright/core/ports";
import type { ProcessIdentity } from "@millwright/process/identity";
import type { RunningProcess } from "@millwright/process/process";
import { startProcess } from "@millwright/process/process";
import type { ProcessExit } from "@millwright/process/process-state";
import { ownCertificate } from "../own-certificate.ts";
import { magicCookie } from "../wire/go-plugin.ts";
import type { Explain, PluginConnection } from "./connection.ts";
import { pluginErrors } from "./errors.ts";
import type { Handshake } from "./handshake.ts";
import { readHandshake } from "./handshake.ts";
import { PluginLog } from "./plugin-log.ts";

/** A provider's program, and what it is started with. */
export interface PluginProgram {
  /** How people know it: `registry.terraform.io/hashicorp/aws 5.100.0`. */
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

export interface PluginPorts {
  readonly clock: Clock;
  /** Gets what the program writes. */
  readonly log: Log;
  /** Told of each process as soon as it runs; it is called only when this has resolved. */
  readonly started?: (process: ProcessIdentity) => Promise<void> | void;
  /** While a program has not said yet how to reach it, this ends the wait for that. */
  readonly stop?: AbortSignal;
}

/** How long a program has to say how to reach it. */
const startMilliseconds = 60_000;
/** How long it has to end when it was asked to. */
const endMilliseconds = 2_000;
/** How long its end may come after the failure of a call that it caused. */
const crashMilliseconds = 2_000;
const wordsShown = 40;

/** A provider's program at work, in a process group of its own, so that no ^C at the terminal reaches it. */
export class PluginProcess {
  readonly connection: PluginConnection;
  readonly #name: string;
  readonly #process: RunningProcess;
  readonly #log: PluginLog;
  readonly #clock: Clock;
  readonly #handshake: Handshake;
  #isEnding = false;

  private constructor(
    program: PluginProgram,
    process: RunningProcess,
    log: PluginLog,
    clock: Clock,
    handshake: Handshake,
    connect: (explain: Explain) => PluginConnection,
  ) {
    this.#name = program.name;
    this.#process = process;
    this.#log = log;
    this.#clock = clock;
    this.#handshake = handshake;
    this.connection = connect((error) => this.#explain(error));
  }

  /** Starts the program. Rejects with `pluginErrors.notStarted`; nothing is left running then. */
  static async start(program: PluginProgram, ports: PluginPorts): Promise<PluginProcess> {
    const client = program.env.TF_DISABLE_PLUGIN_TLS ? undefined : await clientCertificate(ports.clock);
    const log = new PluginLog(program.name, ports.log);
    const firstLine = new FirstLine();
    const process = await spawn(program, client?.certificate, (piece, from) => {
      if (from === "stderr") log.write(piece);
      else firstLine.write(piece);
    });
    try {
      if (process.identity) await ports.started?.(process.identity);
      // What speaks gRPC is loaded while the program starts.
      const { PluginConnection } = await import("./connection.ts");
      const handshake = await handshakeOf(program, process, firstLine, ports, log);
      const { version, address, certificate } = handshake;
      const tls = certificate && client ? { ...client, peer: certificate } : undefined;
      const connect = (explain: Explain) => new PluginConnection({ version, address, tls, explain });
      return new PluginProcess(program, process, log, ports.clock, handshake, connect);
    } catch (error) {
      await process.end({ signal: "SIGKILL", graceMilliseconds: 0 });
      throw error;
    }
  }

  get isRunning(): boolean {
    return this.#process.state.kind === "running" && !this.#isEnding;
  }

  /** Asks the program to end, and kills it where it does not. */
  async end(): Promise<void> {
    this.#isEnding = true;
    if (this.#process.state.kind === "running") await this.connection.shutdown(endMilliseconds);
    this.connection.close();
    const hasEnded = await within(this.#process.ended, endMilliseconds, this.#clock);
    if (!hasEnded) await this.#process.end({ signal: "SIGKILL", graceMilliseconds: 0 });
    await this.#removeSocket();
  }

  async #removeSocket(): Promise<void> {
    const { address } = this.#handshake;
    if (address.network === "unix") await rm(address.path, { force: true });
  }

  /** A call has failed: was it the program's end? */
  async #explain(error: OperationalError): Promise<OperationalError> {
    if (this.#isEnding || !error.kind.retryable) return error;
    const exit = await within(this.#process.ended, crashMilliseconds, this.#clock);
    if (!exit) return error;
    await this.#removeSocket();
    const words = this.#log.lastWords(wordsShown);
    const said =
      words.length === 0 ? "It said nothing." : `Its last words were:\n\n${words.map((w) => `  ${w}`).join("\n")}\n`;
    return new OperationalError(
      pluginErrors.crashed,
      `The provider ${this.#name} crashed (${exitText(exit)}). This is a fault of the provider: please report it to its developers, with what is said here. ${said}`,
      { cause: error },
    );
  }
}

function exitText(exit: ProcessExit): string {
  return exit.kind === "code" ? `exit code ${exit.code}` : `ended by ${exit.signal}`;
}

async function clientCertificate(clock: Clock): Promise<{ readonly certificate: string; readonly key: string }> {
  const { certificate, privateKey } = await ownCertificate(clock.now(), systemChance);
  return { certificate: certificate.toString(), key: privateKey.export({ type: "pkcs8", format: "pem" }).toString() };
}

async function spawn(
  program: PluginProgram,
  certificate: string | undefined,
  write: (piece: Uint8Array, from: "stdout" | "stderr") => void,
): Promise<RunningProcess> {
  try {
    return await startProcess({
      command: { kind: "program", argv: program.command },
      env: {
        ...program.env,
        [magicCookie.name]: magicCookie.value,
        PLUGIN_PROTOCOL_VERSIONS: "5,6",
        PLUGIN_MIN_PORT: "10000",
        PLUGIN_MAX_PORT: "25000",
        PLUGIN_CLIENT_CERT: certificate,
      },
      cwd: program.cwd,
      stdin: "ignore",
      // Read for ever: a program whose output nobody takes stands still.
      output: { kind: "pump", write },
      group: "own",
      lifetime: "bound",
    });
  } catch (error) {
    throw notStarted(program, `cannot be run: ${messageOf(error)}`, error);
  }
}

async function handshakeOf(
  program: PluginProgram,
  process: RunningProcess,
  firstLine: FirstLine,
  { clock, stop }: PluginPorts,
  log: PluginLog,
): Promise<Handshake> {
  const timer = new AbortController();
  const late = clock.sleep(startMilliseconds, timer.signal).then(() => "late" as const);
  late.catch(() => undefined);
  const interrupted = new Promise<"interrupted">((resolve) => {
    stop?.addEventListener("abort", () => resolve("interrupted"), { signal: timer.signal });
  });
  const first = await Promise.race([firstLine.line, process.ended, late, interrupted]);
  timer.abort();
  const said = log.lastWords(wordsShown).join("\n");
  const withWords = (why: string) => notStarted(program, said === "" ? why : `${why}. It wrote:\n\n${said}`);
  if (first === "late") throw withWords(`said nothing within ${startMilliseconds / 1000} seconds of its start`);
  if (first === "interrupted") throw notStarted(program, "had not said how to reach it when the run was interrupted");
  // A program that ends at once may have said something first.
  const line = typeof first === "string" ? first : firstLine.text;
  if (typeof first !== "string" && line === "")
    throw withWords(`ended at once (${exitText(first)}), without saying how to reach it`);
  const handshake = readHandshake(line);
  if ("why" in handshake) throw withWords(handshake.why);
  return handshake;
}

function notStarted({ name, command }: PluginProgram, why: string, cause?: unknown): OperationalError {
  const message = `The provider ${name} (${command.join(" ")}) ${why}`;
  return new OperationalError(pluginErrors.notStarted, message, cause === undefined ? {} : { cause });
}

/** What a program writes on standard output: the first line is kept, the rest passed over. */
class FirstLine {
  readonly line: Promise<string>;
  #text = "";
  #resolve: (line: string) => void = () => undefined;
  #isThere = false;

  constructor() {
    this.line = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  get text(): string {
    return this.#text;
  }

  write(piece: Uint8Array): void {
    if (this.#isThere) return;
    this.#text += Buffer.from(piece).toString();
    const end = this.#text.indexOf("\n");
    if (end < 0 && this.#text.length < longestFirstLine) return;
    this.#isThere = true;
    this.#text = end < 0 ? this.#text : this.#text.slice(0, end);
    this.#resolve(this.#text);
  }
}

const longestFirstLine = 64 * 1024;

/** What the promise gives, or undefined where it takes longer. */
async function within<T>(promise: Promise<T>, milliseconds: number, clock: Clock): Promise<T | undefined> {
  const timer = new AbortController();
  const late = clock.sleep(milliseconds, timer.signal).then(() => undefined);
  late.catch(() => undefined);
  try {
    return await Promise.race([promise, late]);
  } finally {
    timer.abort();
  }
}
