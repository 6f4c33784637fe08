import { formatConsoleValue } from "@millwright/functions/console-format";
import { similar } from "@millwright/core/similar";
import { convert } from "@millwright/value/convert";
import { toPlain } from "@millwright/value/json";
import { typeToPlain } from "@millwright/value/type-json";
import { stringType } from "@millwright/value/types";
import { asString, isNull } from "@millwright/value/value";
import type { OutputState } from "@millwright/engine/state";
import type { CommandIo } from "../io.ts";
import { renderOutputs } from "../views/outputs.ts";
import { runCommand } from "./command.ts";
import { readState } from "./open-state.ts";
import { stateFlags, viewFlags } from "./options.ts";
import type { CommandStyle, Session } from "./session.ts";

export function runOutput(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return runCommand(
    {
      flags: {
        json: viewFlags.json,
        "no-color": viewFlags["no-color"],
        raw: { kind: "bool", help: "Print one output's text as it is, for scripts." },
        state: stateFlags.state,
      },
      usage: "output [flags] [NAME]",
      about: "Prints the outputs of the last apply, or one of them.",
      example: "output -raw address",
      arguments: [0, 1],
      run: async ({ session, values, args: [name] }) => {
        const state = await readState(session, values.state);
        if (!state) return 1;
        const { outputs } = state.kept.current.state;
        if (name !== undefined) return one(session, outputs, name, values);
        if (values.raw)
          return session.refuse("Output name required", "The -raw option prints one output: give its name.");
        if (values.json) {
          await io.stdout(
            `${JSON.stringify(Object.fromEntries([...outputs].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, output]) => [key, plainOf(output)])), null, 2)}\n`,
          );
          return 0;
        }
        if (outputs.size > 0) await io.stdout(renderOutputs(outputs));
        else
          await session.report([
            {
              severity: "warning",
              summary: "No outputs found",
              detail: 'The state has no outputs. Define one with an "output" block in a .tf file and run apply.',
            },
          ]);
        return 0;
      },
    },
    args,
    io,
    style,
  );
}

function plainOf({ value, sensitive }: OutputState): unknown {
  return { sensitive, type: typeToPlain(value.type), value: toPlain(value, value.type) };
}

async function one(
  session: Session,
  outputs: ReadonlyMap<string, OutputState>,
  name: string,
  values: { readonly json: boolean; readonly raw: boolean },
): Promise<number> {
  const output = outputs.get(name);
  if (!output) {
    const near = similar(name, [...outputs.keys()]);
    return session.refuse(
      `Output "${name}" not found`,
      `The state has no such output.${near === undefined ? "" : ` Did you mean "${near}"?`} One that is new in the configuration is there after the next apply.`,
    );
  }
  const { value } = output;
  if (values.json) await session.io.stdout(`${JSON.stringify(toPlain(value, value.type))}\n`);
  else if (values.raw) {
    const text = convert(value, stringType);
    if (!text.ok || isNull(text.value))
      return session.refuse(
        "Unsupported value for raw output",
        `The -raw option only supports strings, numbers, and boolean values, but output "${name}" is none of these. Use -json for machine-readable representations of it.`,
      );
    await session.io.stdout(asString(text.value));
  } else await session.io.stdout(`${formatConsoleValue(value)}\n`);
  return 0;
}
