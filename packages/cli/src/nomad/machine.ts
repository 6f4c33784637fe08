import { formatJson } from "@millwright/clients/json";
import type { FlagTable, FlagValues } from "../flags.ts";
import type { CommandIo } from "../io.ts";
import { Refusal } from "./command.ts";

/** What is printed for programs in place of tables. */
export const machineFlags = {
  json: { kind: "bool", help: "Print what the server answers, as JSON." },
  t: { kind: "string", value: "TEMPLATE", help: "Print it by a Go template: '{{range .}}{{.ID}} {{end}}'." },
} as const satisfies FlagTable;

export type MachineValues = FlagValues<typeof machineFlags>;

/** Whether programs are to read the output. */
export function isForMachines(values: MachineValues): boolean {
  return values.json || values.t !== undefined;
}

/** Prints an answer of the server as it came, by the flags. Resolves to the exit code. */
export async function printForMachines(answer: unknown, values: MachineValues, io: CommandIo): Promise<number> {
  if (values.json && values.t !== undefined) throw new Refusal("Both json and template formatting are not allowed");
  await io.stdout(values.t === undefined ? `${formatJson(answer, 4)}\n` : `${await byTemplate(answer, values.t)}\n`);
  return 0;
}

async function byTemplate(answer: unknown, text: string): Promise<string> {
  const [{ parseTemplate }, { execute }, { helperFunctions }, { systemClock }] = await Promise.all([
    import("@millwright/template/parse"),
    import("@millwright/template/execute"),
    import("@millwright/template/helpers"),
    import("@millwright/core/ports"),
  ]);
  const functions = helperFunctions({ environment: () => undefined, clock: systemClock });
  const parsed = parseTemplate(text, { name: "format", functions: functions.keys() });
  if (!parsed.ok) throw new Refusal(`Error parsing the template: ${parsed.error}`);
  const executed = execute(parsed.template, { data: templateValue(answer), functions });
  if (executed.kind === "text") return executed.text;
  throw new Refusal(executed.kind === "error" ? executed.error.message : "Error formatting: the template has no data");
}

type Data = null | boolean | string | bigint | number | readonly Data[] | { readonly [key: string]: Data };

function templateValue(json: unknown): Data {
  if (typeof json === "number") return Number.isInteger(json) ? BigInt(json) : json;
  if (typeof json === "string" || typeof json === "boolean" || typeof json === "bigint") return json;
  if (Array.isArray(json)) return json.map(templateValue);
  if (typeof json !== "object" || json === null) return null;
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, templateValue(value)]));
}
