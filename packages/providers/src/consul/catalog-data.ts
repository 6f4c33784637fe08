import type { ListOptions } from "@millwright/clients/consul-catalog";
import { uses } from "@millwright/provider/call";
import { defineDataSource } from "@millwright/provider/data-source";
import type { ConfigOf } from "@millwright/provider/field-types";
import { blocks, bool, computed, list, map, number, object, optional, string } from "@millwright/provider/fields";
import type { ConsulConnection } from "./connection.ts";
import { durationSeconds } from "./durations.ts";

const nodeOptions = {
  datacenter: optional(string, { description: "The provider's when left out." }),
  allow_stale: optional(bool, { description: "Whether a server that is behind may answer; true when left out." }),
  require_consistent: optional(bool, { description: "Whether the leader has to make sure that it is one." }),
  near: optional(string, { description: "Sorts by the distance from this node." }),
  node_meta: optional(map(string), { description: "Only nodes that have all of these." }),
  partition: optional(string, { description: "Of Consul Enterprise." }),
  token: optional(string, { sensitive: true }),
  wait_index: optional(number, { description: "Answers when something is newer than this index." }),
  wait_time: optional(string, { description: "How long to wait for that, as 10s." }),
};
const serviceOptions = { ...nodeOptions, namespace: optional(string, { description: "Of Consul Enterprise." }) };

/** `data "consul_nodes"`: the nodes of the catalog. */
export const consulNodesData = defineDataSource({
  client: uses<ConsulConnection>(),
  schema: {
    query_options: blocks.set(nodeOptions),
    id: optional(string, { computed: true }),
    datacenter: computed(string),
    node_ids: computed(list(string)),
    node_names: computed(list(string)),
    nodes: computed(
      list(object({ id: string, name: string, address: string, meta: map(string), tagged_addresses: map(string) })),
    ),
  },
  read: async ({ client: connection, config, signal }) => {
    const [said] = config.query_options;
    const options = await readOptions(connection, said && { ...said, namespace: null }, signal);
    const { value } = await connection.client.catalog.nodes(options);
    const nodes = value.map(({ id, node, address, meta, taggedAddresses }) => ({
      ...{ name: node, address, meta, tagged_addresses: taggedAddresses },
      // A node that was registered by hand may have no ID.
      id: id || node,
    }));
    return {
      ...config,
      id: `catalog-nodes-${options.datacenter}`,
      datacenter: options.datacenter,
      node_ids: nodes.map(({ id }) => id),
      node_names: nodes.map(({ name }) => name),
      nodes,
    };
  },
});

/** `data "consul_services"`: the names of all services, with their tags. */
export const consulServicesData = defineDataSource({
  client: uses<ConsulConnection>(),
  schema: {
    query_options: blocks.set(serviceOptions),
    id: optional(string, { computed: true }),
    datacenter: computed(string),
    names: computed(list(string)),
    services: computed(map(string), { description: "The tags of each service, with spaces between." }),
    tags: computed(map(string), { description: "The services that have each tag, with spaces between." }),
  },
  read: async ({ client: connection, config, signal }) => {
    const options = await readOptions(connection, config.query_options[0], signal);
    const { value } = await connection.client.catalog.services(options);
    const names = Object.keys(value).sort();
    const tags = [...new Set(names.flatMap((name) => value[name] ?? []))].sort();
    const having = (tag: string) => names.filter((name) => value[name]?.includes(tag)).join(" ");
    return {
      ...config,
      id: `catalog-services-${options.datacenter}`,
      datacenter: options.datacenter,
      names,
      services: Object.fromEntries(names.map((name) => [name, [...(value[name] ?? [])].sort().join(" ")])),
      tags: Object.fromEntries(tags.map((tag) => [tag, having(tag)])),
    };
  },
});

type QueryOptions = ConfigOf<typeof serviceOptions>;

async function readOptions(connection: ConsulConnection, said: QueryOptions | undefined, signal: AbortSignal) {
  const { datacenter = null, namespace = null, partition = null, token = null } = said ?? {};
  const options = await connection.optionsFor({ datacenter, namespace, partition, token }, signal);
  const wait = said?.wait_time ? durationSeconds(said.wait_time) : undefined;
  const more: ListOptions = {
    consistency: said?.require_consistent ? "consistent" : (said?.allow_stale ?? true) ? "stale" : "default",
    ...(said?.near ? { near: said.near } : {}),
    ...(said?.node_meta ? { nodeMeta: said.node_meta } : {}),
    ...(said?.wait_index ? { index: said.wait_index } : {}),
    ...(wait === undefined ? {} : { wait: wait * 1000 }),
  };
  return { ...options, ...more };
}
