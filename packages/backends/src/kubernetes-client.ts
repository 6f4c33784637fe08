import { OperationalError } from "@millwright/core/errors";
import { HttpConnections } from "@millwright/clients/http";
import { targetOf } from "@millwright/clients/target";
import type { BackendPorts } from "./backend-type.ts";
import { isText, recordOf, recordsIn } from "./kubeconfig.ts";
import { findAccess, type KubeAccess } from "./kubernetes-access.ts";
import type { Settings } from "./settings.ts";
import { StorageFailure } from "./storage-failure.ts";

/** An object as the API has it, as far as it is looked at here; all else of it is kept. */
export interface KubeObject {
  readonly metadata: {
    readonly name: string;
    readonly resourceVersion?: string | null;
    readonly labels?: Readonly<Record<string, string>> | null;
    readonly annotations?: Readonly<Record<string, string>> | null;
  };
  readonly data?: Readonly<Record<string, string>> | null;
  readonly spec?: Readonly<Record<string, unknown>> | null;
}

export type KubeKind = keyof typeof kinds;

/** Where each kind is, and what it is called in an object. */
const kinds = {
  secrets: { group: "/api/v1", apiVersion: "v1", kind: "Secret" },
  leases: { group: "/apis/coordination.k8s.io/v1", apiVersion: "coordination.k8s.io/v1", kind: "Lease" },
} as const;

interface KubeRequest {
  readonly body?: unknown;
  /** Statuses that are answers as well. */
  readonly accept?: readonly number[];
  readonly signal?: AbortSignal | undefined;
}

interface Opened {
  readonly access: KubeAccess;
  readonly connections: HttpConnections;
}

interface KubeAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** How often a call is made again that may succeed later. */
const mostRetries = 4;

/** The calls of the Kubernetes API that a state needs, on the objects of one namespace. */
export class KubeClient {
  readonly #settings: Settings;
  readonly #ports: BackendPorts;
  /** The last one is used. */
  readonly #opens: Promise<Opened>[] = [];
  /** When the last one's credentials are over; milliseconds since 1970. */
  #until = 0;

  constructor(settings: Settings, ports: BackendPorts) {
    this.#settings = settings;
    this.#ports = ports;
  }

  get namespace(): string {
    return this.#settings.text("namespace") ?? "default";
  }

  /** Undefined where there is none of that name. */
  async get(kind: KubeKind, name: string, signal?: AbortSignal): Promise<KubeObject | undefined> {
    const { status, body } = await this.#ask("GET", `${this.#path(kind)}/${name}`, { accept: [404], signal });
    return status === 404 ? undefined : objectIn(body);
  }

  /** All that have these labels, in pages. */
  async list(
    kind: KubeKind,
    labels: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): Promise<readonly KubeObject[]> {
    const selector = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
    const found: KubeObject[] = [];
    for (let next: string | undefined; ; ) {
      const query = new URLSearchParams({ labelSelector: selector.join(","), ...(next ? { continue: next } : {}) });
      const { body } = await this.#ask("GET", `${this.#path(kind)}?${query}`, { signal });
      found.push(...recordsIn(body["items"]).map(objectIn));
      const more = recordOf(body["metadata"])?.["continue"];
      if (!isText(more)) return found;
      next = more;
    }
  }

