import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clientErrors } from "@millwright/clients/errors";
import type { AllocationUpdate, NodeAllocation, NodePort } from "@millwright/clients/nomad-node-protocol";
import type { VaultSecret } from "@millwright/clients/vault";
import { OperationalError } from "@millwright/core/errors";
import { type LogLevel, systemChance, systemClock } from "@millwright/core/ports";
import { sourceFile } from "@millwright/hcl/source-file";
import { canonical } from "@millwright/jobs/canonical";
import type { Job } from "@millwright/jobs/job";
import { readJob } from "@millwright/jobs/read-job";
import type { ConsulAnswer, ConsulPort, ConsulReadPosition, ConsulSource, VaultPort } from "@millwright/render/servers";
import { type Allocations, openAllocations } from "../src/allocation/allocations.ts";
import type {
  AllocationHost,
  CheckState,
  ServicePort,
  ServiceRegistration,
  VaultHost,
} from "../src/allocation/host.ts";
import { rawExecDriver } from "../src/driver/raw-exec.ts";
import type { Logs } from "../src/logs/logs.ts";
import { openLogs } from "../src/logs/open-logs.ts";

/** A job from the text of its group. */
export function jobOf(group: string, more = ""): Job {
  const text = `job "shop" {\n datacenters = ["dc1"]\n${more}\n group "web" {\n${group}\n }\n}`;
  const { value, diagnostics } = readJob(sourceFile("shop.nomad", new TextEncoder().encode(text)));
  if (!value || diagnostics.some(({ severity }) => severity === "error")) throw new Error(JSON.stringify(diagnostics));
  return canonical(value.draft);
}

/** A task that runs a line of shell. */
export function shellTask(name: string, line: string, more = ""): string {
  return `task "${name}" {
    driver = "raw_exec"
    config { command = "/bin/sh"
      args = ["-c", ${JSON.stringify(line).replaceAll("${", "$${")}] }
    ${more}
  }`;
}

/** Services and checks as a node has them; what the checks say is said by the test. */
class MemoryServices implements ServicePort {
  readonly registered = new Map<string, ServiceRegistration>();
  /** `+ web`, `- web`: what happened, in order. */
  readonly story: string[] = [];
  readonly #states = new Map<string, CheckState>();
  readonly #followers = new Set<() => void>();

  async register(service: ServiceRegistration): Promise<void> {
    if (JSON.stringify(this.registered.get(service.ID)) === JSON.stringify(service)) return;
    this.registered.set(service.ID, service);
    this.story.push(`+ ${service.Name}`);
    for (const check of service.Checks) {
      const checkId = String(check.CheckID);
      const status = (check.Status ?? "critical") as CheckState["status"];
      this.#states.set(checkId, { serviceId: service.ID, checkId, name: String(check.Name), status, output: "" });
    }
    this.#tell();
  }

