import { forward } from "@millwright/clients/forward";
import { HttpConnections } from "@millwright/clients/http";
import type {
  AllocationUpdate,
  AllocationUpdates,
  IdentityRequest,
  NodeAllocation,
  NodeRegistration,
} from "@millwright/clients/nomad-node-protocol";
import { targetOf } from "@millwright/clients/target";
import type { HttpReply, HttpRequest } from "@millwright/core/http";
import { jsonReply, textReply } from "@millwright/core/http-reply";
import { silentLog, systemChance, systemClock } from "@millwright/core/ports";
import { formatAddress, type Listener, listen } from "@millwright/daemon/listener";
import { toApi } from "@millwright/jobs/api";
import type { Job } from "@millwright/jobs/job";

/** A server of jobs that does what the test says: the node seam over HTTP, and requests about allocations sent on to their node. */
export class FakeOrchestrator {
  readonly registrations: NodeRegistration[] = [];
  /** The newest of each allocation. */
  readonly updates = new Map<string, AllocationUpdate>();
  /** `METHOD /path` of each request. */
  readonly requests: string[] = [];
  /** Path and query of each request that is not the seam's. */
  readonly asked: string[] = [];
  /** How many updates came in each request. */
  readonly batches: number[] = [];
  readonly identities: IdentityRequest[] = [];
  /** Ids of allocations whose updates are refused. */
  readonly refused = new Set<string>();
  readonly #jobs = new Map<string, Job>();
  readonly #wanted = new Map<string, NodeAllocation>();
  readonly #waiting = new Set<() => void>();
  #isKnown = false;
  #index = 10;
  #port = 0;
  #listener: Listener | undefined;

  static async open(): Promise<FakeOrchestrator> {
    const one = new FakeOrchestrator();
    await one.start();
    return one;
  }

  get address(): string {
    return formatAddress({ kind: "tcp", host: "127.0.0.1", port: this.#port });
  }

  async start(): Promise<void> {
    this.#listener = await listen({
      address: { kind: "tcp", host: "127.0.0.1", port: this.#port },
      service: (request) => this.#answer(request),
      clock: systemClock,
      log: silentLog,
      requestId: () => systemChance.uuid(),
    });
    if (this.#listener.address.kind === "tcp") this.#port = this.#listener.address.port;
  }

  /** Cuts all connections; what it knows stays. */
  async stop(): Promise<void> {
    this.#wake();
    await this.#listener?.close(0);
    this.#listener = undefined;
  }

  /** Has lost the node's registration. */
  forget(): void {
    this.#isKnown = false;
    this.#wake();
  }

  /** Places an allocation of a job on the node. */
  run(job: Job, more: Partial<NodeAllocation> = {}): string {
    const id = more.ID ?? systemChance.uuid();
    const version = more.JobVersion ?? this.#jobs.size;
    this.#jobs.set(`${job.namespace}/${job.id}/${version}`, job);
    const group = job.groups[0]?.name ?? "";
    this.#wanted.set(id, {
      ID: id,
      Namespace: job.namespace,
      JobID: job.id,
      JobVersion: version,
      JobSubmitTime: 0,
      TaskGroup: group,
      Name: `${job.id}.${group}[0]`,
      Index: 0,
      DesiredStatus: "run",
      DesiredDescription: "",
      AllocModifyIndex: ++this.#index,
      ClientStatus: "pending",
      Ports: [],
      Holding: { CPU: 100, Cores: 0, MemoryMB: 64, DiskMB: 10 },
      Deployment: null,
      PreviousAllocation: null,
      CreateTime: systemClock.now(),
      ...more,
    });
    this.#wake();
    return id;
  }

  desire(id: string, status: NodeAllocation["DesiredStatus"]): void {
    const wanted = this.#wanted.get(id);
    if (wanted) this.#wanted.set(id, { ...wanted, DesiredStatus: status, AllocModifyIndex: ++this.#index });
    this.#wake();
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
    this.#waiting.clear();
  }

  async #answer(request: HttpRequest): Promise<HttpReply> {
    const { method, path, query } = request;
    this.requests.push(`${method} ${path}`);
    const name = path.replace("/v1/millwright/node/", "");
    if (name === path) return this.#api(request);
    if (request.header("x-nomad-token") === undefined) return textReply(403, "Permission denied");
    if (name === "register") {
      this.registrations.push((await jsonOf(request)) as NodeRegistration);
      this.#isKnown = true;
      return jsonReply({ Region: "apac", Datacenter: "dc1" }, false);
    }
    if (!this.#isKnown) return textReply(404, "The node is not registered: it registers, and asks again.");
    if (name === "allocations") return this.#allocations(Number(query.get("index")), request.signal);
    if (name === "updates") return this.#update((await jsonOf(request)) as AllocationUpdates);
    if (name === "identity") {
      this.identities.push((await jsonOf(request)) as IdentityRequest);
      return jsonReply({ Token: "header.claims.signature", Expires: systemClock.now() + 3_600_000 }, false);
    }
    const job = this.#jobs.get(`${query.get("namespace")}/${query.get("job")}/${query.get("version")}`);
    return job ? jsonReply(toApi(job), false) : textReply(404, "There is no such version of the job.");
  }

  async #allocations(index: number, signal: AbortSignal): Promise<HttpReply> {
    if (index >= this.#index)
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
    if (!this.#isKnown) return textReply(404, "The node is not registered: it registers, and asks again.");
    const headers = { "x-nomad-index": String(this.#index) };
    return jsonReply({ Allocations: [...this.#wanted.values()] }, false, 200, headers);
  }

  #update({ Updates }: AllocationUpdates): HttpReply {
    this.batches.push(Updates.length);
    const bad = Updates.find(({ ID }) => this.refused.has(ID));
    if (bad) return textReply(400, `The allocation ${bad.ID} cannot be that.`);
    for (const update of Updates) {
      this.updates.set(update.ID, update);
      const wanted = this.#wanted.get(update.ID);
      if (wanted) this.#wanted.set(update.ID, { ...wanted, ClientStatus: update.ClientStatus });
    }
    return jsonReply({}, false);
  }

  // As a server does: what is about the node's own goes there, with its key in place of the caller's token.
  async #api(request: HttpRequest): Promise<HttpReply> {
    this.asked.push(`${request.path}?${request.query.toString()}`);
    const node = this.registrations.at(-1);
    if (!request.path.startsWith("/v1/client/") || !node) return jsonReply({ asked: request.path }, false);
    const target = new HttpConnections(targetOf({ address: node.HTTPAddress }, "test"));
    return forward({ target, request, headers: { authorization: `Bearer ${node.Key}`, "x-nomad-token": "" } });
  }
}

async function jsonOf(request: HttpRequest): Promise<unknown> {
  const pieces: Uint8Array[] = [];
  for await (const piece of request.body()) pieces.push(piece);
  return JSON.parse(Buffer.concat(pieces).toString());
}
