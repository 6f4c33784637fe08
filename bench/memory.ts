// What `millwright dev` holds in memory, and takes of a processor, idle and with the widget factory running: the sum of its processes;
// beside the development servers of those whose protocols it speaks, where they are installed (`NOMAD_BIN`, `CONSUL_BIN`, `BAO_BIN`).
// `node bench/memory.ts [SECONDS]`: how long each is watched, 20 by default.
import { setTimeout as pause } from "node:timers/promises";
import { Factory } from "../scripts/start/factory.ts";
import { Stage } from "../scripts/start/stage.ts";
import { printTable } from "./support/measure.ts";
import { type Peer, peerPrograms, startBao, startConsul, startNomad } from "./support/peer-agents.ts";
import { type Measured, processTree } from "./support/process-tree.ts";
import { inFolder } from "./support/programs.ts";

const seconds = Number(process.argv[2] ?? 20);
const settleMilliseconds = 10_000;
const header = ["", "PSS MB", "RSS MB", "CPU % of a core"];

/** Parts by what their command lines hold; the tasks of jobs, which are no part, come from below the shims. */
const parts = [
  ["dev", / dev -/],
  ["server", /main\.mjs server/],
  ["agent", /main\.mjs agent/],
  ["log process", /log-process/],
  ["shims", /shim\.sh/],
] as const;

const stage = await Stage.open("any", new AbortController().signal);
try {
  const idle = await ownRows("idle");
  const factory = await Factory.prepare(stage, "raw_exec");
  const { code } = await factory.apply("1");
  if (code !== 0) throw new Error("the factory does not come up");
  const running = await ownRows("with the factory");
  printTable(`millwright dev, watched for ${seconds} s`, header, [...idle, ...running]);
} finally {
  await stage.close();
}
await inFolder({}, async (folder) => {
  const starts: (() => Promise<Peer>)[] = [];
  const { nomad, consul, bao } = peerPrograms;
  if (nomad) starts.push(() => startNomad(nomad, folder));
  if (consul) starts.push(() => startConsul(consul));
  if (bao) starts.push(() => startBao(bao));
  if (starts.length > 0) await printPeers(starts);
});

async function ownRows(state: string): Promise<string[][]> {
  const watched = await watch(process.pid);
  const of = (pattern: RegExp) => watched.filter(({ commandLine }) => pattern.test(commandLine));
  const all = parts.flatMap(([, pattern]) => of(pattern));
  return [row(`${state}: all`, all), ...parts.map(([name, pattern]) => row(`  ${name}`, of(pattern)))];
}

async function printPeers(starts: readonly (() => Promise<Peer>)[]): Promise<void> {
  const peers: Peer[] = [];
  try {
    for (const start of starts) peers.push(await start());
    const each = await Promise.all(peers.map(({ pid }) => watch(pid)));
    const rows = each.map((watched, i) => row(peers[i]?.name ?? "", watched));
    printTable("Others, idle", header, [row("together", each.flat()), ...rows]);
  } finally {
    for (const peer of peers) await peer.stop();
  }
}

interface Watched extends Measured {
  /** Of one core. */
  readonly percent: number;
}

/** What runs below a process after a while in which it settles, and another in which its processor time is counted. */
async function watch(pid: number): Promise<readonly Watched[]> {
  await pause(settleMilliseconds);
  const before = new Map(processTree(pid).map((one) => [one.pid, one.cpu]));
  await pause(seconds * 1_000);
  return processTree(pid)
    .filter((one) => one.pid !== process.pid)
    .map((one) => ({ ...one, percent: (one.cpu - (before.get(one.pid) ?? one.cpu)) / (seconds * 10) }));
}

function row(name: string, processes: readonly Watched[]): string[] {
  const sum = (pick: (one: Watched) => number) => processes.reduce((total, one) => total + pick(one), 0);
  return [
    name,
    sum(({ pss }) => pss).toFixed(0),
    sum(({ rss }) => rss).toFixed(0),
    sum((one) => one.percent).toFixed(2),
  ];
}
