import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import type { SourceRange } from "@millwright/core/source";
import type { BackendType } from "@millwright/backends/backend-type";
import { backendHash, backendNamed } from "@millwright/backends/configure";
import type { Module } from "@millwright/engine/configuration";
import { specOf } from "@millwright/engine/decode-body";
import { readRootSettings } from "@millwright/engine/load/root";
import { StaticEvaluator } from "@millwright/engine/load/static";
import { filesBelow, filesOf } from "@millwright/engine/node-files";
import type { Value } from "@millwright/value/value";
import { unmarkDeep } from "@millwright/value/value";
import { variableSources } from "../variable-sources.ts";
import type { GivenFlag } from "../options.ts";
import { staticOptions } from "../run-context.ts";
import type { Session } from "../session.ts";

/** The backend block of a folder, evaluated. */
export interface BackendBlockValue {
  readonly type: BackendType;
  /** Every attribute of the block; what is not set is null. */
  readonly value: Value;
  readonly hash: number;
  readonly range: SourceRange;
}

/** What a folder's root module says of its state. */
export interface RootSettings {
  readonly module: Module;
  /** Evaluates what must be known before anything is planned. */
  readonly evaluator: StaticEvaluator;
}

/** Undefined where the folder says nothing of its state, unless it is wanted `always`. */
export function rootSettings(
  session: Session,
  occurrences: readonly GivenFlag[],
  wanted: "where it says so" | "always" = "where it says so",
): Diagnosed<RootSettings | undefined> {
  const read = readRootSettings(templateFiles(session), { tofuFiles: true, always: wanted === "always" });
  if (!read) return { value: undefined, diagnostics: [] };
  const { value: module, diagnostics } = read;
  const { sources } = variableSources(session, occurrences);
  const evaluator = new StaticEvaluator(new Map([["", module]]), staticOptions(session, sources));
  return { value: { module, evaluator }, diagnostics };
}

/** The backend that the folder's block says; undefined where there is none. */
export async function configuredBackend(
  settings: RootSettings | undefined,
): Promise<Diagnosed<BackendBlockValue | undefined>> {
  const block = settings?.module.backend;
  if (!settings || !block) return { value: undefined, diagnostics: [] };
  const named = await backendNamed(block.type, block.range);
  const type = named.value;
  if (!type) return { value: undefined, diagnostics: named.diagnostics };
  const what = `backend.${block.type}`;
  const decoded = settings.evaluator.decode(settings.module, block.body, specOf(type.schema), what);
  if (hasErrors(decoded.diagnostics)) return { value: undefined, diagnostics: decoded.diagnostics };
  const [value] = unmarkDeep(decoded.value);
  const { range } = block;
  return { value: { type, value, hash: backendHash(type.name, value), range }, diagnostics: decoded.diagnostics };
}

// The template of an instance that is to be removed may be gone; then it is as it was when the instance was made.
function templateFiles({ instance, folder }: Session) {
  return instance?.files ? filesOf(instance.files) : filesBelow(folder);
}

/** That `init` has to come first. */
export function initializationRequired(session: Session, reason: string, first: boolean): Diagnostic {
  const command = `"${session.style} init"`;
  return errorDiagnostic(
    `Backend initialization required${first ? "," : ":"} please run ${command}`,
    `Reason: ${reason}\n\nWhere the state is kept was not yet agreed on with this folder, and nothing was read or changed. Run ${command}; where a state is to be taken along from another place, "${session.style} init -migrate-state", and to use the new place as it is, "${session.style} init -reconfigure".`,
  );
}
