import type { OutputState } from "@millwright/engine/state";
import { formatConsoleValue } from "@millwright/functions/console-format";

/** Outputs as `name = value` lines; sensitive ones are named and not shown. */
export function renderOutputs(outputs: ReadonlyMap<string, OutputState>): string {
  return [...outputs]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { value, sensitive }]) => `${name} = ${sensitive ? "<sensitive>" : formatConsoleValue(value)}\n`)
    .join("");
}
