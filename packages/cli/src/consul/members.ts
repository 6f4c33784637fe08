import type { AgentMember } from "@millwright/clients/consul-agent";
import { compileRegexp } from "@millwright/text/regexp";
import { clientFlags, failureText, openClient } from "../commands/kv-client.ts";
import type { FlagTable } from "../flags.ts";
import { refuse, type ServiceCommand } from "./command.ts";
import { columns, mapCell } from "../views/columns.ts";

const flags = {
  detailed: { kind: "bool", help: "Show all tags of each member." },
  status: { kind: "string", value: "REGEXP", help: 'Only members of such a status; ".*" by default.' },
  wan: { kind: "bool", help: "Servers of other datacenters too: there are none." },
  segment: { kind: "string", value: "NAME", help: "Taken, and without effect: there are no segments." },
  filter: { kind: "string", value: "EXPRESSION", help: 'Only members for which it holds, as: Status == "alive".' },
  ...clientFlags,
} as const satisfies FlagTable;

/** `members`: the nodes of the datacenter, as the agent that is asked knows them. */
export const membersCommand: ServiceCommand<typeof flags> = {
  usage: "members [flags]",
  about: "Shows the nodes of the datacenter and whether they live.",
  examples: ["members", "members -status=alive"],
  flags,
  run: async ({ values, args, io }) => {
    if (args.length > 0)
      return refuse(io, `Unexpected argument ${JSON.stringify(args[0])}: members takes flags alone.`);
    const status = compileRegexp(values.status ?? ".*");
    if (!status.ok) return refuse(io, `Failed to compile status regexp: ${status.error}`);
    const client = openClient(values, io);
    try {
      const all = await client.agent.members({
        signal: io.signal,
        ...(values.filter ? { filter: values.filter } : {}),
      });
      const shown = all.filter((member) => status.regexp.test(member.status)).sort(byName);
      // Nobody of such a status: scripts tell it by the exit code.
      if (shown.length === 0) return 2;
      await io.stdout(columns(values.detailed ? detailed(shown) : standard(shown)));
      return 0;
    } catch (error) {
      return refuse(io, `Error retrieving members: ${failureText(error)}`);
    } finally {
      await client.close();
    }
  },
};

function byName(a: AgentMember, b: AgentMember): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function standard(members: readonly AgentMember[]): readonly string[][] {
  const header = ["Node", "Address", "Status", "Type", "Build", "Protocol", "DC", "Partition", "Segment"];
  const rows = members.map((member) => {
    const { name, status, protocol, tags } = member;
    const isServer = tags.role === "consul";
    const build = (tags.build ?? "").split(":")[0] ?? "";
    const type = isServer ? "server" : tags.role === "node" ? "client" : "unknown";
    const segment = isServer ? "<all>" : tags.segment || "<default>";
    return [
      name,
      addressOf(member),
      status,
      type,
      build,
      String(protocol),
      tags.dc ?? "",
      tags.ap || "default",
      segment,
    ];
  });
  return [header, ...rows];
}

function detailed(members: readonly AgentMember[]): readonly string[][] {
  const rows = members.map((member) => [member.name, addressOf(member), member.status, mapCell(member.tags)]);
  return [["Node", "Address", "Status", "Tags"], ...rows];
}

function addressOf({ address, port }: AgentMember): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
