import type { HttpReply } from "@millwright/core/http";
import { topicOf } from "@millwright/records/table";
import type { HttpContext } from "./context.ts";
import { type EventTopic, eventsSince, eventTopics, type StreamEvent } from "./events.ts";
import { badRequest } from "./json-body.ts";
import { readOptionsOf } from "./list-options.ts";
import type { Permission } from "./permissions.ts";
import type { Call, Route } from "./route.ts";

/** `/v1/event/stream`: what changes, as lines of JSON, from `?index` on, until the client goes. */
export function eventRoutes(context: HttpContext): Route[] {
  return [
    {
      method: "GET",
      pattern: "/v1/event/stream",
      permission: {
        kind: "needs",
        what: "read-job; for nodes node:read",
        of: (call) => wantedBy(call).topics.map((topic) => permissionFor(topic, call)),
      },
      blocking: false,
      handle: (call) => stream(context, call),
    },
  ];
}

function permissionFor(topic: EventTopic, { namespace }: Call): Permission {
  if (topic === "Node") return { resource: "node", access: "read" };
  return { resource: "namespace", capability: "read-job", namespace };
}

/** Which events somebody wants: by topic, `*` for all, or names and ids. */
interface Wanted {
  readonly topics: readonly EventTopic[];
  readonly keys: ReadonlyMap<EventTopic, ReadonlySet<string>>;
}

function wantedBy({ query }: Call): Wanted {
  const keys = new Map<EventTopic, Set<string>>();
  const said = query.getAll("topic");
  for (const text of said.length === 0 ? ["*"] : said) {
    const [name = "", key = "*", ...rest] = text.split(":");
    if (rest.length > 0) throw badRequest(`Invalid topic query: Invalid key value pair for topic, topic: ${text}`);
    // Topics that nothing happens in here are taken, as clients ask for all that they know.
    for (const topic of eventTopics) {
      if (name === "*" || name === topic) keys.set(topic, (keys.get(topic) ?? new Set()).add(key));
    }
  }
  return { topics: [...keys.keys()], keys };
}

const tablesOf: Readonly<Record<EventTopic, readonly string[]>> = {
  Job: ["job", "jobversion"],
  Allocation: ["alloc", "client"],
  Evaluation: ["eval"],
  Deployment: ["deployment"],
  Node: ["node", "nodestate"],
};

async function stream(context: HttpContext, call: Call): Promise<HttpReply> {
  const { projection } = context;
  const wanted = wantedBy(call);
  const { index } = readOptionsOf(call.query);
  await projection.fresh();
  const { state } = projection;
  const from = Math.max(0, index - 1 - state.indexOf(0));
  // Compressed, a line would wait for others.
  const headers = { "content-type": "application/json", "cache-control": "no-cache", "content-encoding": "identity" };
  return {
    status: 200,
    headers,
    body: linesFrom({ from, most: index === 0 ? mostAtFirst : undefined }, context, call, wanted),
  };
}

/** As many as Nomad keeps: who names no index is told the newest. */
const mostAtFirst = 100;
/** How long it is quiet before a line says that the server is still there. */
const heartbeat = 10_000;
/** Between two looks, as each goes through all records; what changes meanwhile is told at the next. */
const pause = 50;

interface Beginning {
  /** A revision. */
  readonly from: number;
  /** How many of the newest are told at first; all where it is undefined. */
  readonly most: number | undefined;
}

async function* linesFrom(begin: Beginning, context: HttpContext, call: Call, wanted: Wanted): AsyncGenerator<string> {
  const { projection, clock, identity } = context;
  const { signal } = call.request;
  const topics = wanted.topics.flatMap((topic) => tablesOf[topic]).map((table) => topicOf(table));
  const chosen = new Set(wanted.topics);
  let told = begin.from;
  let isFirst = true;
  while (!signal.aborted && !projection.closed) {
    const quiet = new AbortController();
    const over = AbortSignal.any([signal, quiet.signal]);
    const changed = projection.changed({ kind: "topics", topics }, over);
    const { state, applied } = projection;
    const found = eventsSince(state, told, chosen, identity).filter((event) => isWanted(event, wanted, call));
    const events = isFirst && begin.most !== undefined ? found.slice(-begin.most) : found;
    told = applied;
    // A line at once, so that the client sees that it is listened to.
    if (isFirst && events.length === 0) yield "{}\n";
    isFirst = false;
    for (const [index, together] of Map.groupBy(events, ({ Index }) => Index)) {
      const shown = together.map(({ payload, ...event }) => ({ ...event, Payload: payload() }));
      yield `${JSON.stringify({ Index: index, Events: shown })}\n`;
    }
    if (events.length > 0) await clock.sleep(pause, signal).catch(() => undefined);
    const timer = clock.sleep(heartbeat, over).then(
      () => quiet.abort(),
      () => undefined,
    );
    await changed;
    const wasQuiet = quiet.signal.aborted;
    quiet.abort();
    await timer;
    if (wasQuiet) yield "{}\n";
  }
}

function isWanted({ Topic, Key, Namespace, FilterKeys }: StreamEvent, { keys }: Wanted, { namespace }: Call): boolean {
  if (Namespace !== "" && namespace !== "*" && Namespace !== namespace) return false;
  const names = keys.get(Topic);
  return names !== undefined && ["*", Key, ...(FilterKeys ?? [])].some((name) => names.has(name));
}
