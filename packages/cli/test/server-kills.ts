import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PostgresServer, startPostgres } from "@millwright/secrets/postgres-server";
import { expect, test } from "vitest";
import { Process } from "./process.ts";
import { seededFraction } from "./seeded-fraction.ts";

/** Declares the test of so many kills of a server under load; `SEED` repeats the instants of another run. */
export function testServerKills(kills: number): void {
  const seed = Number(process.env.SEED ?? Date.now() % 100_000);
  const name = `${kills} kills of a server under load (SEED=${seed}) lose no acknowledged write and no lease, and disturb no node`;
  test(name, { timeout: 60_000 + kills * 20_000 }, async () => {
    const postgres = await startPostgres({ database: "myapp" });
    const house = await House.open(postgres);
    try {
      await killUnderLoad(house, kills, seededFraction(seed));
    } finally {
      await house.close();
      await postgres.stop();
    }
  });
}

async function killUnderLoad(house: House, kills: number, fraction: () => number): Promise<void> {
  const lease = await house.takeLogin();
  await expect.poll(() => house.agentsService(), { timeout: 10_000 }).toBe("passing");
  const load = new Load(house);
  const writing = load.run();
  for (let kill = 0; kill < kills; kill++) {
    await new Promise((resolve) => setTimeout(resolve, 300 + 1200 * fraction()));
    await house.killServer();
    await house.startServer();
  }
  load.stop();
  await writing;
  expect(load.acknowledged.size).toBeGreaterThan(50);
  expect(await load.lost()).toEqual([]);
  expect(await house.vault("PUT", "sys/leases/renew", { lease_id: lease.id })).toMatchObject({ lease_id: lease.id });
  expect(await house.postgresHas(lease.user)).toBe(true);
  await house.vault("PUT", "sys/leases/revoke", { lease_id: lease.id, sync: true });
  expect(await house.postgresHas(lease.user)).toBe(false);
  // The node was not started again, and never had to be.
  await expect.poll(() => house.agentsService(), { timeout: 15_000 }).toBe("passing");
  expect(house.agentErrors()).not.toMatch(/bug|stack/i);
}

/** A server with its data and an agent that has joined it, as processes of their own, and a PostgreSQL. */
class House {
  readonly #folder: string;
  readonly #postgres: PostgresServer;
  readonly #ports: { readonly http: number; readonly vault: number };
  #server: Process | undefined;
  #agent: Process | undefined;
  #token = "";

  private constructor(postgres: PostgresServer, ports: { readonly http: number; readonly vault: number }) {
    this.#folder = mkdtempSync(join(tmpdir(), "server-kills-"));
    this.#postgres = postgres;
    this.#ports = ports;
  }

  static async open(postgres: PostgresServer): Promise<House> {
    const [http, vault] = await freePorts();
    const house = new House(postgres, { http, vault });
    await house.startServer();
    house.#token = readFileSync(join(house.#folder, "seal", "root-token"), "utf8").trim();
    const join_ = join(house.#folder, "data", "join-token");
    const flags = [
      `-join=127.0.0.1:${http}`,
      `-join-token-file=${join_}`,
      "-http-port=0",
      "-dns-port=0",
      "-node=worker",
    ];
    house.#agent = Process.start(["agent", ...flags, `-data-dir=${join(house.#folder, "agent")}`], {
      cwd: house.#folder,
    });
    await house.#agent.until(() => house.#agent?.err.includes("node: alive") ?? false);
    const agentUrl = /Consul HTTP API +(\S+)/.exec(house.#agent.out)?.[1] ?? "";
    const service = { Name: "web", Port: 80, Check: { TCP: `127.0.0.1:${postgres.port}`, Interval: "1s" } };
    await fetch(`${agentUrl}/v1/agent/service/register`, { method: "PUT", body: JSON.stringify(service) });
    return house;
  }

  get consulUrl(): string {
    return `http://127.0.0.1:${this.#ports.http}`;
  }

  async startServer(): Promise<void> {
    const { http, vault } = this.#ports;
    const folder = this.#folder;
    const flags = [`-data-dir=${join(folder, "data")}`, `-dev-seal-dir=${join(folder, "seal")}`, "-log-level=warn"];
    const ports = [`-http-port=${http}`, `-vault-port=${vault}`, "-nomad-port=0", "-dns-port=-1", "-node=server"];
    const server = Process.start(["server", ...flags, ...ports], { cwd: folder });
    this.#server = server;
    await server.until(() => server.out.includes("Stop it with ^C."));
    expect(server.out, server.err).toContain("Stop it with ^C.");
  }

  async killServer(): Promise<void> {
    this.#server?.signal("SIGKILL");
    await this.#server?.ended;
  }

