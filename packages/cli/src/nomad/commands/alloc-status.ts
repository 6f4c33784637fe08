import type { NomadClient } from "@millwright/clients/nomad";
import type { NomadCallOptions } from "@millwright/clients/nomad-api";
import type { Allocation } from "@millwright/clients/nomad-records";
import { OperationalError } from "@millwright/core/errors";
import type { CommandIo } from "../../io.ts";
import { type AllocationAround, allocationBlock, shortAllocation } from "../allocation-view.ts";
import { nomadCommand } from "../command.ts";
import { findAllocation } from "../find.ts";
import { allocationTable } from "../job-view.ts";
import { isForMachines, machineFlags, printForMachines } from "../machine.ts";

const flags = {
  short: { kind: "bool", help: "Show only the tasks, a line each." },
  stats: { kind: "bool", help: "Show all that is measured of what the tasks use." },
  verbose: { kind: "bool", help: "Show whole ids, moments in place of ages, and how the node was chosen." },
  ...machineFlags,
} as const;

/** `alloc status`: one allocation, or for programs all. */
export const allocationStatus = nomadCommand({
  usage: "[flags] [ALLOCATION]",
  about:
    "Shows an allocation: where it runs, how it is, and for each of its tasks what it has, uses, and what happened to it. The beginning of an allocation's id is enough. Without one, all are shown, a line each.",
  examples: ["alloc status 0af996ed", "alloc status -verbose 0af996ed"],
  flags,
  args: { least: 0, most: 1 },
  failure: "Error querying allocation",
  run: async ({ values, args, io, client, clock }) => {
    const options = { signal: io.signal };
    const [prefix] = args;
    const detail = { verbose: values.verbose, stats: values.stats, now: clock.now() };
    if (prefix === undefined) {
      if (isForMachines(values))
        return printForMachines((await client.read("/v1/allocations", {}, options)).value, values, io);
      await io.stdout(allocationTable((await client.allocations.list(options)).value, detail));
      return 0;
    }
    const allocation = await findAllocation(client, prefix, { ...options, verbose: values.verbose });
    const place = { ...options, namespace: allocation.Namespace };
    if (isForMachines(values))
      return printForMachines((await client.read(`/v1/allocation/${allocation.ID}`, {}, place)).value, values, io);
    if (values.short) await io.stdout(shortAllocation(allocation, detail, io));
    else await io.stdout(allocationBlock(allocation, await around(client, allocation, place, io), detail, io));
    return 0;
  },
});

async function around(
  client: NomadClient,
  { ID, ClientStatus, FollowupEvalID }: Allocation,
  place: NomadCallOptions,
  io: CommandIo,
): Promise<AllocationAround> {
  const isRunning = ClientStatus === "running";
  const usage = isRunning
    ? await client.allocations.usage(ID, place).catch((error) => tellUnmeasured(error, io))
    : undefined;
  const followUp = FollowupEvalID === "" ? undefined : (await client.evaluations.get(FollowupEvalID, place)).value;
  const isWaiting = followUp !== undefined && followUp.Status === "pending" && !followUp.WaitUntil.startsWith("0001-");
  return { usage, rescheduleAt: isWaiting ? followUp.WaitUntil : "" };
}

// What the servers know of an allocation is worth showing, also while its node cannot be asked.
async function tellUnmeasured(error: unknown, io: CommandIo): Promise<undefined> {
  if (!(error instanceof OperationalError) || io.signal.aborted) throw error;
  await io.stderr(`Without what the tasks use: the allocation's node cannot be asked. ${error.message}\n\n`);
}
