import type { CatalogNode } from "@millwright/clients/consul-catalog";
import { uses } from "@millwright/provider/call";
import type { StateOf } from "@millwright/provider/field-types";
import { map, optional, required, string } from "@millwright/provider/fields";
import { failure } from "@millwright/provider/problem";
import { defineResource } from "@millwright/provider/resource";
import type { ConsulConnection } from "./connection.ts";
import { whereFields } from "./fields.ts";

const { namespace: _, ...where } = whereFields;

const fields = {
  ...where,
  name: required(string, { replaceOnChange: true }),
  address: required(string, { replaceOnChange: true }),
  meta: optional(map(string)),
  id: optional(string, { computed: true, stable: true }),
};

type State = StateOf<typeof fields>;
type Place = Omit<State, "id" | "address" | "meta" | "datacenter"> & { readonly datacenter: string | null | undefined };

/** `consul_node`: a machine in the catalog that runs no agent of its own. Its end takes its services along. */
export const consulNode = defineResource({
  client: uses<ConsulConnection>(),
  typeSystem: "legacy",
  schema: fields,
  create: ({ client: connection, plan, signal }) => write(connection, plan, signal),
  read: async ({ client: connection, state, signal }) => {
    const found = await look(connection, state, signal);
    return found && { ...state, ...found };
  },
  update: ({ client: connection, plan, signal }) => write(connection, plan, signal),
  delete: async ({ client: connection, state, signal }) => {
    const options = await connection.optionsFor({ namespace: null, ...state }, signal);
    await connection.client.catalog.deregister({ node: state.name }, options);
  },
  import: async ({ client: connection, id, signal }) => {
    const place = { name: id, partition: null, token: null, datacenter: null };
    const found = await look(connection, { ...place, meta: null }, signal);
    if (!found) throw failure("No such node", `There is no node ${JSON.stringify(id)} in the catalog.`);
    return { ...place, ...found, id: idOf(id, found.address) };
  },
  interrupted: async ({ client: connection, sent, signal }) => {
    const { name, partition, token, datacenter } = sent;
    if (name === null) throw failure("The name is not known", "A node is found by its name, which was not kept.");
    const found = await look(connection, { name, partition, token, datacenter, meta: null }, signal);
    return found && { name, partition, token, ...found, id: idOf(name, found.address) };
  },
});

function idOf(name: string, address: string): string {
  return `${name}-${address}`;
}

async function write(connection: ConsulConnection, plan: Place & Pick<State, "address" | "meta">, signal: AbortSignal) {
  const options = await connection.optionsFor({ namespace: null, ...plan }, signal);
  const { name, address, meta } = plan;
  await connection.client.catalog.register({ node: name, address, nodeMeta: meta ?? {} }, options);
  return { ...plan, id: idOf(name, address), datacenter: options.datacenter };
}

/** What is there under the name now; null where nothing is. */
async function look(connection: ConsulConnection, place: Place & Pick<State, "meta">, signal: AbortSignal) {
  const options = await connection.optionsFor({ namespace: null, ...place }, signal);
  const { value } = await connection.client.catalog.node(place.name, options);
  return value ? { ...told(value.node, place.meta), datacenter: options.datacenter } : null;
}

// No meta and an empty one are the same: it stays as it was written.
function told({ address, meta }: CatalogNode, before: State["meta"]): Pick<State, "address" | "meta"> {
  return { address, meta: Object.keys(meta).length === 0 && before === null ? null : meta };
}
