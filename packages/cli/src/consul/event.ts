import { clientFlags, failureText, openClient } from "../commands/kv-client.ts";
import type { FlagTable } from "../flags.ts";
import { refuse, type ServiceCommand } from "./command.ts";

const flags = {
  name: { kind: "string", value: "NAME", help: "The event's name." },
  node: { kind: "string", value: "REGEXP", help: "Only for nodes of such a name." },
  service: { kind: "string", value: "REGEXP", help: "Only for nodes with such a service." },
  tag: { kind: "string", value: "REGEXP", help: "Only for nodes with a service of such a tag; needs -service." },
  ...clientFlags,
} as const satisfies FlagTable;

/** `event`: fires a custom event. */
export const eventCommand: ServiceCommand<typeof flags> = {
  usage: "event -name=NAME [flags] [PAYLOAD]",
  about: "Fires a custom event, with up to 512 bytes of payload. Whoever watches for it is told.",
  examples: ["event -name=deploy", "event -name=deploy -service=web 1609030"],
  flags,
  run: async ({ values, args, io }) => {
    const { name, node = "", service = "", tag = "" } = values;
    if (name === undefined) return refuse(io, "Event name must be specified: -name=NAME");
    if (args.length > 1) return refuse(io, "Too many command line arguments: quote the payload.");
    const client = openClient(values, io);
    try {
      const filters = { node, service, tag };
      const id = await client.events.fire({ name, payload: args[0] ?? "", ...filters }, { signal: io.signal });
      await io.stdout(`Event ID: ${id}\n`);
      return 0;
    } catch (error) {
      return refuse(io, `Error firing event: ${failureText(error)}`);
    } finally {
      await client.close();
    }
  },
};
