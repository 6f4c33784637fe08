// What a whole server of ours holds in memory, over SQLite: filled key by key over HTTP, and started anew over the same data,
// where nothing is left of what the filling needed. `node bench/memory-filled.ts [KEYS] [SERVICES] [SECRETS]`, 100,000, 10,000 and
// 100,000 by default.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { HttpCaller } from "./support/http-load.ts";
import { printTable } from "./support/measure.ts";
import { type OwnServer, startOwnServer } from "./support/own-server.ts";
import { inFolder } from "./support/programs.ts";
import { VaultLoad } from "./support/vault-load.ts";

const [keys, services, secrets] = [100_000, 10_000, 100_000].map((count, i) => Number(process.argv[2 + i] ?? count));
const text = "v".repeat(300);
const secretBody = JSON.stringify({ data: { password: text } });

await inFolder({}, async (folder) => {
  const rows: string[][] = [];
  const store = (name: string) => ({ kind: "sqlite", dataFolder: join(folder, name) }) as const;
  const options = { store: store("discovery"), secretsStore: store("secrets"), vault: true };
  const note = async (what: string, server: OwnServer, began: number) => {
    const { longestHeld } = await server.loop();
    const seconds = (performance.now() - began) / 1_000;
    rows.push([what, seconds.toFixed(1), residentMegabytes(server.pid).toFixed(0), longestHeld.toFixed(0)]);
  };
  const timed = async (what: string, server: OwnServer, work: () => Promise<unknown>) => {
    const began = performance.now();
    await work();
    await note(what, server, began);
  };

  const first = await startOwnServer(options);
  await timed("started", first, async () => undefined);
  await timed(`+ ${keys} keys of 300 bytes`, first, () =>
    fill(first.http, keys ?? 0, (i) => [`/v1/kv/app/${i % 1_000}/key-${i}`, text]),
  );
  await timed(`+ ${services} services on 1,000 nodes`, first, () =>
    fill(first.http, services ?? 0, (i) => ["/v1/catalog/register", registration(i)]),
  );
  const vault = new VaultLoad(first.vault);
  const unsealKey = await vault.init();
  await vault.call("POST", "sys/mounts/bench", { type: "kv", options: { version: "2" } });
  await timed(`+ ${secrets} secrets of 300 bytes`, first, () =>
    fill(first.vault, secrets ?? 0, (i) => [`/v1/bench/data/s${i}`, secretBody], vault.headers),
  );
  vault.close();
  await first.stop();

  const began = performance.now();
  const second = await startOwnServer(options);
  await note("started anew", second, began);
  const again = new VaultLoad(second.vault);
  await timed("unsealed", second, () => again.call("PUT", "sys/unseal", { key: unsealKey }));
  again.close();
  await second.stop();
  printTable("A server over SQLite", ["step", "seconds", "RSS MB", "longest hold ms"], rows);
});

function registration(i: number): string {
  const node = i % 1_000;
  return JSON.stringify({
    ...{ Node: `node-${node}`, Address: `10.0.${node >> 8}.${node & 255}` },
    Service: { ID: `service-${i}`, Service: `service-${i % 500}`, Port: 8_000, Tags: ["v1"] },
    Check: { CheckID: `check-${i}`, Name: "http", ServiceID: `service-${i}`, Status: "passing" },
  });
}

async function fill(port: number, count: number, put: (i: number) => readonly [string, string], headers?: string) {
  let next = 0;
  const run = async () => {
    const caller = await HttpCaller.open(port, headers);
    for (let i = next++; i < count; i = next++) {
      const [path, body] = put(i);
      await caller.call("PUT", path, Buffer.from(body));
    }
    caller.close();
  };
  await Promise.all(Array.from({ length: 32 }, run));
}

function residentMegabytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1_024;
}
