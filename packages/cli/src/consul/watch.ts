import type { ApiQuery } from "@millwright/clients/consul-api";
import { encodePath } from "@millwright/clients/consul-api";
import { formatJson } from "@millwright/clients/json";
import { watchAnswers } from "@millwright/clients/consul-watch";
import { OperationalError } from "@millwright/core/errors";
import { interruptedCode } from "../commands/interrupted.ts";
import { clientFlags, failureText, openClient } from "../commands/kv-client.ts";
import type { FlagTable, FlagValues } from "../flags.ts";
import type { CommandIo } from "../io.ts";
import { refuse, type ServiceCommand } from "./command.ts";
import { graceMilliseconds, shellFlag, startHandler } from "./handler.ts";

const flags = {
  type: {
    kind: "string",
    value: "TYPE",
    help: "What to watch: key, keyprefix, services, nodes, service, checks or event.",
  },
  key: { kind: "string", value: "KEY", help: "The key, for -type=key." },
  prefix: { kind: "string", value: "PREFIX", help: "The prefix, for -type=keyprefix." },
  service: { kind: "string", value: "NAME", help: "The service, for -type=service and -type=checks." },
  tag: { kind: "strings", value: "TAG", help: "Only instances with this tag, for -type=service." },
  passingonly: { kind: "bool", help: "Only healthy instances, for -type=service." },
  state: { kind: "string", value: "STATE", help: "Only checks in this state, for -type=checks." },
  name: { kind: "string", value: "NAME", help: "Only events of this name, for -type=event." },
  filter: { kind: "string", value: "EXPRESSION", help: "Only items for which it holds." },
  ...shellFlag,
  ...clientFlags,
} as const satisfies FlagTable;

type Values = FlagValues<typeof flags>;

/** `watch`: shows a state, or runs a command at each change of it. */
export const watchCommand: ServiceCommand<typeof flags> = {
  usage: "watch [flags] [COMMAND...]",
  about:
    "Watches keys, nodes, services, checks or events. Without a command it prints what there is, as JSON, and ends. With one it runs it now and at each change, with the JSON on its standard input and CONSUL_INDEX in its environment.",
  examples: ["watch -type=nodes", "watch -type=key -key=app/config ./reload.sh"],
  flags,
  run: async ({ values, args, given, io }) => {
    const view = viewOf(values);
    if (typeof view === "string") return refuse(io, view);
    const client = openClient(values, io);
    const shell = !given.has("shell") || values.shell;
    try {
      const consistency = values.stale ? { consistency: "stale" as const } : {};
      const states = watchAnswers((position) => client.read(view.path, view.query, { ...position, ...consistency }), {
        signal: io.signal,
        onFailure: (error) => void io.stderr(`${error.message}\nTrying again.\n`),
      });
      for await (const { value, index } of states) {
        const shown = view.show(value);
        if (args.length === 0) {
          await io.stdout(`${formatJson(shown, 4)}\n`);
          return 0;
        }
        await handle({ argv: args, shell, input: `${formatJson(shown)}\n`, index }, io);
      }
      return interruptedCode(io);
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      return refuse(io, `Error querying Consul agent: ${failureText(error)}`);
    } finally {
      await client.close();
    }
  },
};

interface View {
  readonly path: string;
  readonly query: ApiQuery;
  /** What of an answer is shown; undefined came for 404. */
  show(value: unknown): unknown;
}

// What to read, or what is missing on the line.
function viewOf(values: Values): View | string {
  const query: ApiQuery = values.filter ? { filter: values.filter } : {};
  const whole = (value: unknown) => value ?? null;
  switch (values.type) {
    case "key":
      if (values.key === undefined) return "Must specify a single key to watch: -key=KEY";
      return { path: `/v1/kv/${encodePath(values.key)}`, query, show: firstOf };
    case "keyprefix":
      if (values.prefix === undefined) return "Must specify a single prefix to watch: -prefix=PREFIX";
      return { path: `/v1/kv/${encodePath(values.prefix)}`, query: { ...query, recurse: true }, show: whole };
    case "services":
      return { path: "/v1/catalog/services", query, show: whole };
    case "nodes":
      return { path: "/v1/catalog/nodes", query, show: whole };
    case "service": {
      if (values.service === undefined) return "Must specify a single service to watch: -service=NAME";
      const tags: ApiQuery = values.tag.length > 0 ? { tag: values.tag } : {};
      const passing: ApiQuery = values.passingonly ? { passing: true } : {};
      const path = `/v1/health/service/${encodeURIComponent(values.service)}`;
      return { path, query: { ...query, ...tags, ...passing }, show: whole };
    }
    case "checks":
      if (values.service !== undefined && values.state !== undefined) return "Cannot specify service and state";
      if (values.service !== undefined) {
        return { path: `/v1/health/checks/${encodeURIComponent(values.service)}`, query, show: whole };
      }
      return { path: `/v1/health/state/${encodeURIComponent(values.state ?? "any")}`, query, show: whole };
    case "event": {
      const named: ApiQuery = values.name === undefined ? {} : { name: values.name };
      return { path: "/v1/event/list", query: named, show: newEvents() };
    }
    case undefined:
      return `Watch type must be specified: -type=${types}`;
    default:
      return `Unsupported watch type: ${values.type}. Use ${types}.`;
  }
}

const types = "key, keyprefix, services, nodes, service, checks or event";

// Of events those that were not there the last time: each is told once.
function newEvents(): (value: unknown) => unknown {
  let last: unknown;
  return (value) => {
    const events = (Array.isArray(value) ? value : []) as readonly { readonly ID?: unknown }[];
    const fresh = events.slice(events.findIndex(({ ID }) => ID === last) + 1);
    last = events.at(-1)?.ID ?? last;
    return fresh;
  };
}

function firstOf(value: unknown): unknown {
  return Array.isArray(value) ? (value[0] ?? null) : null;
}

interface Handling {
  readonly argv: readonly string[];
  readonly shell: boolean;
  readonly input: string;
  readonly index: number;
}

// One after the other: a change that comes meanwhile is handled when this one is done.
async function handle({ argv, shell, input, index }: Handling, io: CommandIo): Promise<void> {
  const env = { CONSUL_INDEX: String(index) };
  const running = await startHandler({ argv, shell, env, stdin: "pipe" }, io);
  const onStop = () => void running.end({ signal: "SIGTERM", graceMilliseconds });
  io.signal.addEventListener("abort", onStop, { once: true });
  try {
    running.stdin?.end(input);
    const exit = await running.ended;
    const failed =
      exit.kind === "signal" ? `ended by ${exit.signal}` : exit.code === 0 ? "" : `exit status ${exit.code}`;
    if (failed !== "" && !io.signal.aborted) await io.stderr(`Error executing handler: ${failed}\n`);
  } finally {
    io.signal.removeEventListener("abort", onStop);
  }
}