  /** Whether it was made: not where one of that name is there already. */
  async create(kind: KubeKind, object: KubeObject, signal?: AbortSignal): Promise<boolean> {
    const { apiVersion, kind: name } = kinds[kind];
    const request = { body: { apiVersion, kind: name, ...object }, accept: [409], signal };
    return (await this.#ask("POST", this.#path(kind), request)).status !== 409;
  }

  /** Whether it was written: not where it has changed since it was read. */
  async update(kind: KubeKind, object: KubeObject, signal?: AbortSignal): Promise<boolean> {
    const request = { body: object, accept: [409, 404], signal };
    const { status } = await this.#ask("PUT", `${this.#path(kind)}/${object.metadata.name}`, request);
    return status < 300;
  }

  async delete(kind: KubeKind, name: string): Promise<void> {
    await this.#ask("DELETE", `${this.#path(kind)}/${name}`, { accept: [404] });
  }

  async close(): Promise<void> {
    for (const open of this.#opens) await (await open.catch(() => undefined))?.connections.close();
  }

  #path(kind: KubeKind): string {
    return `${kinds[kind].group}/namespaces/${encodeURIComponent(this.namespace)}/${kind}`;
  }

  // An object is sent with the version that it was read at: what was carried out already is refused the second time.
  async #ask(method: string, path: string, request: KubeRequest): Promise<KubeAnswer> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#send(method, path, request);
      } catch (error) {
        // Others may have made the credentials void, such as that of a pod, and put new ones in their place.
        const isUnknown = error instanceof StorageFailure && error.status === 401 && attempt === 0;
        if (isUnknown) this.#until = 0;
        const isBusy = error instanceof StorageFailure && [429, 500, 502, 503, 504].includes(error.status);
        const mayPass = isUnknown || isBusy || (error instanceof OperationalError && error.kind.retryable);
        if (!mayPass || attempt === mostRetries) throw error;
      }
      await this.#ports.clock.sleep(200 * 2 ** attempt, request.signal);
    }
  }

  async #send(method: string, path: string, request: KubeRequest): Promise<KubeAnswer> {
    const { access, connections } = await this.#opened();
    const { signal, accept = [] } = request;
    const answer = await connections.send({
      method,
      path,
      headers: {
        accept: "application/json",
        "user-agent": "millwright",
        ...(access.authorization === undefined ? {} : { authorization: access.authorization }),
        ...(request.body === undefined ? {} : { "content-type": "application/json" }),
      },
      timeoutMilliseconds: 60_000,
      ...(request.body === undefined ? {} : { body: Buffer.from(JSON.stringify(request.body)) }),
      ...(signal ? { signal } : {}),
    });
    const body = recordOf(parsed(Buffer.from(await answer.bytes()).toString("utf8"))) ?? {};
    if (answer.status < 300 || accept.includes(answer.status)) return { status: answer.status, body };
    throw failure(answer.status, body, connections.address);
  }

  // Credentials that have run out are asked for anew; calls with the old ones may still be under way.
  #opened(): Promise<Opened> {
    const last = this.#opens.at(-1);
    if (last && this.#ports.clock.now() < this.#until) return last;
    this.#until = Number.POSITIVE_INFINITY;
    const next = this.#connect();
    // Whoever waits for it is told; the next call tries again.
    next.catch(() => (this.#until = 0));
    this.#opens.push(next);
    return next;
  }

  async #connect(): Promise<Opened> {
    const access = await findAccess(this.#settings, this.#ports);
    this.#until = access.expires ?? Number.POSITIVE_INFINITY;
    const target = targetOf({ address: access.server }, 'host of backend "kubernetes", or server of its kubeconfig');
    return {
      access,
      connections: new HttpConnections(target.scheme === "https" ? { ...target, tls: access.tls } : target),
    };
  }
}

function objectIn(value: Readonly<Record<string, unknown>>): KubeObject {
  if (isObject(value)) return value;
  throw new StorageFailure(502, "its API answered with something that is no object of Kubernetes");
}

function isObject(value: unknown): value is KubeObject {
  const { metadata, data, spec } = recordOf(value) ?? {};
  const { name, resourceVersion, labels, annotations } = recordOf(metadata) ?? {};
  const isAbsent = (part: unknown) => part === undefined || part === null;
  const hasTexts = (part: unknown) => isAbsent(part) || Object.values(recordOf(part) ?? { "": 0 }).every(isString);
  return (
    isText(name) &&
    (isAbsent(resourceVersion) || isString(resourceVersion)) &&
    [labels, annotations, data].every(hasTexts) &&
    (isAbsent(spec) || recordOf(spec) !== undefined)
  );
}

function isString(value: unknown): value is string {
  return typeof value === "string";
}

function failure(status: number, body: Readonly<Record<string, unknown>>, address: string): StorageFailure {
  const said = isText(body["message"]) ? `: ${body["message"]}` : "";
  const advice =
    status === 401
      ? " Look at the credentials."
      : status === 403
        ? " The user needs the verbs get, list, create, update and delete on secrets and leases in that namespace."
        : "";
  return new StorageFailure(status, `${address} answered ${status}${said}.${advice}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What is no JSON comes from something in front of the API server; its status says enough.
    return undefined;
  }
}
