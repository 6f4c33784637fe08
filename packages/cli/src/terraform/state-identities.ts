import { identityPlain } from "@millwright/engine/state-file";
import type { CommandIo } from "../io.ts";
import { refuseWithoutJson, runCommand } from "./command.ts";
import { stateFlags, viewFlags } from "./options.ts";
import type { CommandStyle } from "./session.ts";
import { listedInstances } from "./state-listed.ts";

/** `state identities -json`: what names the objects in the state for ever, by their addresses. */
export function runStateIdentities(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return runCommand(
    {
      flags: {
        json: { kind: "bool", help: "Print the identities as one JSON object; always to be given." },
        id: { kind: "string", value: "ID", help: "Only of instances whose id is this." },
        state: stateFlags.state,
        "no-color": viewFlags["no-color"],
      },
      usage: "state identities -json [flags] [ADDRESS...]",
      about:
        "Prints the identities of the instances in the state by their addresses; only of those\nthat an address covers, where addresses are given. What has no identity is left out.",
      example: "state identities -json module.app",
      arguments: [0, 1000],
      run: async ({ session, values, args: addresses }) => {
        if (!values.json) return refuseWithoutJson(session, "state identities");
        const listed = await listedInstances(session, { state: values.state, addresses, id: values.id });
        if (!listed) return 1;
        const identities = listed.flatMap(({ address, object }) =>
          object.identity ? [[address, identityPlain(object.identity).identity] as const] : [],
        );
        await io.stdout(`${JSON.stringify(Object.fromEntries(identities))}\n`);
        return 0;
      },
    },
    args,
    io,
    style,
  );
}