  async deregister(id: string): Promise<void> {
    const service = this.registered.get(id);
    if (!service) return;
    this.registered.delete(id);
    this.story.push(`- ${service.Name}`);
    for (const [checkId, { serviceId }] of this.#states) if (serviceId === id) this.#states.delete(checkId);
    this.#tell();
  }

  follow(ids: readonly string[], heard: (checks: readonly CheckState[]) => void): () => void {
    const tell = () => heard([...this.#states.values()].filter(({ serviceId }) => ids.includes(serviceId)));
    this.#followers.add(tell);
    tell();
    return () => this.#followers.delete(tell);
  }

  /** Every check of the services of that name says this from now on. */
  say(name: string, status: CheckState["status"]): void {
    for (const [id, state] of this.#states) {
      if (this.registered.get(state.serviceId)?.Name === name) this.#states.set(id, { ...state, status });
    }
    this.#tell();
  }

  #tell(): void {
    for (const follower of [...this.#followers]) follower();
  }
}

/** Keys and values that tests write. */
class MemoryConsul implements ConsulPort {
  readonly address = "memory";
  readonly #values = new Map<string, string>();
  readonly #waiting = new Set<() => void>();
  #index = 1;

  put(key: string, value: string): void {
    this.#values.set(key, value);
    this.#index++;
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  async read(source: ConsulSource, { index, signal }: ConsulReadPosition): Promise<ConsulAnswer> {
    if (source.kind !== "key") throw new Error(`no ${source.kind} here`);
    while (index >= this.#index) {
      await new Promise<void>((resolve, reject) => {
        this.#waiting.add(resolve);
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      });
    }
    return { value: this.#values.get(source.key) ?? null, index: this.#index, lastContact: 0 };
  }
}

/** A secrets server: logins by identity, leased database logins, tokens that end. */
class MemoryVault implements VaultHost {
  readonly address = "http://127.0.0.1:8200";
  readonly mount = "jwt-nomad";
  readonly defaultRole = "nomad-workloads";
  readonly alive = new Set<string>();
  readonly story: string[] = [];
  policies: readonly string[] = ["default"];
  isDown = false;
  /** Seconds. */
  leaseDuration = 3600;
  renewable = true;
  #made = 0;

  async login(role: string, identity: string): Promise<Awaited<ReturnType<VaultHost["login"]>>> {
    this.#reach();
    this.#made++;
    const token = `token-${this.#made}`;
    this.alive.add(token);
    this.story.push(`login ${role} ${identity}`);
    return { token, policies: this.policies, leaseDuration: this.leaseDuration, renewable: this.renewable };
  }

  async revoke(token: string): Promise<void> {
    this.#reach();
    this.alive.delete(token);
    this.story.push(`revoke ${token}`);
  }

  as(token: () => string): VaultPort {
    const none: VaultSecret = {
      requestId: "",
      leaseId: "",
      leaseDuration: 0,
      renewable: false,
      data: {},
      warnings: [],
      raw: {},
    };
    const check = () => {
      this.#reach();
      if (!this.alive.has(token())) throw new OperationalError(clientErrors.denied, "permission denied");
    };
    return {
      address: this.address,
      read: async (path) => {
        check();
        this.#made++;
        this.story.push(`read ${path}`);
        return {
          ...none,
          leaseId: `lease-${this.#made}`,
          leaseDuration: 3600,
          renewable: true,
          data: { username: `user-${this.#made}` },
        };
      },
      write: async () => undefined,
      list: async () => undefined,
      mountOf: async () => ({ path: "database/", type: "database", version: "1" }),
      renewLease: async (leaseId, increment) => {
        check();
        this.story.push(`renew ${leaseId}`);
        return { ...none, leaseId, leaseDuration: increment, renewable: true };
      },
      revokeLease: async () => undefined,
      lookupSelf: async () => none,
      renewSelf: async () => {
        check();
        this.story.push(`renew-self ${token()}`);
        const auth = { clientToken: token(), accessor: "", policies: [], tokenPolicies: [], metadata: {} };
        return { ...none, auth: { ...auth, leaseDuration: this.leaseDuration, renewable: true } };
      },
    };
  }

  #reach(): void {
    if (this.isDown) throw new OperationalError(clientErrors.unreachable, `Cannot reach ${this.address}.`);
  }
}

/** A node's allocations, over a folder of its own, with real tasks and a real log process. */
export class AllocationBench {
  readonly folder = mkdtempSync(join(tmpdir(), "millwright-allocations-"));
  readonly services = new MemoryServices();
  readonly consul = new MemoryConsul();
  readonly vault = new MemoryVault();
  readonly reports: AllocationUpdate[] = [];
  readonly lines: string[] = [];
  readonly jobs = new Map<number, Job>();
  allocations!: Allocations;
  logs!: Logs;
  readonly #wanted = new Map<string, NodeAllocation>();

  static async open(): Promise<AllocationBench> {
    const bench = new AllocationBench();
    await bench.reopen();
    return bench;
  }

  /** As an agent that is started, or started anew. */
  async reopen(): Promise<void> {
    const log = {
      write: (level: LogLevel, message: string) => {
        this.lines.push(`${level} ${message}`);
      },
    };
    this.logs = await openLogs(this.folder, { clock: systemClock, log });
    const host: AllocationHost = {
      node: {
        ...{ id: "node-id", name: "node-1", region: "global", datacenter: "dc1", pool: "default", nodeClass: "" },
        address: "127.0.0.1",
        attributes: { "kernel.name": "linux" },
        meta: { rack: "r1" },
      },
      dataFolder: this.folder,
      drivers: new Map([["raw_exec", rawExecDriver({ node: "node-1" })]]),
      logs: this.logs,
      job: async ({ version }) => this.jobs.get(version)!,
      identity: async (allocation, task, name) => ({
        token: `jwt ${allocation} ${task} ${name}`,
        expires: Date.now() + 3_600_000,
      }),
      services: this.services,
      consul: this.consul,
      vault: this.vault,
      environment: { PATH: process.env["PATH"], VAULT_TOKEN: "the agent's own", HOME: "/root" },
      allowsScriptChecks: false,
      report: (update) => this.reports.push(update),
      ...{ clock: systemClock, chance: systemChance, log },
    };
    this.allocations = await openAllocations(host);
  }

  /** The agent ends, its tasks run on. */
  async closeAgent(): Promise<void> {
    await this.allocations.close();
    await this.logs.close();
  }

  /** Has an allocation of this job run. */
  run(job: Job, more: Partial<NodeAllocation> = {}): string {
    const ID = more.ID ?? systemChance.uuid();
    const JobVersion = more.JobVersion ?? this.jobs.size;
    this.jobs.set(JobVersion, job);
    this.want({
      ...{ ID, Namespace: "default", JobID: job.id, JobVersion, TaskGroup: "web", Name: "shop.web[0]", Index: 0 },
      ...{ DesiredStatus: "run", DesiredDescription: "", AllocModifyIndex: 1, ClientStatus: "pending" },
      ...{ Ports: [], Holding: { CPU: 1, Cores: 0, MemoryMB: 1, DiskMB: 1 }, Deployment: null },
      ...{ PreviousAllocation: null, CreateTime: Date.now(), JobSubmitTime: 0 },
      ...more,
    } as NodeAllocation);
    return ID;
  }

  want(wanted: NodeAllocation): void {
    this.#wanted.set(wanted.ID, wanted);
    this.setAgain();
  }

  change(id: string, more: Partial<NodeAllocation>): void {
    this.want({ ...this.#wanted.get(id)!, ...more });
  }

  forget(id: string): void {
    this.#wanted.delete(id);
    this.setAgain();
  }

  setAgain(): void {
    this.allocations.set([...this.#wanted.values()]);
  }

  update(id: string): AllocationUpdate | undefined {
    return this.reports.findLast(({ ID }) => ID === id);
  }

  /** `Started: Task started by client`, of each event. */
  events(id: string, task = "main"): readonly string[] {
    const events = this.update(id)?.TaskStates[task]?.Events ?? [];
    return events.map(({ Type, DisplayMessage }) => `${Type}: ${DisplayMessage}`);
  }

  output(id: string, task = "main", stream = "stdout"): string {
    try {
      return readFileSync(join(this.folder, "alloc", id, "alloc", "logs", `${task}.${stream}.0`), "utf8");
    } catch {
      return "";
    }
  }

  /** Of the task's main process. */
  pidOf(id: string, task = "main"): number {
    const handle = this.allocations.get(id)?.tasks.get(task)?.handle;
    return Number(/^\d+/.exec(String(handle?.saved["task"]))?.[0]);
  }

  path(id: string, ...parts: readonly string[]): string {
    return join(this.folder, "alloc", id, ...parts);
  }

  async close(): Promise<void> {
    await this.allocations.stopAll();
    await this.allocations.collectGarbage();
    await this.allocations.close();
    const { pid } = await this.logs.status();
    await this.logs.close();
    process.kill(pid, "SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function port(Label: string, Value: number, Task: string | null = null): NodePort {
  return { Task, Label, Value, To: 0 };
}
