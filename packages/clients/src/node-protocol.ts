import { type CallOptions, type ConsulApi, badAnswer, jsonOf } from "./consul-api.ts";
import type { HttpAnswer } from "./http.ts";
import { WireObject } from "./consul-wire.ts";

/** A node that asks to become part of a datacenter. */
export interface JoinRequest {
  readonly joinToken: string;
  readonly node: string;
  /** The node's UUID, which stays with its data folder. */
  readonly id: string;
  readonly address: string;
  readonly datacenter?: string;
  readonly meta?: Readonly<Record<string, string>>;
  readonly taggedAddresses?: Readonly<Record<string, string>>;
}

export type JoinOutcome =
  /** `nodeToken` is secret: what the node shows from then on. */
  | {
      readonly kind: "joined";
      readonly nodeToken: string;
      readonly datacenter: string;
      readonly livenessMilliseconds: number;
    }
  | { readonly kind: "wrong-join-token"; readonly said: string }
  /** Another node that is alive has this name. */
  | { readonly kind: "name-taken"; readonly said: string };

export type LivenessOutcome =
  | {
      readonly kind: "alive";
      readonly livenessMilliseconds: number;
      /** False where somebody took the node out of the catalog: it should register again. */
      readonly known: boolean;
      /** How many nodes the catalog has. */
      readonly nodes: number;
    }
  /** The server does not know the token: the node has to join again. */
  | { readonly kind: "unknown-token"; readonly said: string };

/** The nodes that have joined and were not forgotten, and a name for just this list. */
export interface JoinedNodes {
  readonly version: string;
  readonly nodes: readonly { readonly name: string; readonly id: string; readonly isAlive: boolean }[];
}

/** What a node says to a server beside Consul's own API: `/v1/millwright`, our own seam (`docs/node-protocol.md`). */
export class NodeProtocol {
  readonly #api: ConsulApi;

  constructor(api: ConsulApi) {
    this.#api = api;
  }

  /** Asks for an identity. A node that has joined before with the same id may do so again. */
  async join(request: JoinRequest, options: CallOptions = {}): Promise<JoinOutcome> {
    const { joinToken, node, id, address, datacenter, meta, taggedAddresses } = request;
    const body = {
      JoinToken: joinToken,
      Node: node,
      ID: id,
      Address: address,
      Datacenter: datacenter,
      Meta: meta,
      TaggedAddresses: taggedAddresses,
    };
    const answer = await this.#put("/v1/millwright/join", body, options, [403, 409]);
    if (answer.status === 403) return { kind: "wrong-join-token", said: await textOf(answer) };
    if (answer.status === 409) return { kind: "name-taken", said: await textOf(answer) };
    const wire = new WireObject(await jsonOf(answer, "joining"), "joining");
    const nodeToken = wire.text("NodeToken");
    if (nodeToken === "") throw badAnswer("joining", "its answer has no NodeToken");
    const livenessMilliseconds = seconds(wire.text("LivenessTTL"), "joining");
    return { kind: "joined", nodeToken, datacenter: wire.text("Datacenter"), livenessMilliseconds };
  }

  /** Says that the node lives; to be said again well before the time it answers is over. Needs the node's token. */
  async liveness(
    { node, id }: { readonly node: string; readonly id: string },
    options: CallOptions = {},
  ): Promise<LivenessOutcome> {
    const answer = await this.#put("/v1/millwright/liveness", { Node: node, ID: id }, options, [403]);
    if (answer.status === 403) return { kind: "unknown-token", said: await textOf(answer) };
    const wire = new WireObject(await jsonOf(answer, "renewing liveness"), "renewing liveness");
    const livenessMilliseconds = seconds(wire.text("TTL"), "renewing liveness");
    return { kind: "alive", livenessMilliseconds, known: wire.flag("Known"), nodes: wire.number("Nodes") };
  }

  /** Which node has this token; undefined for a token that is no node's. */
  async whoAmI(options: CallOptions): Promise<{ readonly node: string; readonly id: string } | undefined> {
    const request = { method: "GET", path: "/v1/millwright/whoami", options, repeatable: true, accept: [403] } as const;
    const answer = await this.#api.request(request);
    if (answer.status === 403) {
      await answer.bytes();
      return undefined;
    }
    const wire = new WireObject(await jsonOf(answer, "asking who a node is"), "asking who a node is");
    return { node: wire.text("Node"), id: wire.text("ID") };
  }

  /** The nodes that have joined; waits for another list than that of `version`, for a minute at most. */
  async nodes(version: string, options: CallOptions = {}): Promise<JoinedNodes> {
    const query = version === "" ? {} : { version };
    const path = "/v1/millwright/nodes";
    const what = "listing the nodes";
    const answer = await this.#api.request({ method: "GET", path, query, options, repeatable: true });
    const wire = new WireObject(await jsonOf(answer, what), what);
    const nodes = wire.objects("Nodes").map((node) => {
      return { name: node.text("Node"), id: node.text("ID"), isAlive: node.flag("Alive") };
    });
    return { version: wire.text("Version"), nodes };
  }

  #put(path: string, body: object, options: CallOptions, accept: readonly number[]): Promise<HttpAnswer> {
    const bytes = Buffer.from(JSON.stringify(body));
    return this.#api.request({ method: "PUT", path, body: bytes, options, repeatable: true, accept });
  }
}

async function textOf(answer: HttpAnswer): Promise<string> {
  return new TextDecoder().decode(await answer.bytes()).trim();
}

function seconds(text: string, what: string): number {
  const number = /^(\d+)s$/.exec(text)?.[1];
  if (number === undefined)
    throw badAnswer(what, `its answer's time is ${JSON.stringify(text)}, not whole seconds as "10s"`);
  return Number(number) * 1000;
}
