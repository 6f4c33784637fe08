import type { NomadClient } from "@millwright/clients/nomad";
import type { NodeListStub } from "@millwright/clients/nomad-records";
import type { Clock } from "@millwright/core/ports";
import { interruptedCode } from "../../commands/interrupted.ts";
import type { CommandIo } from "../../io.ts";
import { nomadCommand, Refusal } from "../command.ts";
import { confirm } from "../confirm.ts";
import { findNode, findOwnNode } from "../find.ts";
import { pollMilliseconds } from "../monitor-lines.ts";

const chosen = {
  enable: { kind: "bool", help: "Turn it on." },
  disable: { kind: "bool", help: "Turn it off." },
  self: { kind: "bool", help: "The node that the asked agent is." },
} as const;

interface Chosen {
  readonly enable: boolean;
  readonly disable: boolean;
  readonly self: boolean;
}

async function nodeOf(
  values: Chosen,
  args: readonly string[],
  client: NomadClient,
  io: CommandIo,
): Promise<NodeListStub> {
  if (values.enable === values.disable) throw new Refusal("Either the '-enable' or '-disable' flag must be set");
  if (values.self === args.length > 0) throw new Refusal("Name the node, or give -self, and not both");
  const search = { signal: io.signal };
  return values.self ? findOwnNode(client, search) : findNode(client, args[0]!, search);
}

/** `node eligibility`. */
export const nodeEligibility = nomadCommand({
  usage: "[flags] NODE",
  about: "Says whether new work may be placed on a node. What runs there goes on.",
  examples: ["node eligibility -disable 43c0b14e"],
  flags: chosen,
  args: { least: 0, most: 1 },
  failure: "Error updating scheduling eligibility",
  run: async ({ values, args, io, client }) => {
    const node = await nodeOf(values, args, client, io);
    const eligibility = values.enable ? "eligible" : "ineligible";
    await client.nodes.setEligibility(node.ID, eligibility, { signal: io.signal });
    await io.stdout(`Node ${JSON.stringify(node.ID)} scheduling eligibility set: ${eligibility} for scheduling\n`);
    return 0;
  },
});

const drainFlags = {
  ...chosen,
  deadline: { kind: "duration", value: "DURATION", help: "When what is still there is stopped; 1h by default." },
  force: { kind: "bool", help: "Stop everything at once." },
  "no-deadline": { kind: "bool", help: "Wait for as long as it takes." },
  "ignore-system": { kind: "bool", help: "Leave system jobs running." },
  "keep-ineligible": { kind: "bool", help: "Give the node no new work afterwards; with -disable." },
  yes: { kind: "bool", help: "Do not ask." },
  detach: { kind: "bool", help: "Return as soon as the server knows." },
  monitor: { kind: "bool", help: "Only tell how a drain goes that was begun before." },
} as const;

/** `node drain`. */
export const drainNode = nomadCommand({
  usage: "[flags] NODE",
  about:
    "Moves a node's work elsewhere and gives it no more, as each job's migrate block says, and tells how that goes.",
  examples: ["node drain -enable -yes 43c0b14e", "node drain -disable 43c0b14e"],
  flags: drainFlags,
  args: { least: 0, most: 1 },
  failure: "Error updating drain specification",
  run: async ({ values, args, io, client, clock }) => {
    const { monitor, force } = values;
    const node = await nodeOf(monitor ? { ...values, enable: true } : values, args, client, io);
    const options = { signal: io.signal };
    if (values.disable) {
      await client.nodes.stopDrain(node.ID, !values["keep-ineligible"], options);
      await io.stdout(`Node ${JSON.stringify(node.ID)} drain strategy unset\n`);
      return 0;
    }
    if (!monitor) {
      const asks = io.isTerminal && !values.yes;
      if (
        asks &&
        !(await confirm(io, `Are you sure you want to enable drain mode for node ${JSON.stringify(node.ID)}? [y/N]`))
      )
        throw new Refusal("Canceling drain toggle");
      const given = [force, values["no-deadline"], values.deadline !== undefined].filter(Boolean).length;
      if (given > 1) throw new Refusal("Only one of -force, -no-deadline and -deadline may be given");
      const deadline = force ? -1 : values["no-deadline"] ? 0 : (values.deadline ?? 3_600_000) * 1_000_000;
      await client.nodes.drain(node.ID, { deadline, ignoreSystemJobs: values["ignore-system"] }, options);
      await io.stdout(`Node ${JSON.stringify(node.ID)} drain strategy set\n`);
    }
    if (values.detach) return 0;
    return watchDrain(node.ID, { client, io, clock });
  },
});

interface Watch {
  readonly client: NomadClient;
  readonly io: CommandIo;
  readonly clock: Clock;
}

async function watchDrain(nodeId: string, { client, io, clock }: Watch): Promise<number> {
  const options = { signal: io.signal };
  const known = new Map<string, string>();
  try {
    for (;;) {
      const { value: node } = await client.nodes.get(nodeId, options);
      const { value: allocations } = await client.nodes.allocations(nodeId, options);
      for (const { ID, Name, ClientStatus } of allocations) {
        const before = known.get(ID);
        if (before !== undefined && before !== ClientStatus)
          await io.stdout(`Alloc "${ID}" (${Name}) status ${before} -> ${ClientStatus}\n`);
        known.set(ID, ClientStatus);
      }
      const left = allocations.filter(({ ClientStatus }) => ClientStatus === "running" || ClientStatus === "pending");
      if (!node?.DrainStrategy) {
        await io.stdout(`Drain complete for node ${nodeId}\n`);
        if (left.length === 0) await io.stdout(`All allocations on node ${JSON.stringify(nodeId)} have stopped\n`);
        return 0;
      }
      await clock.sleep(pollMilliseconds, io.signal);
    }
  } catch (error) {
    if (!io.signal.aborted) throw error;
    await io.stdout("\nDetached: the drain goes on without this command.\n");
    return interruptedCode(io);
  }
}
