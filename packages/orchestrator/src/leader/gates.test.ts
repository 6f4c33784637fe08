import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { OperationalError } from "@millwright/core/errors";
import type { Clock } from "@millwright/core/ports";
import { jobId } from "@millwright/jobs/job";
import type { Store } from "@millwright/store/contract";
import { openMemoryStore } from "@millwright/store/memory";
import { afterEach, describe, expect, test } from "vitest";
import {
  atOnce,
  type Cluster,
  type ClusterOptions,
  jobOf,
  live,
  openCluster,
  rollout,
  until,
} from "../../test/cluster.ts";

const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

/** An address that answers with whatever status it is set to. */
class Probed {
  status = 200;
  asked = 0;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((_, response) => {
      this.asked++;
      response.writeHead(this.status).end();
    });
  }

  static async listen(): Promise<Probed> {
    const probed = new Probed();
    await new Promise<void>((resolve) => probed.#server.listen(0, "127.0.0.1", resolve));
    open.push(probed);
    return probed;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/health?token=secret`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Time that passes when somebody sleeps: waiting for a gate costs nothing. */
class FastClock implements Clock {
  #ahead = 0;
  now = (): number => Date.now() + this.#ahead;
  monotonic = (): number => performance.now() + this.#ahead;
  sleep = async (milliseconds: number, signal?: AbortSignal): Promise<void> => {
    signal?.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 2));
    signal?.throwIfAborted();
    // Leases and the like, which others keep, go by their own length.
    if (milliseconds <= 2_000) this.#ahead += milliseconds;
  };
}

async function start(options: ClusterOptions = {}): Promise<Cluster> {
  const cluster = await openCluster(options);
  open.push(cluster);
  for (const id of ["n1", "n2"]) await cluster.join(id);
  return cluster;
}

type GateDraft = Record<string, unknown>;

function gate(probed: Probed, rest: GateDraft = {}): GateDraft {
  return { name: "smoke", kind: "http", http: { url: probed.url }, every: 100e6, within: 0, ...rest };
}

/** The job's `V` says which version it is meant to be. */
function version(v: number, gates: readonly GateDraft[], { patience = 60e9, ...update }: Record<string, unknown> = {}) {
  const rest = gates.length === 0 ? {} : { gates: { patience: patience as number, gates } };
  return jobOf({ count: 3, update: { ...atOnce, ...update } }, rest, { env: { V: `${v}` } });
}

/** Three of version 0, which has no gates. */
async function three(cluster: Cluster): Promise<void> {
  await cluster.commands.registerJob(version(0, []), {});
  await until(cluster, () => rollout(cluster)?.status === "successful");
}

const versions = (cluster: Cluster) =>
  live(cluster)
    .map(({ allocation }) => allocation.version)
    .sort();
const isAsking = (cluster: Cluster, batch: number) => () =>
  rollout(cluster)?.gating?.askedSince != null && rollout(cluster)?.gating?.batch === batch;

describe("the gates of a rollout", () => {
  test("are asked between its batches and before its end, and what they say is kept", async () => {
    const [cluster, probed] = [await start(), await Probed.listen()];
    await three(cluster);
    await cluster.commands.registerJob(version(1, [gate(probed), { name: "own", kind: "conditions" }]), {});
    await until(cluster, () => rollout(cluster)?.version === 1 && rollout(cluster)?.status === "successful");
    expect(probed.asked).toBe(3);
    const all = { kind: "go", gate: "smoke, own", because: "all are for it" };
    expect(rollout(cluster)?.gating?.decisions).toMatchObject([
      { batch: 1, ...all },
      { batch: 2, ...all },
      { batch: 3, ...all },
    ]);
  });

  test("hold it up as long as one says wait, and the next batch does not start", async () => {
    const [cluster, probed] = [await start(), await Probed.listen()];
    await three(cluster);
    probed.status = 500;
    await cluster.commands.registerJob(version(1, [gate(probed, { within: 60e9 })]), {});
    await until(cluster, () => (rollout(cluster)?.gating?.waits ?? null) !== null);
    expect(rollout(cluster)?.gating?.waits).toMatchObject({
      gate: "smoke",
      because: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/health answered 500$/),
    });
    await cluster.context.clock.sleep(200);
    expect(versions(cluster)).toEqual([0, 0, 1]);
    probed.status = 200;
    await until(cluster, () => rollout(cluster)?.status === "successful");
    expect(versions(cluster)).toEqual([1, 1, 1]);
  });

  test("that turn bad between two batches stop it where it is", async () => {
    const [cluster, probed] = [await start(), await Probed.listen()];
    await three(cluster);
    await cluster.commands.registerJob(version(1, [gate(probed, { for: 100e6 })], { autoRevert: true }), {});
    await until(cluster, isAsking(cluster, 2));
    probed.status = 500;
    await until(cluster, () => rollout(cluster)?.status === "failed");
    expect(rollout(cluster)?.description).toMatch(
      /^Failed due to gate "smoke" after batch 2: http:\S+\/health answered 500$/,
    );
    expect(versions(cluster)).toEqual([0, 1, 1]);
  });

  test("that ask for it have it taken back, and are not asked on the way", async () => {
    const [cluster, probed] = [await start(), await Probed.listen()];
    const back = gate(probed, { otherwise: "back" });
    await cluster.commands.registerJob(version(0, [back]), {});
    await until(cluster, () => rollout(cluster)?.status === "successful");
    probed.status = 500;
    await cluster.commands.registerJob(version(1, [back]), {});
    await until(cluster, () => rollout(cluster)?.version === 2 && rollout(cluster)?.status === "successful");
    const { state } = cluster.context.projection;
    const failed = state.derived.deploymentsOfJob("default", jobId("app")).at(-2)?.deployment;
    expect(failed?.description).toMatch(/answered 500 - rolling back to job version 0$/);
    expect(new Set(versions(cluster))).toEqual(new Set([2]));
    expect(live(cluster)).toHaveLength(3);
  });

  test("that have it wait for longer than patience lasts stop it", async () => {
    const [cluster, probed] = [await start({ clock: new FastClock() }), await Probed.listen()];
    await three(cluster);
    probed.status = 500;
    const patient = gate(probed, { within: 3_600e9 });
    await cluster.commands.registerJob(version(1, [patient], { patience: 5e9 }), {});
    await until(cluster, () => rollout(cluster)?.status === "failed");
    expect(rollout(cluster)?.description).toContain("that was so for as long as could be waited");
    expect(versions(cluster)).toEqual([0, 0, 1]);
  });

  test("are asked four at a time: those of one rollout do not take the place of all others", async () => {
    const cluster = await start();
    let [now, most] = [0, 0];
    const server = createServer((request, response) => {
      most = Math.max(most, ++now);
      request.once("close", () => now--);
      setTimeout(() => response.writeHead(200).end(), 20);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    open.push({ close: () => new Promise((resolve) => server.close(() => resolve())) });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    await three(cluster);
    const gates = Array.from({ length: 12 }, (_, i) => ({ name: `slow-${i}`, kind: "http", http: { url } }));
    await cluster.commands.registerJob(version(1, gates), {});
    await until(cluster, () => rollout(cluster)?.version === 1 && rollout(cluster)?.status === "successful");
    expect(most).toBe(4);
  });

  test("run no command where the server is not set to", async () => {
    const cluster = await start();
    await three(cluster);
    const command = { name: "smoke", kind: "command", command: { args: ["true"] } };
    await cluster.commands.registerJob(version(1, [command]), {});
    await until(cluster, () => rollout(cluster)?.status === "failed");
    expect(rollout(cluster)?.description).toContain("commands of gates are not run here");
  });

  test("run commands where the server is set to, with its folder and words", async () => {
    const cluster = await start({ gates: { commands: { folder: tmpdir(), env: { PATH: process.env.PATH } } } });
    await three(cluster);
    const script = 'test "$MILLWRIGHT_WAVE/$MILLWRIGHT_WAVES" = 1/3 && test -z "$HOME" || { echo no; exit 1; }';
    const command = { name: "smoke", kind: "command", within: 0, command: { args: ["/bin/sh", "-c", script] } };
    await cluster.commands.registerJob(version(1, [command]), {});
    await until(cluster, () => rollout(cluster)?.status === "failed");
    expect(rollout(cluster)?.gating?.decisions).toMatchObject([
      { batch: 1, kind: "go", because: "/bin/sh ended with 0" },
      { batch: 2, kind: "stop", because: "/bin/sh ended with 1: no" },
    ]);
  });

  test("with a budget look at their address as long as the rollout lasts, and no longer", async () => {
    const [cluster, probed] = [await start(), await Probed.listen()];
    await three(cluster);
    const budget = { objective: 0.9, probe: { url: probed.url } };
    await cluster.commands.registerJob(version(1, [{ name: "slo", kind: "budget", every: 20e6, budget }]), {});
    await until(cluster, () => rollout(cluster)?.version === 1 && rollout(cluster)?.status === "successful");
    expect(rollout(cluster)?.gating?.decisions[0]?.because).toMatch(/^0 % of the error budget is spent \(100 % good/);
    await cluster.context.clock.sleep(50);
    const { asked } = probed;
    await cluster.context.clock.sleep(100);
    expect(probed.asked).toBe(asked);
  });

  test("ask how the batch itself fares", async () => {
    const cluster = await start();
    const probed = await Probed.listen();
    await three(cluster);
    const gates = [gate(probed, { for: 5_000e6 }), { name: "own", kind: "conditions" }];
    await cluster.commands.registerJob(version(1, gates), {});
    await until(cluster, isAsking(cluster, 1));
    const fresh = live(cluster).find(({ allocation }) => allocation.version === 1)!;
    await cluster.nodes.get(fresh.allocation.node)!.fail(fresh.allocation.id);
    await until(cluster, () => rollout(cluster)?.status === "failed");
    expect(rollout(cluster)?.description).toContain('Failed due to gate "own" after batch 1: app.web[');
  });
});

describe("a leader", () => {
  test("asks on where the one before it ended, and no batch starts meanwhile", async () => {
    const store = openMemoryStore();
    open.push(store);
    const first = await openCluster({ store });
    for (const id of ["n1", "n2"]) await first.join(id);
    const probed = await Probed.listen();
    await three(first);
    probed.status = 500;
    await first.commands.registerJob(version(1, [gate(probed, { within: 3_600e9 })]), {});
    await until(first, () => (rollout(first)?.gating?.waits ?? null) !== null);
    await first.close();
    const asked = probed.asked;
    const second = await start({ store });
    await until(second, () => probed.asked > asked + 1);
    expect(versions(second)).toEqual([0, 0, 1]);
    probed.status = 200;
    await until(second, () => rollout(second)?.status === "successful");
    expect(versions(second)).toEqual([1, 1, 1]);
  });

  test("writes what was said though the store refuses it at first", async () => {
    const memory = openMemoryStore();
    open.push(memory);
    let refusals = 0;
    const cluster = await start({ store: refusing(memory, () => refusals-- > 0) });
    const probed = await Probed.listen();
    await three(cluster);
    await cluster.commands.registerJob(version(1, [gate(probed, { for: 200e6 })]), {});
    await until(cluster, isAsking(cluster, 1));
    refusals = 3;
    await until(cluster, () => rollout(cluster)?.status === "successful", 10_000);
  });
});

function refusing(store: Store, refuses: () => boolean): Store {
  const kind = { code: "TEST_AWAY", status: 500, retryable: true };
  const txn: Store["txn"] = (step) =>
    refuses() ? Promise.reject(new OperationalError(kind, "the store is away for a moment")) : store.txn(step);
  return new Proxy(store, {
    get: (_, name: keyof Store) => (name === "txn" ? txn : (store[name] as () => unknown).bind(store)),
  });
}
