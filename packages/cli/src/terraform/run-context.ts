import { systemChance, systemClock } from "@millwright/core/ports";
import type { Configuration } from "@millwright/engine/configuration";
import type { EvaluatorContext } from "@millwright/engine/evaluator";
import type { StaticOptions } from "@millwright/engine/load/static";
import type { RunListener, RunPorts } from "@millwright/engine/ports";
import { ProviderPool } from "@millwright/engine/provider-pool";
import type { VariableSource } from "@millwright/engine/variables";
import { functionsFor } from "@millwright/functions/library";
import { nodeFiles } from "@millwright/functions/node-files";
import { builtinProvisioners } from "@millwright/provisioners/builtin";
import type { FunctionSpec } from "@millwright/hcl/function-spec";
import type { Lookup } from "@millwright/hcl/scope";
import type { Value } from "@millwright/value/value";
import { providersOf } from "./registry.ts";
import type { Session } from "./session.ts";
import { workspaceOf } from "./workspace-of.ts";

/** A new pool of the session's providers. */
export async function newPool(session: Session): Promise<ProviderPool> {
  return new ProviderPool((await providersOf(session)).registry);
}

/** Does something with the session's providers, which are ended then. */
export async function withPool<T>(session: Session, work: (pool: ProviderPool) => Promise<T>): Promise<T> {
  const pool = await newPool(session);
  try {
    return await work(pool);
  } finally {
    await pool.close();
  }
}

export function runPorts(session: Session, events: RunListener): RunPorts {
  const told: RunListener = (event) => {
    // What a provisioner writes may be secret.
    const { kind, ...fields } = event.kind === "provision-output" ? { ...event, line: "…" } : event;
    session.log.write("debug", kind, fields);
    events(event);
  };
  return { clock: systemClock, chance: systemChance, events: told, stop: session.io.signal };
}

export interface ContextOptions {
  readonly configuration: Configuration;
  readonly variables: ReadonlyMap<string, Value>;
  readonly applying: boolean;
  /** RFC 3339; undefined where there is no plan (console, validate). */
  readonly timestamp?: string;
  readonly use?: "configuration" | "console";
}

/** What expressions of a folder are evaluated in. */
export function evaluatorContext(session: Session, options: ContextOptions): EvaluatorContext {
  const { configuration, variables, applying } = options;
  return {
    configuration,
    variables,
    workspace: workspaceOf(session),
    applying,
    cwd: session.folder,
    functions: libraryOf(session, options),
    provisioners: builtinProvisioners,
    env: session.io.env,
  };
}

/** What a configuration is read with: where its variables' values come from, before anything is planned. */
export function staticOptions(session: Session, variables: readonly VariableSource[]): StaticOptions {
  const functions = libraryOf(session, { applying: true });
  return { variables, workspace: workspaceOf(session), cwd: session.folder, functions };
}

/** The functions of a folder's expressions: those of the file's dialect, and a TypeScript stack's own. */
function libraryOf(
  session: Session,
  options: Pick<ContextOptions, "applying" | "timestamp" | "use">,
): EvaluatorContext["functions"] {
  const { applying, timestamp } = options;
  const make = (dialect: "terraform" | "opentofu") =>
    functionsFor({
      dialect,
      files: nodeFiles(session.folder),
      baseDir: ".",
      clock: systemClock,
      chance: systemChance,
      impure: applying || options.use === "console" ? "now" : "later",
      use: options.use ?? "configuration",
      ...(timestamp === undefined ? {} : { planTimestamp: Date.parse(timestamp) }),
    });
  const made = new Map<string, Lookup<FunctionSpec>>();
  return (module, filename) => {
    const dialect = session.style === "tofu" || /\.tofu(\.json)?$/.test(filename) ? "opentofu" : "terraform";
    let standard = made.get(dialect);
    if (!standard) made.set(dialect, (standard = make(dialect)));
    return module.functions ? chain(module.functions, standard) : standard;
  };
}

function chain(first: Lookup<FunctionSpec>, second: Lookup<FunctionSpec>): Lookup<FunctionSpec> {
  return { get: (name) => first.get(name) ?? second.get(name), keys: () => [...first.keys(), ...second.keys()] };
}
