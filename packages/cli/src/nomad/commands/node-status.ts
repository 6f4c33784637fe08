import type { NomadClient } from "@millwright/clients/nomad";
import type { NomadCallOptions } from "@millwright/clients/nomad-api";
import type { NodeUsage } from "@millwright/clients/nomad-records";
import { OperationalError } from "@millwright/core/errors";
import type { CommandIo } from "../../io.ts";
import { nomadCommand, Refusal } from "../command.ts";
import { findNode, findOwnNode } from "../find.ts";
import { id } from "../format.ts";
import { isForMachines, machineFlags, printForMachines } from "../machine.ts";
import { nodeBlock, nodeList } from "../node-view.ts";

const flags = {
  self: { kind: "bool", help: "Show the node that the asked agent is." },
  short: { kind: "bool", help: "Show only what the node is, and its allocations." },
  stats: { kind: "bool", help: "Tell where what the node uses cannot be had." },
  allocs: { kind: "bool", help: "Show how many allocations run on each node; in the list." },
  filter: { kind: "string", value: "EXPRESSION", help: 'Only nodes for which it holds, as: Status == "ready".' },
  os: { kind: "bool", help: "Show each node's operating system; in the list." },
  quiet: { kind: "bool", help: "Show only ids; in the list." },
  verbose: { kind: "bool", help: "Show whole ids, moments in place of ages, attributes and meta data." },
  ...machineFlags,
} as const;

/** `node status`: all nodes, or one. */
export const nodeStatus = nomadCommand({
  usage: "[flags] [NODE]",
  about:
    "Shows the nodes, a line each, or one of them: what it is and has, what of that is given away and used, and its allocations. The beginning of a node's id is enough.",
  examples: ["node status", "node status -verbose 43c0b14e"],
  flags,
  args: { least: 0, most: 1 },
  failure: "Error querying node status",
  run: async ({ values, args, io, client, clock }) => {
    const options = { signal: io.signal };
    const [prefix] = args;
    if (prefix === undefined && !values.self) {
      const filter = values.filter === undefined ? {} : { filter: values.filter };
      if (isForMachines(values))
        return printForMachines((await client.read("/v1/nodes", filter, options)).value, values, io);
      const { value: nodes } = await client.nodes.list({ ...options, ...filter });
      if (nodes.length === 0) await io.stdout("No nodes registered\n");
      else if (values.quiet) await io.stdout(nodes.map(({ ID }) => `${id(ID, values)}\n`).join(""));
      else await io.stdout(nodeList(nodes, values.allocs ? await running(client, options) : undefined, values));
      return 0;
    }
    const search = { ...options, verbose: values.verbose };
    const found = prefix === undefined ? await findOwnNode(client, search) : await findNode(client, prefix, search);
    if (isForMachines(values))
      return printForMachines((await client.read(`/v1/node/${found.ID}`, {}, options)).value, values, io);
    const { value: node } = await client.nodes.get(found.ID, options);
    if (!node) throw new Refusal(`The node ${found.ID} has just been removed.`);
    const { value: allocations } = await client.nodes.allocations(node.ID, options);
    const asked = node.Status === "ready" && !values.short;
    const usage = asked ? await usageOf(client, node.ID, values.stats, io) : undefined;
    const detail = { verbose: values.verbose, short: values.short, now: clock.now() };
    await io.stdout(nodeBlock(node, { allocations, usage }, detail, io));
    return 0;
  },
});

async function running(client: NomadClient, options: NomadCallOptions): Promise<ReadonlyMap<string, number>> {
  const { value } = await client.allocations.list({ ...options, namespace: "*" });
  const counts = new Map<string, number>();
  for (const { NodeID, ClientStatus } of value)
    if (ClientStatus === "running") counts.set(NodeID, (counts.get(NodeID) ?? 0) + 1);
  return counts;
}

// What the servers know of a node is worth showing, also while the node itself cannot be asked.
async function usageOf(client: NomadClient, id: string, tells: boolean, io: CommandIo): Promise<NodeUsage | undefined> {
  try {
    return await client.nodes.usage(id, { signal: io.signal });
  } catch (error) {
    if (!(error instanceof OperationalError) || io.signal.aborted) throw error;
    if (tells) await io.stderr(`Without what the node uses: it cannot be asked. ${error.message}\n\n`);
    return undefined;
  }
}
