import { warningDiagnostic } from "@millwright/core/diagnostics";
import { parseAddress } from "@millwright/engine/parse-address";
import { instancesOf, StateBuilder } from "@millwright/engine/state";
import type { CommandIo } from "../io.ts";
import { runCommand } from "./command.ts";
import { didYouMeanAddress } from "./nearest-address.ts";
import { stateOptions } from "./open-state.ts";
import { ignoreRemoteVersion, jsonLinesFlag, stateFlags, viewFlags } from "./options.ts";
import type { CommandStyle } from "./session.ts";
import { withRecovered } from "./with-state.ts";

export function runTaint(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return mark("tainted", args, io, style);
}

export function runUntaint(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return mark("ready", args, io, style);
}

function mark(
  status: "tainted" | "ready",
  args: readonly string[],
  io: CommandIo,
  style: CommandStyle,
): Promise<number> {
  const verb = status === "tainted" ? "taint" : "untaint";
  return runCommand(
    {
      flags: {
        ...stateFlags,
        "ignore-remote-version": ignoreRemoteVersion,
        ...jsonLinesFlag,
        "no-color": viewFlags["no-color"],
        "allow-missing": { kind: "bool", help: "Succeed when there is no such instance." },
      },
      usage: `${verb} [flags] ADDRESS`,
      about:
        status === "tainted"
          ? "Marks an instance as damaged, so that the next apply replaces it."
          : "Takes the mark of an instance away that would make the next apply replace it.",
      example: `${verb} 'terraform_data.a[0]'`,
      jsonLines: true,
      arguments: [1, 1],
      run: async ({ session, values, occurrences, args: [text] }) => {
        const parsed = parseAddress(text!);
        if (parsed?.kind !== "instance") {
          const detail = `"${text}" is not the address of an instance, such as terraform_data.a[0].`;
          return session.refuse("Invalid address", detail);
        }
        return withRecovered(session, stateOptions(values, occurrences, verb), async ({ kept }) => {
          const builder = new StateBuilder(kept.current.state);
          const current = builder.instance(parsed.address)?.current;
          const provider = builder.resource(parsed.address.module, parsed.address.resource)?.provider;
          if (!current || provider === undefined) {
            if (values["allow-missing"]) {
              const detail = `Resource instance ${parsed.address.text} was not found, but this is not an error because -allow-missing was set.`;
              await session.report([warningDiagnostic("No such resource instance", detail)]);
              return 0;
            }
            const known = instancesOf(kept.current.state).map(({ address }) => address.text);
            const detail = `There is no resource instance in the state with the address ${parsed.address.text}.${didYouMeanAddress(parsed.address.text, known)} "state list" shows those there are.`;
            return session.refuse("No such resource instance", detail);
          }
          if (status === "ready" && current.status !== "tainted") {
            const detail = `Resource instance ${parsed.address.text} is not currently tainted, and so it cannot be untainted.`;
            return session.refuse("Resource instance is not tainted", detail);
          }
          builder.setCurrent(parsed.address, provider, { ...current, status });
          await kept.write(builder.snapshot());
          await session.say(
            `Resource instance ${parsed.address.text} has been ${status === "tainted" ? "marked as tainted" : "successfully untainted"}.`,
          );
          return 0;
        });
      },
    },
    args,
    io,
    style,
  );
}