  /** A request to Vault's API; the body of its answer. Rejects where it is refused. */
  async vault(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const answer = await fetch(`http://127.0.0.1:${this.#ports.vault}/v1/${path}`, {
      method,
      headers: { "x-vault-token": this.#token },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text}`);
    return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
  }

  async takeLogin(): Promise<{ readonly id: string; readonly user: string }> {
    await this.vault("PUT", "sys/mounts/postgresql", { type: "postgresql" });
    await this.vault("PUT", "sys/mounts/kv", { type: "kv", options: { version: "2" } });
    await this.vault("PUT", "postgresql/config/connection", { connection_url: this.#postgres.url });
    const sql = `CREATE ROLE "{{name}}" WITH LOGIN PASSWORD '{{password}}'`;
    await this.vault("PUT", "postgresql/roles/r", { sql });
    const { lease_id, data } = await this.vault("GET", "postgresql/creds/r");
    return { id: String(lease_id), user: String((data as { readonly username: string }).username) };
  }

  async postgresHas(role: string): Promise<boolean> {
    return (await this.#postgres.adminSql(`SELECT 1 FROM pg_roles WHERE rolname = '${role}'`)).length === 1;
  }

  /** The health of the agent's service as the server has it: its own check and its node's. */
  async agentsService(): Promise<string> {
    const answer = await fetch(`${this.consulUrl}/v1/health/service/web?passing`).catch(() => undefined);
    if (!answer?.ok) return "unknown";
    return ((await answer.json()) as readonly unknown[]).length === 1 ? "passing" : "critical";
  }

  agentErrors(): string {
    return this.#agent?.err ?? "";
  }

  async close(): Promise<void> {
    for (const one of [this.#agent, this.#server]) {
      one?.signal("SIGKILL");
      await one?.ended;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Writers of keys and of secrets; what was acknowledged is remembered. */
class Load {
  readonly acknowledged = new Map<string, string>();
  readonly #house: House;
  #stopped = false;

  constructor(house: House) {
    this.#house = house;
  }

  async run(): Promise<void> {
    const writers = Array.from({ length: 8 }, (_, i) => (i % 2 === 0 ? this.#keys(i) : this.#secrets(i)));
    await Promise.all(writers);
  }

  stop(): void {
    this.#stopped = true;
  }

  async #keys(writer: number): Promise<void> {
    await this.#each(async (n) => {
      const path = `load/${writer}/${n}`;
      const answer = await fetch(`${this.#house.consulUrl}/v1/kv/${path}`, { method: "PUT", body: `value ${n}` });
      if (answer.ok && (await answer.text()).trim() === "true") this.acknowledged.set(`key ${path}`, `value ${n}`);
    });
  }

  async #secrets(writer: number): Promise<void> {
    await this.#each(async (n) => {
      const path = `load-${writer}-${n}`;
      await this.#house.vault("PUT", `kv/data/${path}`, { data: { v: `secret ${n}` } });
      this.acknowledged.set(`secret ${path}`, `secret ${n}`);
    });
  }

  // A write that is cut off by a kill is not acknowledged; the writer goes on when the server is back.
  async #each(write: (n: number) => Promise<void>): Promise<void> {
    for (let n = 0; !this.#stopped; n++)
      await write(n).catch(() => new Promise<void>((resolve) => setTimeout(resolve, 20)));
  }

  /** What was acknowledged and is not there. Read some at a time: a server is not to be told apart from a crowded one. */
  async lost(): Promise<readonly string[]> {
    const entries = [...this.acknowledged];
    const lost: string[] = [];
    for (let from = 0; from < entries.length; from += 50) {
      const some = entries.slice(from, from + 50);
      const found = await Promise.all(some.map(([name]) => this.#read(name)));
      lost.push(...some.flatMap(([name, value], i) => (found[i] === value ? [] : [name])));
    }
    return lost;
  }

  async #read(name: string): Promise<string | undefined> {
    const [kind, path = ""] = name.split(" ");
    if (kind === "key") return (await fetch(`${this.#house.consulUrl}/v1/kv/${path}?raw`)).text();
    const read = await this.#house.vault("GET", `kv/data/${path}`).catch((error: Error) => error);
    // That it is not there is an answer; any other refusal is not.
    if (read instanceof Error) {
      if (read.message.includes("answered 404")) return undefined;
      throw read;
    }
    return (read.data as { readonly data: { readonly v: string } }).data.v;
  }
}

async function freePorts(): Promise<readonly [number, number]> {
  const probes = [createServer(), createServer()];
  const ports = await Promise.all(
    probes.map(
      (probe) =>
        new Promise<number>((resolve) =>
          probe.listen(0, "127.0.0.1", () => {
            const address = probe.address();
            resolve(typeof address === "object" && address ? address.port : 0);
          }),
        ),
    ),
  );
  await Promise.all(probes.map((probe) => new Promise((resolve) => probe.close(resolve))));
  return [ports[0]!, ports[1]!];
}
