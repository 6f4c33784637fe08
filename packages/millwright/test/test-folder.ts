import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Diagnostic } from "@millwright/core/diagnostics";
import { hasErrors } from "@millwright/core/diagnostics";
import { invariant } from "@millwright/core/errors";
import { systemChance, systemClock } from "@millwright/core/ports";
import { parseProviderSource, providerSourceText } from "@millwright/engine/addresses";
import { applyPlan } from "@millwright/engine/apply";
import type { Configuration } from "@millwright/engine/configuration";
import type { EvaluatorContext } from "@millwright/engine/evaluator";
import type { Contribution } from "@millwright/engine/load";
import { loadConfiguration } from "@millwright/engine/load";
import { makePlan } from "@millwright/engine/make-plan";
import { filesBelow } from "@millwright/engine/node-files";
import type { Plan } from "@millwright/engine/plan";
import type { ProviderRegistry, RunPorts } from "@millwright/engine/ports";
import { ProviderPool } from "@millwright/engine/provider-pool";
import type { State } from "@millwright/engine/state";
import { emptyState } from "@millwright/engine/state";
import { collectVariables } from "@millwright/engine/variables";
import { readVariablesFile } from "@millwright/engine/variables-file";
import { functionsFor } from "@millwright/functions/library";
import { nodeFiles } from "@millwright/functions/node-files";
import { builtinProviders } from "@millwright/providers/registry";
import type { Value } from "@millwright/value/value";
import { buildStacks, restoreStacks, type Stacks } from "../src/stacks.ts";

export interface Planned {
  readonly plan?: Plan;
  readonly diagnostics: readonly Diagnostic[];
}

export interface Applied {
  readonly state: State;
  readonly diagnostics: readonly Diagnostic[];
}

/** A folder on disk with files of a test, planned and applied with the built-in providers; its state is kept in memory. */
export class TestFolder {
  readonly path = mkdtempSync(join(tmpdir(), "millwright-stacks-"));
  state: State = emptyState;

  constructor(files: Readonly<Record<string, string>>) {
    for (const [name, text] of Object.entries(files)) this.write(name, text);
  }

  write(name: string, text: string): void {
    const path = join(this.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }

  remove(): void {
    rmSync(this.path, { recursive: true });
  }

  stacks(): Promise<Stacks> {
    const names = readdirSync(this.path).filter((name) => name.endsWith(".stack.ts"));
    return buildStacks(this.path, names.sort());
  }

  /** The stacks of the folders below, which may be called as modules. */
  async #stacksBelow(): Promise<ReadonlyMap<string, Contribution>> {
    const found = new Map<string, Contribution>();
    for (const { name } of readdirSync(this.path, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
      const names = readdirSync(join(this.path, name)).filter((each) => each.endsWith(".stack.ts"));
      if (names.length > 0) found.set(name, (await buildStacks(join(this.path, name), names, name)).contribution);
    }
    return found;
  }

  /** Plans what the folder holds; variables come from the file of that name, if one is given. */
  async plan(variablesFile?: string): Promise<Planned> {
    const stacks = await this.stacks();
    if (hasErrors(stacks.diagnostics)) return { diagnostics: stacks.diagnostics };
    const { configuration, diagnostics } = this.#load({ ...stacks.contribution, folders: await this.#stacksBelow() });
    if (hasErrors(diagnostics)) return { diagnostics };
    return this.#plan(configuration, variablesFile);
  }

  /** Plans, and applies that plan: by the program that planned, or by what a saved plan keeps of it. */
  async apply(how: "at once" | "from a saved plan"): Promise<Applied> {
    const stacks = await this.stacks();
    if (hasErrors(stacks.diagnostics)) return { state: this.state, diagnostics: stacks.diagnostics };
    const { configuration, diagnostics } = this.#load(stacks.contribution);
    if (hasErrors(diagnostics)) return { state: this.state, diagnostics };
    const { plan, diagnostics: found } = await this.#plan(configuration);
    if (!plan || plan.errored || hasErrors(found)) return { state: this.state, diagnostics: found };
    const at = how === "at once" ? configuration : this.#load(restoreStacks(stacks.saved)).configuration;
    return this.#withPool(async (pool) => {
      const given = [...plan.variables].map(([name, value]) => ({ kind: "value", name, value }) as const);
      const context = this.#context(at, collectVariables(at.root, given).value.final, true);
      const recorder = { before: () => Promise.resolve(), after: () => Promise.resolve() };
      const result = await applyPlan({ plan, context, pool, ports, recorder, parallelism: 4 });
      this.state = result.state;
      return { state: result.state, diagnostics: result.diagnostics };
    });
  }

  #load(contribution: Contribution): {
    readonly configuration: Configuration;
    readonly diagnostics: readonly Diagnostic[];
  } {
    const { value, diagnostics } = loadConfiguration(filesBelow(this.path), { tofuFiles: true, contribution });
    return { configuration: value, diagnostics };
  }

  async #plan(configuration: Configuration, variablesFile?: string): Promise<Planned> {
    const given =
      variablesFile === undefined ? undefined : readVariablesFile(filesBelow(this.path), variablesFile).value;
    const sources = given ? [{ kind: "file", filename: variablesFile ?? "", attributes: given } as const] : [];
    const variables = collectVariables(configuration.root, sources);
    if (hasErrors(variables.diagnostics)) return { diagnostics: variables.diagnostics };
    return this.#withPool((pool) =>
      makePlan({
        context: this.#context(configuration, variables.value.final, false),
        given: variables.value.given,
        state: this.state,
        interrupted: [],
        lineage: "test",
        serial: 1,
        options: { mode: "normal", refresh: true, targets: [], forceReplace: [] },
        pool,
        ports,
        parallelism: 4,
        timestamp,
      }),
    );
  }

  async #withPool<T>(use: (pool: ProviderPool) => Promise<T>): Promise<T> {
    const pool = new ProviderPool(registry());
    try {
      return await use(pool);
    } finally {
      await pool.close();
    }
  }

  #context(configuration: Configuration, variables: ReadonlyMap<string, Value>, applying: boolean): EvaluatorContext {
    const functions = functionsFor({
      dialect: "terraform",
      files: nodeFiles(this.path),
      baseDir: ".",
      clock: systemClock,
      chance: systemChance,
      impure: applying ? "now" : "later",
      use: "configuration",
      planTimestamp: Date.parse(timestamp),
    });
    return {
      configuration,
      variables,
      workspace: "default",
      applying,
      cwd: this.path,
      functions: (module) => ({
        get: (name) => module.functions?.get(name) ?? functions.get(name),
        keys: () => [...(module.functions?.keys() ?? []), ...functions.keys()],
      }),
    };
  }
}

const timestamp = "2026-01-01T00:00:00Z";
const ports: RunPorts = {
  clock: systemClock,
  chance: systemChance,
  events: () => undefined,
  stop: new AbortController().signal,
};

function registry(): ProviderRegistry {
  const offers = builtinProviders.map(({ address, version, load }) => {
    const source = parseProviderSource(address);
    invariant(source, "the address of a built-in provider is one");
    return { source, version, origin: "built-in" as const, start: load };
  });
  return {
    find: (source) => offers.find((offer) => providerSourceText(offer.source) === providerSourceText(source)),
    known: () => offers.map((offer) => offer.source),
  };
}
