// Questions a second and latencies of a node's DNS front over UDP on the loopback, installed DNS servers beside it.
// Each figure is the median of several rounds; `node bench/dns.ts [ROUNDS] [SECONDS]`, 3 and 3 by default.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { askLoad, type Load } from "./support/dns-load.ts";
import { installedPeers } from "./support/dns-peers.ts";
import { median, printTable } from "./support/measure.ts";
import { onPath } from "./support/programs.ts";

const rounds = Number(process.argv[2] ?? 3);
const seconds = Number(process.argv[3] ?? 3);
const steadyRate = 10_000;
const dnsperf = onPath("dnsperf");
const questions: readonly Pick<Load, "name" | "type">[] = [
  { name: "web.service.consul", type: "A" },
  { name: "web.service.consul", type: "SRV" },
];

const header = ["server", "question", "questions/s", "p50 ms", "p99 ms", "p99.9 ms", "lost"];
const rows: string[][] = [];
const own = spawn(process.execPath, [fileURLToPath(new URL("support/dns-server.ts", import.meta.url))], {
  stdio: ["ignore", "pipe", "inherit"],
});
const ownPort = Number(await said(own, /port (\d+)/));
for (const question of [...questions, { name: "large.service.consul", type: "A" as const }])
  rows.push(await measure("millwright", { port: ownPort, ...question }));
own.kill("SIGTERM");
const delay = await said(own, /delay ([\d.]+)/);
for (const peer of await installedPeers()) {
  const child = spawn(peer.program, peer.args, { stdio: "ignore" });
  await sleep(1_000);
  await peer.prepare?.();
  for (const question of questions) rows.push(await measure(peer.name, { port: peer.port, ...question }));
  child.kill("SIGTERM");
}
const generator = dnsperf ? "dnsperf" : "a generator of our own, in this process";
printTable(
  `UDP, one server process, EDNS; questions/s by ${generator}, latencies at ${steadyRate} a second; medians of ${rounds} rounds of ${seconds} s`,
  header,
  rows,
);
console.log(`millwright's event loop delay over all of it, p99.9: ${delay} ms`);

async function measure(server: string, at: Pick<Load, "port" | "name" | "type">): Promise<string[]> {
  const most: number[] = [];
  const steady: Awaited<ReturnType<typeof askLoad>>[] = [];
  await askLoad({ ...at, seconds: 1 });
  for (let round = 0; round < rounds; round++) {
    most.push(dnsperf ? askWithDnsperf(dnsperf, at) : (await askLoad({ ...at, seconds })).perSecond);
    steady.push(await askLoad({ ...at, seconds, rate: steadyRate }));
  }
  const times = (["p50", "p99", "p999"] as const).map((which) => median(steady.map((one) => one[which])).toFixed(2));
  const lost = steady.reduce((sum, one) => sum + one.lost, 0);
  return [server, `${at.name} ${at.type}`, Math.round(median(most)).toLocaleString("en"), ...times, String(lost)];
}

function askWithDnsperf(program: string, { port, name, type }: Pick<Load, "port" | "name" | "type">): number {
  const file = join(mkdtempSync(join(tmpdir(), "millwright-dns-")), "questions");
  writeFileSync(file, `${name} ${type}\n`);
  const args = ["-s", "127.0.0.1", "-p", String(port), "-d", file, "-l", String(seconds), "-c", "8", "-e"];
  const { stdout } = spawnSync(program, args, { encoding: "utf8" });
  return Number(/Queries per second:\s+([\d.]+)/.exec(stdout)?.[1] ?? Number.NaN);
}

function said(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    child.stdout?.on("data", (piece) => {
      text += String(piece);
      const found = pattern.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    });
  });
}
