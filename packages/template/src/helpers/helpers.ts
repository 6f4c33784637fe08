import type { Clock } from "@millwright/core/ports";
import type { FunctionTable } from "../function.ts";
import { answer, defineFunction, failure } from "../function.ts";
import type { CallResult, FunctionValue, TemplateValue } from "../value.ts";
import { ofTexts, text, tryTexts } from "./arguments.ts";
import { encodingFunctions } from "./encoding.ts";
import { groupingFunctions } from "./grouping.ts";
import { jsonFunctions } from "./json.ts";
import { listFunctions } from "./lists.ts";
import { mathFunctions } from "./math.ts";
import { parsingFunctions } from "./parsing.ts";
import { newScratch } from "./scratch.ts";
import { stringFunctions } from "./strings.ts";
import { formatLayout } from "./time-layout.ts";
import { tomlFunctions } from "./toml.ts";
import { yamlFunctions } from "./yaml.ts";

export interface HelperPorts {
  /** The process's environment, with what is set for the template in front; undefined for a variable that is not set. */
  readonly environment: (name: string) => string | undefined;
  readonly clock: Pick<Clock, "now">;
}

/**
 * consul-template's functions that read from no server. A table is for one execution: the `scratch` in it holds what the
 * template puts there. `plugin`, `sockaddr` and `writeToFile` are known and refused: a template runs no program here, does
 * not look at the machine's interfaces, and writes nothing but its text. The `spew_*` and `sprig_*` functions are not there.
 */
export function helperFunctions({ environment, clock }: HelperPorts): FunctionTable {
  const scratch = newScratch();
  return new Map<string, FunctionValue>([
    ...stringFunctions,
    ...encodingFunctions,
    ...parsingFunctions,
    ...jsonFunctions,
    ...yamlFunctions,
    ...tomlFunctions,
    ...listFunctions,
    ...groupingFunctions,
    ...mathFunctions,
    ...refused,
    ["env", ofTexts(1, (name) => environment(name!) ?? "")],
    ["envOrDefault", ofTexts(2, (name, otherwise) => environment(name!) ?? otherwise!)],
    ["mustEnv", tryTexts(1, (name) => mustEnvironment(environment(name!), name!))],
    ["executeTemplate", executeTemplate],
    ["scratch", defineFunction({ parameters: [], call: () => answer(scratch) })],
    ["timestamp", defineFunction({ parameters: [], variadic: "string", call: (args) => timestamp(clock, args) })],
  ]);
}

const executeTemplate = defineFunction({
  parameters: ["string"],
  variadic: "any",
  call: ([name, ...data], execution) => {
    if (data.length > 1) {
      const given = data.length + 1;
      return failure(`executeTemplate: wrong number of arguments, expected 1 or 2, but got ${given}`);
    }
    return answer(execution.execute(text(name), data[0] ?? null));
  },
});

function mustEnvironment(value: string | undefined, name: string): CallResult {
  return value ? answer(value) : failure(`required environment variable ${name} is empty`);
}

function timestamp(clock: Pick<Clock, "now">, args: readonly TemplateValue[]): CallResult {
  if (args.length > 1) {
    return failure(`timestamp: wrong number of arguments, expected 0 or 1, but got ${args.length}`);
  }
  const milliseconds = BigInt(Math.trunc(clock.now()));
  const layout = args.length === 0 ? "2006-01-02T15:04:05Z07:00" : text(args[0]);
  if (layout === "unix") return answer(String(Math.floor(clock.now() / 1000)));
  return answer(formatLayout(milliseconds * 1_000_000n, layout));
}

const refused: FunctionTable = new Map(
  [
    ["plugin", "a template does not run programs here; run it before, and put its output into a file or a key"],
    ["sockaddr", "a template does not look at the machine's interfaces here; hand the address over in the environment"],
    ["writeToFile", "a template writes nothing but its own text here; use a template of its own for each file"],
  ].map(([name, why]) => [name!, defineFunction({ parameters: [], variadic: "any", call: () => failure(why!) })]),
);
