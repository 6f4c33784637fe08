import type { ConsulClient } from "@millwright/clients/consul";
import { clientFlags, failureText, openClient } from "../commands/kv-client.ts";
import type { FlagTable } from "../flags.ts";
import type { CommandIo } from "../io.ts";
import { refuse, type ServiceCommand } from "./command.ts";

const flags = {
  enable: { kind: "bool", help: "Take it out of use: its names are not given out." },
  disable: { kind: "bool", help: "Put it back." },
  reason: { kind: "string", value: "TEXT", help: "Why, for people; with -enable." },
  service: { kind: "string", value: "ID", help: "One service of the node; the whole node by default." },
  ...clientFlags,
} as const satisfies FlagTable;

/** `maint`: takes the node or a service of it out of use, puts it back, or lists what is out of use. */
export const maintenanceCommand: ServiceCommand<typeof flags> = {
  usage: "maint [flags]",
  about:
    "Takes the agent's node, or one service on it, out of use, and puts it back. Without flags: what is out of use.",
  examples: ["maint", 'maint -enable -service=web -reason="new disk"', "maint -disable -service=web"],
  flags,
  run: async ({ values, args, io }) => {
    const { enable, disable, reason, service } = values;
    if (args.length > 0) return refuse(io, `Unexpected argument ${JSON.stringify(args[0])}: maint takes flags alone.`);
    if (enable && disable) return refuse(io, "Only one of -enable or -disable may be provided");
    if (!enable && reason !== undefined) return refuse(io, "Reason may only be provided with -enable");
    if (!enable && !disable && service !== undefined) return refuse(io, "-service requires -enable or -disable");
    const client = openClient(values, io);
    try {
      if (!enable && !disable) return await list(client, io);
      const request = { enable, ...(reason ? { reason } : {}), ...(service ? { serviceId: service } : {}) };
      await client.agent.maintenance(request, { signal: io.signal });
      const now = `maintenance is now ${enable ? "enabled" : "disabled"}`;
      await io.stdout(service ? `Service ${now} for ${JSON.stringify(service)}\n` : `Node ${now}\n`);
      return 0;
    } catch (error) {
      return refuse(io, `Error changing maintenance: ${failureText(error)}`);
    } finally {
      await client.close();
    }
  },
};

/** Checks that stand for maintenance have these IDs, that of a service with the service's behind it. */
const nodeCheck = "_node_maintenance";
const serviceCheck = "_service_maintenance:";

async function list(client: ConsulClient, io: CommandIo): Promise<0> {
  for (const { checkId, node, serviceId, output, notes } of await client.agent.checks({ signal: io.signal })) {
    const reason = notes || output;
    if (checkId === nodeCheck) await io.stdout(`Node:\n  Name:   ${node}\n  Reason: ${reason}\n\n`);
    if (checkId.startsWith(serviceCheck)) await io.stdout(`Service:\n  ID:     ${serviceId}\n  Reason: ${reason}\n\n`);
  }
  return 0;
}
