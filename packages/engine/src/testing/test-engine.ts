import type { Diagnostic } from "@millwright/core/diagnostics";
import { hasErrors } from "@millwright/core/diagnostics";
import { invariant } from "@millwright/core/errors";
import { systemClock } from "@millwright/core/ports";
import type { FunctionSpec } from "@millwright/hcl/function-spec";
import type { Lookup } from "@millwright/hcl/scope";
import type { Provider } from "@millwright/provider/protocol";
import type { TestProvider } from "@millwright/provider/testing";
import { testProvider } from "@millwright/provider/testing";
import type { Value } from "@millwright/value/value";
import { asMap, asNumber, isKnown, isNull, unmarkDeep } from "@millwright/value/value";
import { type ApplyInput, applyPlan } from "../apply/apply.ts";
import type { ApplyRecorder, ApplyResult } from "../apply/run.ts";
import { noRecorder } from "../apply/run.ts";
import type { PendingCreate } from "../backend/journal.ts";
import type { EvaluatorContext } from "../evaluator.ts";
import { loadConfiguration } from "../load/load.ts";
import { filesOf } from "../node-files.ts";
import { makePlan } from "../plan/make.ts";
import type { InstanceChange, Plan, PlanResult } from "../plan/plan.ts";
import type { PlanOptions } from "../plan/run.ts";
import type { ProviderRegistry, RunEvent, RunPorts } from "../ports.ts";
import { ProviderPool } from "../provider-pool.ts";
import type { ObjectState, State } from "../state.ts";
import { emptyState, instancesOf } from "../state.ts";
import { validateConfiguration } from "../validate/validate.ts";
import type { VariableSource } from "../variables.ts";
import { collectVariables } from "../variables.ts";

/** Files of a configuration, by path; a text alone is `main.tf`. */
export type TestFiles = string | Readonly<Record<string, string>>;

export interface TestPlanOptions extends Partial<PlanOptions> {
  readonly variables?: readonly VariableSource[];
  readonly interrupted?: readonly PendingCreate[];
  readonly stop?: AbortSignal;
}

export interface TestApplyOptions {
  readonly recorder?: ApplyRecorder;
  readonly stop?: AbortSignal;
  readonly parallelism?: number;
  readonly variables?: readonly VariableSource[];
  readonly waves?: ApplyInput["waves"];
}

/** Put before every configuration that does not say it itself: which provider `test` is. */
const header = `terraform {
  required_providers {
    test = { source = "millwright/test" }
  }
}
`;

const noFunctions: Lookup<FunctionSpec> = { get: () => undefined, keys: () => [] };

/**
 * A folder with a state and a world, for tests of whole runs: its configuration is changed by hand, plans are made and
 * applied with the test provider.
 */
export class TestEngine {
  readonly provider: TestProvider = testProvider();
  readonly events: RunEvent[] = [];
  state: State = emptyState;
  functions: Lookup<FunctionSpec> = noFunctions;
  /** Changes each provider on its way to the engine. */
  wrap: (provider: Provider) => Provider = (provider) => provider;
  #files: ReadonlyMap<string, Uint8Array> = new Map();

  constructor(files: TestFiles) {
    this.configure(files);
  }

  configure(files: TestFiles): void {
    const named = typeof files === "string" ? { "main.tf": files } : files;
    const encoder = new TextEncoder();
    this.#files = new Map(
      Object.entries(named).map(([path, text]) => [
        path,
        encoder.encode(/\/|\.json$/.test(path) || text.includes("required_providers") ? text : header + text),
      ]),
    );
    if (!this.#files.has("main.tf")) this.#files = new Map([...this.#files, ["main.tf", encoder.encode(header)]]);
  }

