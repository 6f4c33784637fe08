// Consul's key-value store over HTTP: a server of ours over SQLite and over etcd, beside etcd itself and a real Consul (on the
// PATH, or named by CONSUL_BIN), all durable on one disk and all started at once: each figure is taken of one after another,
// round by round, so that what else the machine does meets them alike. Medians of the rounds.
// `node bench/kv.ts [ROUNDS] [SECONDS] [NAME…]`, 3 and 1 by default; names as `sqlite`, `etcd itself` choose among the servers.
import { readFileSync } from "node:fs";
import { loadavg } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { HttpCaller } from "./support/http-load.ts";
import {
  consulItself,
  etcdItself,
  type KvConnection,
  type KvServer,
  ownOverEtcd,
  ownOverSqlite,
} from "./support/kv-servers.ts";
import { median, printTable } from "./support/measure.ts";
import { type CallTimes, measureCalls } from "./support/measure-calls.ts";
import { inFolder, onPath } from "./support/programs.ts";

const rounds = Number(process.argv[2] ?? 3);
const seconds = Number(process.argv[3] ?? 1);
const chosen = process.argv.slice(4);
const keys = 1_000;
const listed = 10_000;
const waiting = 1_000;
const callerCounts = [1, 16, 64];
/** 100 to 500 bytes. */
const values = Array.from({ length: 41 }, (_, i) => Buffer.alloc(100 + 10 * i, "v"));
const valueOf = (i: number) => values[(i * 17) % values.length]!;

const requests: readonly (readonly [string, (to: KvConnection) => ((i: number) => Promise<unknown>) | undefined])[] = [
  ["PUT", (to) => (i) => to.put(`bench/${i % keys}`, valueOf(i))],
  ["GET", (to) => bound(to.get.default)],
  ["GET consistent", (to) => bound(to.get.consistent)],
  ["GET stale", (to) => bound(to.get.stale)],
];

await inFolder({}, async (folder) => {
  const makers: readonly (readonly [string, () => Promise<KvServer | undefined>])[] = [
    ["sqlite", () => ownOverSqlite(folder)],
    ["etcd", () => ownOverEtcd(folder)],
    ["etcd itself", etcdItself],
    ["consul", () => consulItself(folder)],
  ];
  const servers: KvServer[] = [];
  for (const [name, make] of makers) {
    if (chosen.length > 0 && !chosen.includes(name)) continue;
    if (name.startsWith("etcd") && onPath("etcd") === undefined) {
      console.log(`${name}: not measured, there is no etcd on the PATH`);
      continue;
    }
    const server = await make();
    if (server) servers.push(server);
    else console.log(`${name}: not measured, it is neither on the PATH nor named by CONSUL_BIN`);
  }
  for (const server of servers) await fill(server);
  await measureRequests(servers);
  await measureLists(servers);
  await measureWaiting(servers.filter((server) => server.port !== undefined));
  printTable(
    "Memory at the end",
    ["server", "RSS MB"],
    servers.map(({ name, pids }) => [name, pids.map((pid) => residentMegabytes(pid).toFixed(0)).join(" + ")]),
  );
  console.log(`load of the machine: ${loadavg()[0]?.toFixed(1)}`);
  for (const server of servers) await server.stop();
});

function bound(get: ((key: string) => Promise<unknown>) | undefined): ((i: number) => Promise<unknown>) | undefined {
  return get && ((i) => get(`bench/${i % keys}`));
}

async function fill(server: KvServer): Promise<void> {
  const connections = await connectMany(server, 16);
  let next = 0;
  const run = async (connection: KvConnection) => {
    for (let i = next++; i < listed; i = next++) await connection.put(`list/${i}`, valueOf(i));
    for (; next < listed + keys; ) await connection.put(`bench/${next++ - listed}`, valueOf(next));
  };
  await Promise.all(connections.map(run));
  for (const connection of connections) connection.close();
  await server.loop?.();
}

async function measureRequests(servers: readonly KvServer[]): Promise<void> {
  const rows: string[][] = [];
  for (const [name, make] of requests) {
    for (const callers of callerCounts) {
      const taken = new Map<KvServer, RequestRound[]>(servers.map((server) => [server, []]));
      for (let round = -1; round < rounds; round++) {
        for (const server of servers) {
          const one = await measureRound(server, make, callers, round < 0 ? 0.3 : seconds);
          if (one && round >= 0) taken.get(server)?.push(one);
        }
      }
      for (const [server, results] of taken) if (results.length > 0) rows.push(rowOf(server, name, callers, results));
    }
  }
  printTable(
    `${keys} keys with values of 100 to 500 bytes; medians of ${rounds} rounds of ${seconds} s; "CPU" is what the server ` +
      'used for a request, "held" how long its own work held the event loop, p99.9',
    ["server", "request", "callers", "requests/s", "p50 ms", "p99 ms", "p99.9 ms", "CPU µs", "held ms", "delay ms"],
    rows,
  );
}

