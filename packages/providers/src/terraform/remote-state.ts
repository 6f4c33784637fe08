import { messageOf } from "@millwright/core/errors";
import { defineDataSource } from "@millwright/provider/data-source";
import { computed, dynamic, optional, required, string } from "@millwright/provider/fields";
import type { Problem } from "@millwright/provider/problem";
import { failure, problem } from "@millwright/provider/problem";
import type { Value } from "@millwright/value/value";
import { asMap, asString, isKnown, isNull, objectValue } from "@millwright/value/value";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { outputsOfState } from "./state-outputs.ts";

/**
 * `data "terraform_remote_state"`: the outputs that another configuration has recorded. Of the backends it knows `local`,
 * with `path` and `workspace_dir` as in a `backend` block.
 */
export const remoteState = defineDataSource({
  schema: {
    backend: required(string, { description: "Where the state is kept: `local`." }),
    config: optional(dynamic, { description: "What a backend block would say." }),
    workspace: optional(string, { description: "The workspace whose state is read; `default` when left out." }),
    defaults: optional(dynamic, { description: "Outputs to take where the state has none of that name." }),
    outputs: computed(dynamic, { description: "All outputs of the other configuration, by name." }),
  },
  *validate({ config: { backend, config, defaults } }) {
    if (backend !== undefined && backend !== "local") yield unsupportedBackend(backend);
    if (config) yield* checkLocalConfig(config);
    if (defaults && isKnown(defaults) && !isNull(defaults) && defaults.type.kind !== "object") {
      yield problem("Invalid default values", "Defaults must be given in an object value.", ["defaults"]);
    }
  },
  read: async ({ config, signal }) => {
    const path = localPath(config.config, config.workspace ?? "default");
    const text = await readFile(path, { encoding: "utf8", signal }).catch((error: unknown) => {
      if (signal.aborted) throw error;
      throw failure("Unable to find remote state", `No state can be read at ${path}: ${messageOf(error)}.`, ["config"]);
    });
    const outputs = outputsOfState(text);
    if (!outputs.ok) throw failure("Unsupported state file format", `${path}: ${outputs.message}`, ["config"]);
    const defaults: Iterable<readonly [string, Value]> = isNull(config.defaults) ? [] : asMap(config.defaults);
    return { ...config, outputs: objectValue(new Map([...defaults, ...outputs.values])) };
  },
});

const localNames: readonly string[] = ["path", "workspace_dir"];

function* checkLocalConfig(config: Value): Iterable<Problem> {
  if (!isKnown(config) || isNull(config)) return;
  const invalid = (why: string) =>
    problem("Invalid backend configuration", `The configuration is not valid for backend "local": ${why}.`, ["config"]);
  if (config.type.kind !== "object" && config.type.kind !== "map") return yield invalid("an object is required");
  for (const [name, value] of asMap(config)) {
    if (!localNames.includes(name)) yield invalid(`there is no attribute ${JSON.stringify(name)}`);
    else if (value.type.kind !== "string" && value.type.kind !== "dynamic")
      yield invalid(`${JSON.stringify(name)} has to be a string`);
  }
}

function unsupportedBackend(backend: string): Problem {
  const detail = `The backend ${JSON.stringify(backend)} cannot be read here. The one that can is "local".`;
  return problem("Invalid backend configuration", detail, ["backend"]);
}

function localPath(config: Value, workspace: string): string {
  const said = (name: string) => {
    const value = isNull(config) ? undefined : asMap(config).get(name);
    return value && !isNull(value) ? asString(value) : undefined;
  };
  if (workspace === "default") return said("path") ?? "terraform.tfstate";
  return join(said("workspace_dir") ?? "terraform.tfstate.d", workspace, "terraform.tfstate");
}
