import type { Diagnostic } from "@millwright/core/diagnostics";
import { hasErrors, warningDiagnostic } from "@millwright/core/diagnostics";
import { similar } from "@millwright/core/similar";
import { resourceText } from "@millwright/engine/addresses";
import type { Configuration } from "@millwright/engine/configuration";
import { instancesOf } from "@millwright/engine/state";
import { covers, withoutKeys } from "@millwright/engine/targets";
import type { PlanMode, PlanResult } from "@millwright/engine/plan";
import { makePlan } from "@millwright/engine/make-plan";
import type { RunListener } from "@millwright/engine/ports";
import type { ProviderPool } from "@millwright/engine/provider-pool";
import { collectVariables } from "@millwright/engine/variables";
import type { Value } from "@millwright/value/value";
import type { FlagValues } from "../flags.ts";
import { addressesOf } from "./address-files.ts";
import { askForVariables } from "./ask.ts";
import { type LoadedFolder, hasConfiguration } from "./folder.ts";
import { variableSources } from "./variable-sources.ts";
import type { OpenState } from "./open-state.ts";
import { type GivenFlag, onUnlessGiven, type planningFlags } from "./options.ts";
import { sayInterrupts } from "./interrupts.ts";
import { recoverInterrupted } from "./recover.ts";
import { givenFrom } from "./why.ts";
import { runPorts, evaluatorContext } from "./run-context.ts";
import type { Session } from "./session.ts";

type Values = FlagValues<typeof planningFlags>;

export interface PlanningInput {
  readonly session: Session;
  readonly folder: LoadedFolder;
  readonly state: OpenState;
  readonly pool: ProviderPool;
  readonly values: Values;
  readonly occurrences: readonly GivenFlag[];
  readonly mode: PlanMode;
  readonly events: RunListener;
  /** Configuration that was written for objects to be imported, by the instance's address. */
  readonly generated?: ReadonlyMap<string, string>;
}

/** Which mode the flags ask for; an unclear wish is a diagnostic. */
export function planMode(values: Values, occurrences: readonly GivenFlag[], destroy: boolean): PlanMode | Diagnostic {
  if (values["refresh-only"] && (values.destroy || destroy)) {
    return {
      severity: "error",
      summary: "Incompatible plan mode options",
      detail: "The -destroy and -refresh-only options are mutually-exclusive: choose one.",
    };
  }
  if (values["refresh-only"] && !onUnlessGiven(occurrences, "refresh")) {
    return {
      severity: "error",
      summary: "Incompatible refresh options",
      detail: "-refresh-only together with -refresh=false leaves nothing to do: give one of the two.",
    };
  }
  if (values["refresh-only"]) return "refresh-only";
  return values.destroy || destroy ? "destroy" : "normal";
}

/** A plan, and the values of the ephemeral variables that it was made with. */
export interface PlannedFolder extends PlanResult {
  readonly given: ReadonlyMap<string, Value>;
}

/** Plans the folder as the flags say. Nothing is printed; the result's diagnostics are all that is to be said. */
export async function planFolder(
  input: PlanningInput,
): Promise<PlannedFolder | { readonly plan?: undefined; readonly diagnostics: readonly Diagnostic[] }> {
  const { session, folder, state, pool, values, occurrences } = input;
  const found: Diagnostic[] = [...folder.diagnostics];
  if (input.mode !== "destroy" && !folder.kept && !hasConfiguration(session.folder))
    found.push(noConfiguration(session));
  const given = folder.kept
    ? { sources: folder.kept.variables, diagnostics: [] }
    : variableSources(session, occurrences);
  found.push(...given.diagnostics);
  if (hasErrors(found)) return { diagnostics: found };
  const interactive = onUnlessGiven(occurrences, "input") && session.io.env.TF_INPUT !== "0" && !values.json;
  const asked = await askForVariables(session, folder.configuration.root, given.sources, interactive);
  const variables = collectVariables(folder.configuration.root, [...asked, ...given.sources]);
  found.push(...variables.diagnostics);
  const recovered = await recoverInterrupted(state);
  found.push(...recovered.diagnostics);
  if (hasErrors(found)) return { diagnostics: found };
  const timestamp = new Date().toISOString().replace(/\.\d+Z$/, "Z");
  const { configuration } = folder;
  const context = evaluatorContext(session, {
    configuration,
    variables: variables.value.final,
    applying: false,
    timestamp,
  });
  const targets = addressesOf(session, "target", values.target, values["target-file"]);
  const excludes = addressesOf(session, "exclude", values.exclude, values["exclude-file"]);
  const badFiles = [...targets.diagnostics, ...excludes.diagnostics];
  if (hasErrors(badFiles)) return { diagnostics: [...found, ...badFiles] };
  const unknownTargets = [...targets.value, ...excludes.value, ...values.replace, ...values["allow-destroy"]].flatMap(
    (target) => targetWarning(target, configuration, state),
  );
  // Several instances are planned side by side; for those it is said once.
  const stopSaying = session.instance ? () => undefined : sayInterrupts(session, "plan");
  const result = await makePlan({
    context,
    given: variables.value.given,
    givenFrom: givenFrom([...asked, ...given.sources]),
    state: state.kept.current.state,
    interrupted: recovered.pending,
    lineage: state.kept.lineage,
    serial: state.kept.current.serial,
    options: {
      mode: input.mode,
      refresh: onUnlessGiven(occurrences, "refresh"),
      targets: targets.value,
      excludes: excludes.value,
      allowDestroy: values["allow-destroy"],
      allowDeferral: values["allow-deferral"],
      forceReplace: values.replace,
      ...(input.generated ? { generated: input.generated } : {}),
    },
    pool,
    ports: runPorts(session, input.events),
    parallelism: values.parallelism ?? 10,
    timestamp,
  }).finally(stopSaying);
  const { plan } = result;
  const ephemeral = new Map([...variables.value.given].filter(([name]) => plan.ephemeralVariables.includes(name)));
  return { plan, given: ephemeral, diagnostics: [...found, ...unknownTargets, ...result.diagnostics] };
}

/** A target that neither the configuration nor the state has is most likely misspelt, and nothing would be planned for it. */
function targetWarning(target: string, configuration: Configuration, state: OpenState): Diagnostic[] {
  const declared = [...configuration.modules.values()].flatMap((module) => [
    ...(module.path === "" ? [] : [module.path]),
    ...[...module.resources.values()].map(
      ({ address }) => `${module.path === "" ? "" : `${module.path}.`}${resourceText(address)}`,
    ),
  ]);
  const stored = instancesOf(state.kept.current.state).map(({ address }) => address.text);
  const bare = withoutKeys(target);
  if (declared.some((name) => covers(bare, name)) || stored.some((name) => covers(target, name))) return [];
  const near = similar(target, [...declared, ...stored]);
  const detail = `There is no ${target} in the configuration or in the state.${near === undefined ? "" : ` Did you mean ${near}?`} Nothing is planned for it.`;
  return [warningDiagnostic("No such target", detail)];
}

function noConfiguration(session: Session): Diagnostic {
  return {
    severity: "error",
    summary: "No configuration files",
    detail: `The folder ${session.folder} holds no .tf, .tf.json or .stack.ts file, so there is nothing to plan. Go to the folder of your configuration, or name it with -chdir=DIR. To remove everything that the state holds, use the destroy command.`,
  };
}
