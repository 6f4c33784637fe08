import type { AgentMember } from "@millwright/clients/nomad-records";
import { nomadCommand } from "../command.ts";
import { keyValues, section, table } from "../format.ts";
import { isForMachines, machineFlags, printForMachines } from "../machine.ts";
import { byGroup } from "@millwright/clients/nomad-placement";

/** `server members`. */
export const serverMembers = nomadCommand({
  usage: "[flags]",
  about: "Shows the servers, and which of them leads.",
  examples: ["server members"],
  flags: { verbose: { kind: "bool", help: "Show each server's tags, too." }, ...machineFlags },
  args: { least: 0, most: 0 },
  failure: "Error querying servers",
  run: async ({ values, io, client }) => {
    const options = { signal: io.signal };
    if (isForMachines(values))
      return printForMachines((await client.read("/v1/agent/members", {}, options)).value, values, io);
    const members = [...(await client.agent.members(options))].sort((a, b) => (a.Name < b.Name ? -1 : 1));
    const leader = await client.agent.leader(options);
    const titles = ["Name", "Address", "Port", "Status", "Leader", "Build", "Datacenter", "Region"];
    const rows = members.map((member) => [
      ...[member.Name, member.Addr, String(member.Port), member.Status, String(leads(member, leader))],
      ...[member.Tags.build ?? "", member.Tags.dc ?? "", member.Tags.region ?? ""],
    ]);
    await io.stdout(table(titles, rows));
    if (values.verbose)
      for (const { Name, Tags } of members) await io.stdout(section(io, Name, keyValues(byGroup(Tags))));
    if (leader === "") await io.stderr("\nNo server leads now: nothing is placed or changed until one does.\n");
    return 0;
  },
});

function leads({ Addr, Port, Tags }: AgentMember, leader: string): boolean {
  const host = Tags.rpc_addr || Addr;
  return leader === `${host}:${Tags.port ?? Port}` || leader === `${Addr}:${Port}`;
}

/** `agent-info`. */
export const agentInfo = nomadCommand({
  usage: "[flags]",
  about: "Shows the numbers that the asked agent tells of itself.",
  examples: ["agent-info"],
  flags: machineFlags,
  args: { least: 0, most: 0 },
  failure: "Error querying agent info",
  run: async ({ values, io, client }) => {
    const options = { signal: io.signal };
    if (isForMachines(values))
      return printForMachines((await client.read("/v1/agent/self", {}, options)).value, values, io);
    const { stats } = await client.agent.self(options);
    for (const [name, numbers] of byGroup(stats)) {
      const lines = byGroup(numbers).map(([key, value]) => `  ${key} = ${value}\n`);
      await io.stdout(`${name}\n${lines.join("")}`);
    }
    return 0;
  },
});

/** `system gc`. */
export const collectGarbage = nomadCommand({
  usage: "[flags]",
  about: "Has the server forget jobs, evaluations, allocations and nodes that have ended, before their time.",
  examples: ["system gc"],
  flags: {},
  args: { least: 0, most: 0 },
  failure: "Error running system garbage-collection",
  run: async ({ io, client }) => {
    await client.agent.collectGarbage({ signal: io.signal });
    return 0;
  },
});
