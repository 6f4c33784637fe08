import { Resolver } from "node:dns/promises";
import { setTimeout as pause } from "node:timers/promises";

/** An allocation, as far as the factory looks at it. */
export interface Allocation {
  readonly ID: string;
  readonly ClientStatus: string;
  readonly DesiredStatus: string;
  readonly JobVersion: number;
  readonly NodeName: string;
  readonly CreateTime: number;
  readonly DeploymentStatus: { readonly Healthy: boolean | null } | null;
}

export interface Instance {
  readonly host: string;
  readonly port: number;
}

/** What is asked of the servers about jobs, by their public protocols. */
export class Jobs {
  readonly #nomad: string;
  readonly #resolver = new Resolver({ timeout: 1_000, tries: 1 });

  constructor({ nomad, dns }: { readonly nomad: string; readonly dns: string }) {
    this.#nomad = `http://${nomad}`;
    this.#resolver.setServers([dns]);
  }

  async get<T>(path: string): Promise<T> {
    const answer = await fetch(this.#nomad + path);
    if (!answer.ok) throw new Error(`GET ${path} answered ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  allocations(job: string): Promise<readonly Allocation[]> {
    return this.get<readonly Allocation[]>(`/v1/job/${job}/allocations`);
  }

  /** Those that run and are meant to, oldest first. */
  async running(job: string): Promise<readonly Allocation[]> {
    const all = await this.allocations(job);
    const live = all.filter((one) => one.ClientStatus === "running" && one.DesiredStatus === "run");
    return live.sort((a, b) => a.CreateTime - b.CreateTime);
  }

  /** Where a name leads to, by DNS; nothing for a name that is not there. */
  async find(name: string): Promise<readonly Instance[]> {
    try {
      const records = await this.#resolver.resolveSrv(name);
      return await Promise.all(
        records.map(async ({ name: host, port }) => {
          const [address = ""] = await this.#resolver.resolve4(host);
          return { host: address, port };
        }),
      );
    } catch (error) {
      // NXDOMAIN is an error of the resolver's.
      if (error instanceof Error && "code" in error && ["ENOTFOUND", "ENODATA"].includes(String(error.code))) return [];
      throw error;
    }
  }

  /** Says each time that more or fewer instances of a job are healthy, until the signal aborts. */
  async sayHealth(job: string, say: (line: string) => void, signal: AbortSignal): Promise<void> {
    let last = "";
    while (!signal.aborted) {
      const live = await this.running(job).catch(() => []);
      const healthy = live.filter((one) => one.DeploymentStatus?.Healthy).length;
      const line = `  … ${job}: ${healthy} healthy of ${live.length} that run`;
      if (live.length > 0 && line !== last) say(line);
      last = line;
      await pause(200, undefined, { signal }).catch(() => undefined);
    }
  }
}
