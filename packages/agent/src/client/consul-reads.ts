import type { ConsulClient } from "@millwright/clients/consul";
import { consulPort } from "@millwright/render/consul-port";
import type { ConsulPort } from "@millwright/render/servers";

/**
 * What templates of tasks read of discovery, through the node's own way to the servers. `token` is shown with each read: the one
 * that the operator has given for templates, else the node's.
 */
export function consulReads(options: {
  readonly node: { call<T>(read: (client: ConsulClient) => Promise<T>): Promise<T> };
  readonly nodeName: string;
  readonly token: () => string;
}): ConsulPort {
  const { node, nodeName, token } = options;
  return {
    address: "this node's servers",
    read: (source, position) => {
      // A server would take itself for the node that is meant.
      const meant = source.kind === "node" && source.name === undefined ? { ...source, name: nodeName } : source;
      return node.call((client) => consulPort(client, token).read(meant, position));
    },
  };
}
