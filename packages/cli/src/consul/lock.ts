import type { ConsulClient } from "@millwright/clients/consul";
import { acquireLock, removeLock } from "@millwright/clients/consul-lock";
import { acquireSemaphore, removeSemaphore } from "@millwright/clients/consul-semaphore";
import type { HeldLock, LockOptions } from "@millwright/clients/held-lock";
import { OperationalError } from "@millwright/core/errors";
import { interruptedCode } from "../commands/interrupted.ts";
import { clientFlags, failureText, openClient } from "../commands/kv-client.ts";
import type { FlagTable, FlagValues } from "../flags.ts";
import type { CommandIo } from "../io.ts";
import { refuse, type ServiceCommand } from "./command.ts";
import { graceMilliseconds, shellFlag, startHandler } from "./handler.ts";

const flags = {
  n: { kind: "int", value: "N", help: "How many may hold it at once; 1 by default. All must name the same number." },
  name: { kind: "string", value: "NAME", help: "The name of the session, for people; made of the command by default." },
  "child-exit-code": { kind: "bool", help: "Exit with 2 when the command fails; without it with 0." },
  "monitor-retry": {
    kind: "int",
    value: "N",
    help: "How often in a row watching the lock may fail before it is taken for lost; 3 by default.",
  },
  "pass-stdin": { kind: "bool", help: "Let the command read standard input." },
  try: { kind: "duration", value: "DURATION", help: "How long to wait for the lock at most; forever by default." },
  timeout: { kind: "duration", value: "DURATION", help: "The same as -try." },
  verbose: { kind: "bool", help: "Say what is done." },
  ...shellFlag,
  ...clientFlags,
} as const satisfies FlagTable;

type Values = FlagValues<typeof flags>;

/** `lock`: runs a command while a lock is held. */
export const lockCommand: ServiceCommand<typeof flags> = {
  usage: "lock [flags] PREFIX COMMAND...",
  about:
    "Waits for a lock, runs a command while it is held, and gives it back. If the lock is lost, the command is ended. The command finds CONSUL_LOCK_HELD=true in its environment.",
  examples: ["lock service/backup ./backup.sh", "lock -n=3 -try=10s service/import ./import.sh"],
  flags,
  run: async ({ values, args, given, io }) => {
    const [prefix = "", ...argv] = args;
    if (argv.length === 0) return refuse(io, "Key prefix and child command must be specified");
    const { n = 1 } = values;
    if (n < 1) return refuse(io, "Lock holder limit must be positive");
    const say = async (text: string) => {
      if (values.verbose) await io.stdout(`${text}\n`);
    };
    const client = openClient(values, io);
    try {
      const place = placeOf(prefix, n);
      await say(`Setting up ${n === 1 ? "lock" : `semaphore (limit ${n})`} at path: ${place.path}`);
      const lock = await take(client, place, lockOptions(values, { prefix, argv }, io));
      if (!lock) return await refuse(io, "Shutdown triggered or timeout during lock acquisition");
      await say(`Lock acquired. Starting: ${argv.join(" ")}`);
      try {
        const stdin = values["pass-stdin"] ? "inherit" : "ignore";
        const shell = !given.has("shell") || values.shell;
        return await runHeld(lock, { argv, shell, stdin, tellsExit: values["child-exit-code"] }, io);
      } finally {
        await lock.release();
        const isGone = await remove(client, place).catch(isStill);
        await say(isGone ? "Cleanup succeeded" : "Cleanup aborted, lock in use");
      }
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      return refuse(io, `Lock acquisition failed: ${failureText(error)}`);
    } finally {
      await client.close();
    }
  },
};

type Place =
  | { readonly kind: "lock"; readonly path: string }
  | { readonly kind: "semaphore"; readonly path: string; readonly limit: number };

// A folder in the key-value store: the lock itself lies within it.
function placeOf(prefix: string, limit: number): Place {
  const folder = prefix.replace(/^\/+|\/+$/g, "");
  return limit === 1 ? { kind: "lock", path: `${folder}/.lock` } : { kind: "semaphore", path: folder, limit };
}

function take(client: ConsulClient, place: Place, options: LockOptions): Promise<HeldLock | undefined> {
  return place.kind === "lock"
    ? acquireLock(client, { ...options, key: place.path })
    : acquireSemaphore(client, { ...options, prefix: place.path, limit: place.limit });
}

function remove(client: ConsulClient, place: Place): Promise<boolean> {
  return place.kind === "lock" ? removeLock(client, place.path) : removeSemaphore(client, place.path);
}

// The lock has been given back by then: that its key stays does no harm.
function isStill(error: unknown): false {
  if (!(error instanceof OperationalError)) throw error;
  return false;
}

function lockOptions(
  values: Values,
  { prefix, argv }: { readonly prefix: string; readonly argv: readonly string[] },
  io: CommandIo,
): LockOptions {
  const wait = values.try ?? values.timeout;
  const retries = values["monitor-retry"];
  return {
    sessionName: values.name ?? `Consul lock for '${argv.join(" ")}' at '${prefix}'`,
    signal: io.signal,
    ...(wait === undefined ? {} : { wait }),
    ...(retries === undefined ? {} : { monitorRetries: retries }),
  };
}

interface Child {
  readonly argv: readonly string[];
  readonly shell: boolean;
  readonly stdin: "ignore" | "inherit";
  /** Whether its failure is told by the exit code. */
  readonly tellsExit: boolean;
}

async function runHeld(lock: HeldLock, child: Child, io: CommandIo): Promise<number> {
  const { argv, shell, stdin } = child;
  const running = await startHandler({ argv, shell, stdin, env: { CONSUL_LOCK_HELD: "true" } }, io);
  const onLost = () => {
    const why = lock.lost.reason instanceof Error ? `: ${lock.lost.reason.message}` : "";
    void io.stderr(`Lock lost, ending the command${why}\n`);
    void running.end({ signal: "SIGTERM", graceMilliseconds });
  };
  const onStop = () => {
    const signal = io.signal.reason === "SIGINT" ? "SIGINT" : "SIGTERM";
    void running.end({ signal, graceMilliseconds });
  };
  listen(lock.lost, onLost);
  listen(io.signal, onStop);
  try {
    const exit = await running.ended;
    if (io.signal.aborted) return interruptedCode(io);
    if (lock.lost.aborted) return 1;
    if (exit.kind === "code" && exit.code === 0) return 0;
    const how = exit.kind === "signal" ? `signal: ${exit.signal}` : `exit status ${exit.code}`;
    await io.stderr(`Error running handler: ${how}\n`);
    return child.tellsExit ? 2 : 0;
  } finally {
    lock.lost.removeEventListener("abort", onLost);
    io.signal.removeEventListener("abort", onStop);
  }
}

function listen(signal: AbortSignal, listener: () => void): void {
  if (signal.aborted) listener();
  else signal.addEventListener("abort", listener, { once: true });
}
