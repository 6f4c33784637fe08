import { clientFlags, failureText, openClient } from "../commands/kv-client.ts";
import type { FlagTable } from "../flags.ts";
import { refuse, type ServiceCommand } from "./command.ts";

/** `info`: the agent's numbers, section by section. */
export const infoCommand: ServiceCommand<typeof clientFlags> = {
  usage: "info [flags]",
  about: "Shows what the agent says of its own state.",
  examples: ["info"],
  flags: clientFlags,
  run: async ({ values, io }) => {
    const client = openClient(values, io);
    try {
      const { Stats } = await client.agent.self({ signal: io.signal });
      const sections = Object.entries((Stats ?? {}) as Record<string, Record<string, string>>).sort(byName);
      const text = sections.map(([section, numbers]) => {
        const lines = Object.entries(numbers)
          .sort(byName)
          .map(([name, value]) => `\t${name} = ${value}\n`);
        return `${section}:\n${lines.join("")}`;
      });
      await io.stdout(text.join(""));
      return 0;
    } catch (error) {
      return refuse(io, `Error querying agent: ${failureText(error)}`);
    } finally {
      await client.close();
    }
  },
};

function byName(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return a[0] < b[0] ? -1 : 1;
}

const joinFlags = {
  wan: { kind: "bool", help: "Join a server of another datacenter: there are none." },
  ...clientFlags,
} as const satisfies FlagTable;

/** `join`: has the agent go to another server. */
export const joinCommand: ServiceCommand<typeof joinFlags> = {
  usage: "join [flags] ADDRESS...",
  about: "Has the agent join the servers at these addresses.",
  examples: ["join 10.0.0.5:8500"],
  flags: joinFlags,
  run: async ({ values, args, io }) => {
    if (args.length === 0) return refuse(io, "At least one address to join must be specified.");
    const client = openClient(values, io);
    let joined = 0;
    try {
      for (const address of args) {
        try {
          await client.agent.join(address, { signal: io.signal, wan: values.wan });
          joined++;
        } catch (error) {
          await io.stderr(`Error joining address '${address}': ${failureText(error)}\n`);
        }
      }
      if (joined === 0) return refuse(io, "Failed to join any nodes.");
      await io.stdout(`Successfully joined cluster by contacting ${joined} nodes.\n`);
      return 0;
    } finally {
      await client.close();
    }
  },
};

/** `leave`: has the agent leave the datacenter, and end. */
export const leaveCommand: ServiceCommand<typeof clientFlags> = {
  usage: "leave [flags]",
  about: "Has the agent leave the datacenter, with all its services, and end.",
  examples: ["leave"],
  flags: clientFlags,
  run: async ({ values, args, io }) => {
    if (args.length > 0) return refuse(io, `Unexpected argument ${JSON.stringify(args[0])}: leave takes flags alone.`);
    const client = openClient(values, io);
    try {
      await client.agent.leave({ signal: io.signal });
      await io.stdout("Graceful leave complete\n");
      return 0;
    } catch (error) {
      return refuse(io, `Error leaving: ${failureText(error)}`);
    } finally {
      await client.close();
    }
  },
};

/** `reload`: has the agent read its configuration files again. */
export const reloadCommand: ServiceCommand<typeof clientFlags> = {
  usage: "reload [flags]",
  about: "Has the agent read the services and checks of its configuration files again.",
  examples: ["reload"],
  flags: clientFlags,
  run: async ({ values, args, io }) => {
    if (args.length > 0) return refuse(io, `Unexpected argument ${JSON.stringify(args[0])}: reload takes flags alone.`);
    const client = openClient(values, io);
    try {
      await client.agent.reload({ signal: io.signal });
      await io.stdout("Configuration reload triggered\n");
      return 0;
    } catch (error) {
      return refuse(io, `Error reloading: ${failureText(error)}`);
    } finally {
      await client.close();
    }
  },
};
