import type { NodeRegistration } from "@millwright/clients/nomad-node-protocol";
import { clientErrors } from "@millwright/clients/errors";
import { forward } from "@millwright/clients/forward";
import { HttpConnections } from "@millwright/clients/http";
import { targetOf } from "@millwright/clients/target";
import { isKind, messageOf, OperationalError } from "@millwright/core/errors";
import type { HttpReply, HttpRequest } from "@millwright/core/http";
import { orchestratorErrors } from "../errors.ts";

/** Passes requests on to nodes, which answer servers alone: with the key that each gave when it registered. */
export class NodeForwarder {
  readonly #connections = new Map<string, HttpConnections>();

  /** The node's answer, piece by piece as it comes. Rejects with `nodeUnreachable`. */
  async send(node: NodeRegistration, request: HttpRequest): Promise<HttpReply> {
    try {
      const { headers, ...reply } = await forward({
        target: this.#connectionsTo(node.HTTPAddress),
        request,
        // The user's token is for servers: a node has no use for it.
        headers: { authorization: `Bearer ${node.Key}`, "x-nomad-token": "" },
      });
      // What somebody follows goes out as it comes: compressed, a line would wait for others.
      return { ...reply, headers: { "content-encoding": "identity", ...headers } };
    } catch (error) {
      if (!isKind(error, clientErrors.unreachable) && !isKind(error, clientErrors.broken)) throw error;
      const text = `No path to node "${node.Name}" (${node.ID}): ${messageOf(error)}`;
      throw new OperationalError(orchestratorErrors.nodeUnreachable, text, { cause: error });
    }
  }

  /** Ends all connections, also those with an answer on them. */
  async close(): Promise<void> {
    await Promise.all([...this.#connections.values()].map((one) => one.close()));
    this.#connections.clear();
  }

  #connectionsTo(address: string): HttpConnections {
    const known = this.#connections.get(address);
    if (known) return known;
    const made = new HttpConnections(targetOf({ address: `http://${address}` }, "the node's address"));
    this.#connections.set(address, made);
    return made;
  }
}
