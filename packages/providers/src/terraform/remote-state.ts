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

/** Which state is read. */
export interface RemoteStateRequest {
  readonly backend: string;
  /** What a backend block would say; null where nothing is said. */
  readonly config: Value;
  readonly workspace: string;
  readonly signal: AbortSignal;
}

/** Where states of other configurations come from. */
export interface RemoteStates {
  /** The backends that can be read. */
  readonly backends: readonly string[];
  /** The bytes of a state file, in clear; undefined where there is none. Rejects with an Error whose message says what to do. */
  read(request: RemoteStateRequest): Promise<Uint8Array | undefined>;
}

/** States in files, relative to where the process runs. */
export const localStates: RemoteStates = {
  backends: ["local"],
  read: async ({ config, workspace, signal }) => readFile(localPath(config, workspace), { signal }),
};

/** `data "terraform_remote_state"`: the outputs that another configuration has recorded. */
export function remoteState(states: RemoteStates) {
  return defineDataSource({
    schema: {
      backend: required(string, { description: "Where the state is kept, as a backend block names it." }),
      config: optional(dynamic, { description: "What a backend block would say." }),
      workspace: optional(string, { description: "The workspace whose state is read; `default` when left out." }),
      defaults: optional(dynamic, { description: "Outputs to take where the state has none of that name." }),
      outputs: computed(dynamic, { description: "All outputs of the other configuration, by name." }),
    },
    *validate({ config: { backend, config, defaults } }) {
      if (backend !== undefined && !states.backends.includes(backend)) yield unsupportedBackend(backend, states);
      if (config && backend === "local") yield* checkLocalConfig(config);
      if (defaults && isKnown(defaults) && !isNull(defaults) && defaults.type.kind !== "object") {
        yield problem("Invalid default values", "Defaults must be given in an object value.", ["defaults"]);
      }
    },
    read: async ({ config, signal }) => {
      const { backend } = config;
      const workspace = config.workspace ?? "default";
      const bytes = await states.read({ backend, config: config.config, workspace, signal }).catch((error: unknown) => {
        if (signal.aborted) throw error;
        throw failure("Unable to find remote state", `No state can be read: ${messageOf(error)}`, ["config"]);
      });
      if (!bytes) {
        const detail = `There is no state in the backend ${JSON.stringify(backend)} for the workspace ${JSON.stringify(workspace)}. Apply the configuration that it belongs to first, or check "config".`;
        throw failure("Unable to find remote state", detail, ["config"]);
      }
      const outputs = outputsOfState(Buffer.from(bytes).toString("utf8"));
      if (!outputs.ok) throw failure("Unsupported state file format", outputs.message, ["config"]);
      const defaults: Iterable<readonly [string, Value]> = isNull(config.defaults) ? [] : asMap(config.defaults);
      return { ...config, outputs: objectValue(new Map([...defaults, ...outputs.values])) };
    },
  });
}

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

function unsupportedBackend(backend: string, { backends }: RemoteStates): Problem {
  const known = backends.map((name) => JSON.stringify(name)).join(", ");
  const detail = `The backend ${JSON.stringify(backend)} cannot be read here. Those that can are ${known}.`;
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
