import type { CatalogNode, ListOptions } from "@millwright/clients/consul-catalog";
import { clientFlags, failureText, openClient } from "../commands/kv-client.ts";
import type { FlagTable, FlagValues } from "../flags.ts";
import type { CommandIo } from "../io.ts";
import { refuse, type ServiceCommand } from "./command.ts";
import { columns, mapCell } from "../views/columns.ts";

/** `catalog datacenters`. */
export const datacentersCommand: ServiceCommand<typeof clientFlags> = {
  usage: "catalog datacenters [flags]",
  about: "Shows the datacenters that are known, a line each.",
  examples: ["catalog datacenters"],
  flags: clientFlags,
  run: async ({ values, args, io }) => {
    if (args.length > 0) return refuse(io, `Too many arguments (expected 0, got ${args.length})`);
    const client = openClient(values, io);
    try {
      const names = await client.catalog.datacenters({ signal: io.signal });
      await io.stdout(names.map((name) => `${name}\n`).join(""));
      return 0;
    } catch (error) {
      return refuse(io, `Error listing datacenters: ${failureText(error)}`);
    } finally {
      await client.close();
    }
  },
};

const narrowing = {
  "node-meta": {
    kind: "strings",
    value: "KEY=VALUE",
    help: "Only nodes whose meta data has it; may be given several times.",
  },
  filter: { kind: "string", value: "EXPRESSION", help: 'Only those for which it holds, as: Meta.env == "qa".' },
} as const satisfies FlagTable;

const nodesFlags = {
  detailed: { kind: "bool", help: "Show whole ids, all addresses and meta data." },
  near: { kind: "string", value: "NODE", help: "Sort by the distance to this node; _agent is the one that is asked." },
  service: { kind: "string", value: "NAME", help: "Only nodes that have this service." },
  ...narrowing,
  ...clientFlags,
} as const satisfies FlagTable;

/** `catalog nodes`. */
export const nodesCommand: ServiceCommand<typeof nodesFlags> = {
  usage: "catalog nodes [flags]",
  about: "Shows the nodes of the catalog.",
  examples: ["catalog nodes", "catalog nodes -service=web -detailed"],
  flags: nodesFlags,
  run: async ({ values, args, io }) => {
    if (args.length > 0) return refuse(io, `Too many arguments (expected 0, got ${args.length})`);
    const client = openClient(values, io);
    try {
      const options = { ...listOptions(values, io), ...(values.near ? { near: values.near } : {}) };
      const nodes = values.service
        ? (await client.catalog.service(values.service, options)).value.map(({ node }) => node)
        : (await client.catalog.nodes(options)).value;
      const shown = [...new Map(nodes.map((node) => [node.node, node])).values()];
      if (shown.length === 0) return await nothing(io, "nodes");
      await io.stdout(columns(values.detailed ? detailed(shown) : standard(shown)));
      return 0;
    } catch (error) {
      return refuse(io, `Error listing nodes: ${failureText(error)}`);
    } finally {
      await client.close();
    }
  },
};

function standard(nodes: readonly CatalogNode[]): readonly string[][] {
  const rows = nodes.map(({ node, id, address, datacenter }) => [node, id.slice(0, 8), address, datacenter]);
  return [["Node", "ID", "Address", "DC"], ...rows];
}

function detailed(nodes: readonly CatalogNode[]): readonly string[][] {
  const rows = nodes.map(({ node, id, address, datacenter, taggedAddresses, meta }) => {
    return [node, id, address, datacenter, mapCell(taggedAddresses, ", "), mapCell(meta, ", ")];
  });
  return [["Node", "ID", "Address", "DC", "TaggedAddresses", "Meta"], ...rows];
}

const servicesFlags = {
  tags: { kind: "bool", help: "Show each service's tags." },
  node: { kind: "string", value: "NODE", help: "Only services on this node." },
  ...narrowing,
  ...clientFlags,
} as const satisfies FlagTable;

/** `catalog services`. */
export const servicesCommand: ServiceCommand<typeof servicesFlags> = {
  usage: "catalog services [flags]",
  about: "Shows the names of the services of the catalog.",
  examples: ["catalog services", "catalog services -tags"],
  flags: servicesFlags,
  run: async ({ values, args, io }) => {
    if (args.length > 0) return refuse(io, `Too many arguments (expected 0, got ${args.length})`);
    const client = openClient(values, io);
    try {
      const options = listOptions(values, io);
      let services: Readonly<Record<string, readonly string[]>>;
      if (values.node) {
        const { value } = await client.catalog.node(values.node, options);
        services = Object.fromEntries((value?.services ?? []).map(({ service, tags }) => [service, tags]));
      } else services = (await client.catalog.services(options)).value;
      const names = Object.keys(services).sort();
      if (names.length === 0) return await nothing(io, "services");
      const rows = names.map((name) => [name, [...(services[name] ?? [])].sort().join(",")]);
      await io.stdout(values.tags ? columns(rows) : names.map((name) => `${name}\n`).join(""));
      return 0;
    } catch (error) {
      return refuse(io, `Error listing services: ${failureText(error)}`);
    } finally {
      await client.close();
    }
  },
};

// No failure: what was asked for is an empty list.
async function nothing(io: CommandIo, what: "nodes" | "services"): Promise<0> {
  await io.stderr(`No ${what} match the given query - try expanding your search.\n`);
  return 0;
}

function listOptions(values: FlagValues<typeof narrowing & typeof clientFlags>, io: CommandIo): ListOptions {
  const meta = values["node-meta"].map((text) => {
    const at = text.indexOf("=");
    return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
  });
  return {
    signal: io.signal,
    ...(values.stale ? { consistency: "stale" as const } : {}),
    ...(values.filter ? { filter: values.filter } : {}),
    ...(meta.length > 0 ? { nodeMeta: Object.fromEntries(meta) as Record<string, string> } : {}),
  };
}