  /** Plans; errors are in the result. */
  async plan(options: TestPlanOptions = {}): Promise<PlanResult> {
    const { variables = [], interrupted = [], stop, ...rest } = options;
    const loaded = loadConfiguration(filesOf(this.#files), { tofuFiles: true });
    const collected = collectVariables(loaded.value.root, variables);
    const found = [...loaded.diagnostics, ...collected.diagnostics];
    const pool = this.pool();
    const input = {
      context: this.context(false, variables),
      given: collected.value.given,
      state: this.state,
      interrupted,
      lineage: "test",
      serial: 1,
      options: { mode: "normal", refresh: true, targets: [], forceReplace: [], ...rest },
      pool,
      ports: this.ports(stop),
      parallelism: 10,
      timestamp: "2026-01-02T03:04:05Z",
    } as const;
    if (hasErrors(found)) {
      const { plan } = await makePlan({ ...input, context: { ...input.context, configuration: emptyConfiguration() } });
      return { plan: { ...plan, errored: true }, diagnostics: found };
    }
    const result = await makePlan(input);
    await pool.close();
    return { plan: result.plan, diagnostics: [...found, ...result.diagnostics] };
  }

  /** Applies a plan, or what a new plan without errors wants; the state is the result's. */
  async apply(plan?: Plan, options: TestApplyOptions = {}): Promise<ApplyResult> {
    let given = plan;
    if (!given) {
      const made = await this.plan(options.variables ? { variables: options.variables } : {});
      invariant(!made.plan.errored, `the plan of a test has no errors: ${messages(made.diagnostics).join("\n")}`);
      given = made.plan;
    }
    const pool = this.pool();
    const result = await applyPlan({
      plan: given,
      context: this.context(true, options.variables ?? []),
      pool,
      ports: this.ports(options.stop),
      recorder: options.recorder ?? noRecorder,
      parallelism: options.parallelism ?? 10,
      ...(options.waves ? { waves: options.waves } : {}),
    });
    await pool.close();
    this.state = result.state;
    return result;
  }

  /** Applies a configuration, which must go well. */
  async given(files: TestFiles): Promise<void> {
    this.configure(files);
    const { diagnostics } = await this.apply();
    invariant(!hasErrors(diagnostics), `the start of a test goes well: ${messages(diagnostics).join("\n")}`);
    this.provider.log.clear();
  }

  validate(): Promise<readonly Diagnostic[]> {
    const loaded = loadConfiguration(filesOf(this.#files), { tofuFiles: true });
    if (hasErrors(loaded.diagnostics)) return Promise.resolve(loaded.diagnostics);
    return validateConfiguration(this.context(false, []), this.pool());
  }

  context(applying: boolean, variables: readonly VariableSource[]): EvaluatorContext {
    const configuration = loadConfiguration(filesOf(this.#files), { tofuFiles: true }).value;
    return {
      configuration,
      variables: collectVariables(configuration.root, variables).value.final,
      functions: () => this.functions,
      workspace: "default",
      applying,
      cwd: "/test",
    };
  }

  pool(): ProviderPool {
    const registry: ProviderRegistry = {
      find: (source) =>
        source.type === "test"
          ? {
              source,
              version: "1.0.0",
              origin: "built-in",
              start: () => Promise.resolve(this.wrap(this.provider.start())),
            }
          : undefined,
      known: () => [],
    };
    return new ProviderPool(registry);
  }

  ports(stop: AbortSignal = new AbortController().signal): RunPorts {
    let drawn = 0;
    return {
      clock: systemClock,
      chance: {
        bytes: (length) => new Uint8Array(length).fill(++drawn),
        uuid: () => "00000000-0000-4000-8000-000000000000",
        fraction: () => 0.5,
      },
      events: (event) => this.events.push(event),
      stop,
    };
  }

  /** The objects of the state as `address`, `address (tainted)` or `address (deposed)`, in order. */
  objects(): string[] {
    return instancesOf(this.state).flatMap(({ address, instance: { current, deposed } }) => [
      ...(current ? [current.status === "tainted" ? `${address.text} (tainted)` : address.text] : []),
      ...[...deposed.keys()].map(() => `${address.text} (deposed)`),
    ]);
  }

  object(address: string): ObjectState {
    const found = instancesOf(this.state).find((entry) => entry.address.text === address)?.instance.current;
    invariant(found, `${address} is in the state`);
    return found;
  }

  /** The plain attributes of an object of the state. */
  attributes(address: string): Record<string, unknown> {
    const { attributes } = this.object(address);
    invariant(attributes.form === "value", "objects of a run are values");
    return plainOf(attributes.value) as Record<string, unknown>;
  }

  /** The changing calls that reached the provider, in order: `create a`, `delete b`. */
  changes(): string[] {
    return this.provider.log.calls.flatMap(({ method, request }) => {
      if (method !== "applyResourceChange") return [];
      const { prior, planned } = request as { readonly prior: Value; readonly planned: Value };
      const action = isNull(prior) ? "create" : isNull(planned) ? "delete" : "update";
      return [`${action} ${String(plainOf(asMap(isNull(planned) ? prior : planned).get("name")!))}`];
    });
  }
}

function emptyConfiguration() {
  return loadConfiguration(filesOf(new Map()), { tofuFiles: true }).value;
}

/** Changes as `action address`, with the reason where there is one; unchanged ones are left out. */
export function actionsOf(changes: readonly InstanceChange[]): string[] {
  return changes
    .filter(({ action }) => action !== "no-op")
    .map(({ action, address, deposedKey, reason, keepsOld }) => {
      const deposed = deposedKey === undefined ? "" : " (deposed)";
      return `${action} ${address.text}${deposed}${reason === "none" ? "" : ` because ${reason.replace(/^.*_because_/, "")}`}${keepsOld ? ", keeps the old one" : ""}`;
    });
}

/** `severity: summary` of each. */
export function summaries(diagnostics: readonly Diagnostic[]): string[] {
  return diagnostics.map(({ severity, summary }) => `${severity}: ${summary}`);
}

export function messages(diagnostics: readonly Diagnostic[]): string[] {
  return diagnostics.map(({ severity, summary, detail }) => `${severity}: ${summary}: ${detail}`);
}

/** A value without its marks as plain data; unknown is "(unknown)". */
export function plainOf(value: Value): unknown {
  return plain(unmarkDeep(value)[0]);
}

function plain(value: Value): unknown {
  if (!isKnown(value)) return "(unknown)";
  const { data } = value;
  if (data instanceof Map) return Object.fromEntries([...asMap(value)].map(([key, inner]) => [key, plain(inner)]));
  if (Array.isArray(data)) return (data as readonly Value[]).map(plain);
  return value.type.kind === "number" && data !== null ? asNumber(value).toNumber() : data;
}
