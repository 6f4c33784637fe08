import { randomUUID } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { loopbackCertificate } from "@millwright/x509/loopback";

/** An API server of Kubernetes as far as Secrets and Leases go, on a free loopback port. */
export interface KubeServer {
  readonly address: string;
  /** Who vouches for its certificate, as PEM. */
  readonly authority: string;
  /** What it keeps, by path such as `/api/v1/namespaces/default/secrets/NAME`. */
  readonly kept: Map<string, KubeObject>;
  /** Whoever asks must send it as a bearer's. */
  token: string;
  /** A kubeconfig file with all that. */
  readonly kubeconfig: string;
  /** What was asked, such as `GET /api/v1/namespaces/default/secrets/NAME`. */
  readonly asked: string[];
  /** Statuses that the next calls are answered with, in that order. */
  readonly failures: number[];
  stop(): Promise<void>;
}

export interface KubeObject {
  readonly metadata: {
    readonly name: string;
    readonly resourceVersion?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly data?: Readonly<Record<string, string>>;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** The largest Secret; its values are counted decoded. */
const largestSecret = 1024 * 1024;

export async function startKubeServer(token = randomUUID()): Promise<KubeServer> {
  const kept = new Map<string, KubeObject>();
  const asked: string[] = [];
  const failures: number[] = [];
  const objects = new Objects(kept);
  const { certificate, privateKey } = await loopbackCertificate(Date.now());
  const authority = certificate.toString();
  const key = privateKey.export({ format: "pem", type: "pkcs8" });
  const server = createServer({ cert: authority, key }, async (request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const failed = failures.shift();
    const isKnown = request.headers.authorization === `Bearer ${kube.token}`;
    const { status, body } = failed
      ? failure(failed, "TooManyRequests", "try again later")
      : isKnown
        ? objects.answer(request, Buffer.concat(chunks))
        : failure(401, "Unauthorized", "Unauthorized");
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const kube: KubeServer = {
    address,
    authority,
    kubeconfig: kubeconfigOf(address, authority, token),
    kept,
    token,
    asked,
    failures,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return kube;
}

function kubeconfigOf(server: string, authority: string, token: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "here",
    clusters: [
      {
        name: "here",
        cluster: { server, "certificate-authority-data": Buffer.from(authority).toString("base64") },
      },
    ],
    users: [{ name: "me", user: { token } }],
    contexts: [{ name: "here", context: { cluster: "here", user: "me" } }],
  });
}

const types: Readonly<Record<string, { readonly apiVersion: string; readonly kind: string }>> = {
  secrets: { apiVersion: "v1", kind: "Secret" },
  leases: { apiVersion: "coordination.k8s.io/v1", kind: "Lease" },
};

class Objects {
  readonly #kept: Map<string, KubeObject>;
  #version = 0;

  constructor(kept: Map<string, KubeObject>) {
    this.#kept = kept;
  }

  answer(request: IncomingMessage, body: Buffer): Answer {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
    const parts =
      /^(\/(?:api\/v1|apis\/coordination\.k8s\.io\/v1)\/namespaces\/[^/]+\/(secrets|leases))(?:\/([^/]+))?$/.exec(
        pathname,
      );
    if (!parts) return failure(404, "NotFound", `there is no ${pathname}`);
    const [, collection = "", kind = "", name] = parts;
    if (name !== undefined) return this.#one(request.method ?? "", pathname, { kind, name, body });
    if (request.method === "GET") return this.#list(collection, searchParams.get("labelSelector") ?? "");
    const made = JSON.parse(body.toString()) as KubeObject;
    const path = `${collection}/${made.metadata.name}`;
    if (this.#kept.has(path)) return failure(409, "AlreadyExists", `${kind} "${made.metadata.name}" already exists`);
    return this.#put(path, kind, made, 201);
  }

  #one(method: string, path: string, { kind, name, body }: { kind: string; name: string; body: Buffer }): Answer {
    const object = this.#kept.get(path);
    if (!object) return failure(404, "NotFound", `${kind} "${name}" not found`);
    if (method === "GET") return { status: 200, body: object };
    if (method === "DELETE") {
      this.#kept.delete(path);
      return { status: 200, body: { kind: "Status", status: "Success" } };
    }
    const next = JSON.parse(body.toString()) as KubeObject;
    const expected = next.metadata.resourceVersion;
    if (expected !== undefined && expected !== object.metadata.resourceVersion)
      return failure(409, "Conflict", `the object has been modified; please apply your changes to the latest version`);
    return this.#put(path, kind, next, 200);
  }

  #put(path: string, kind: string, object: KubeObject, status: number): Answer {
    const size = Object.values(object.data ?? {}).reduce((sum, text) => sum + Buffer.from(text, "base64").length, 0);
    if (kind === "secrets" && size > largestSecret) return failure(422, "Invalid", `Too long: ${size} bytes`);
    const stored = {
      ...types[kind],
      ...object,
      metadata: { ...object.metadata, resourceVersion: String(++this.#version) },
    };
    this.#kept.set(path, stored);
    return { status, body: stored };
  }

  #list(collection: string, selector: string): Answer {
    const wanted = selector.split(",").filter((one) => one !== "");
    const items = [...this.#kept].filter(([path, { metadata }]) => {
      const labels = Object.entries(metadata.labels ?? {}).map(([key, value]) => `${key}=${value}`);
      return path.startsWith(`${collection}/`) && wanted.every((one) => labels.includes(one));
    });
    const { apiVersion, kind } = types[collection.slice(collection.lastIndexOf("/") + 1)]!;
    return { status: 200, body: { apiVersion, kind: `${kind}List`, metadata: {}, items: items.map(([, one]) => one) } };
  }
}

function failure(code: number, reason: string, message: string): Answer {
  return { status: code, body: { kind: "Status", apiVersion: "v1", status: "Failure", code, reason, message } };
}