/** `cpu`: microseconds of processor time that the server's processes used for a request. */
type RequestRound = CallTimes & { readonly held: number; readonly delay: number; readonly cpu: number };

async function measureRound(
  server: KvServer,
  make: (to: KvConnection) => ((i: number) => Promise<unknown>) | undefined,
  callers: number,
  time: number,
): Promise<RequestRound | undefined> {
  const connections = await connectMany(server, callers);
  const calls = connections.flatMap((connection) => make(connection) ?? []);
  if (calls.length < callers) return undefined;
  await server.loop?.();
  const cpuBefore = usedMicroseconds(server);
  const times = await measureCalls(callers, time, (i, caller) => calls[caller]!(i));
  const cpu = (usedMicroseconds(server) - cpuBefore) / times.count;
  const { held = Number.NaN, delay = Number.NaN } = (await server.loop?.()) ?? {};
  for (const connection of connections) connection.close();
  return { ...times, held, delay, cpu };
}

function rowOf(server: KvServer, request: string, callers: number, results: readonly RequestRound[]): string[] {
  const figure = (which: keyof RequestRound) => median(results.map((result) => result[which]));
  const loop = server.loop ? [figure("held").toFixed(1), figure("delay").toFixed(1)] : [];
  const times = [figure("p50"), figure("p99"), figure("p999")].map((time) => time.toFixed(2));
  const cpu = count(figure("cpu"));
  return [server.name, request, String(callers), count(figure("perSecond")), ...times, cpu, ...loop];
}

async function measureLists(servers: readonly KvServer[]): Promise<void> {
  const taken = new Map<KvServer, { times: number[]; held: number[] }>();
  for (let round = 0; round < rounds * 3; round++) {
    for (const server of servers) {
      const [connection] = await connectMany(server, 1);
      const started = performance.now();
      await connection?.list("list/");
      const { times, held } = taken.get(server) ?? { times: [], held: [] };
      taken.set(server, { times: [...times, performance.now() - started], held });
      const loop = await server.loop?.();
      if (loop) held.push(loop.longestHeld);
      connection?.close();
    }
  }
  printTable(
    `A list of ${count(listed)} keys with their values`,
    ["server", "median ms", "longest hold ms"],
    [...taken].map(([{ name, loop }, { times, held }]) => {
      return [name, median(times).toFixed(0), loop ? median(held).toFixed(1) : ""];
    }),
  );
}

async function measureWaiting(servers: readonly KvServer[]): Promise<void> {
  const taken = new Map<KvServer, { readonly first: number; readonly last: number; readonly held: number }[]>();
  for (let round = 0; round < rounds; round++) {
    for (const server of servers) taken.set(server, [...(taken.get(server) ?? []), await wakeAll(server)]);
  }
  printTable(
    `${count(waiting)} blocked queries for one key, woken by one PUT: from its start to the first and the last answer`,
    ["server", "first ms", "last ms", "longest hold ms"],
    [...taken].map(([{ name, loop }, results]) => {
      const figure = (which: "first" | "last" | "held") => median(results.map((result) => result[which])).toFixed(1);
      return [name, figure("first"), figure("last"), loop ? figure("held") : ""];
    }),
  );
}

async function wakeAll(server: KvServer) {
  const port = server.port ?? 0;
  const writer = await HttpCaller.open(port);
  const { head } = await writer.call("GET", "/v1/kv/bench/0");
  const index = /x-consul-index: (\d+)/i.exec(head)?.[1] ?? "1";
  const callers = await Promise.all(Array.from({ length: waiting }, () => HttpCaller.open(port)));
  let started = Number.POSITIVE_INFINITY;
  const answered = Promise.all(
    callers.map(async (caller) => {
      await caller.call("GET", `/v1/kv/bench/0?index=${index}&wait=60s`);
      return performance.now() - started;
    }),
  );
  // Until the last of them waits.
  await sleep(1_000);
  await server.loop?.();
  started = performance.now();
  await writer.call("PUT", "/v1/kv/bench/0", Buffer.from(String(Math.random())));
  const times = await answered;
  const { longestHeld = Number.NaN } = (await server.loop?.()) ?? {};
  for (const caller of [writer, ...callers]) caller.close();
  return { first: Math.min(...times), last: Math.max(...times), held: longestHeld };
}

function connectMany(server: KvServer, many: number): Promise<KvConnection[]> {
  return Promise.all(Array.from({ length: many }, () => server.connect()));
}

// The processor time of a server's processes; the kernel counts it in hundredths of a second.
function usedMicroseconds({ pids }: KvServer): number {
  const ticks = pids.map((pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return Number(fields[11]) + Number(fields[12]);
  });
  return ticks.reduce((sum, each) => sum + each, 0) * 10_000;
}

function residentMegabytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1_024;
}

function count(number: number): string {
  return Math.round(number).toLocaleString("en");
}
