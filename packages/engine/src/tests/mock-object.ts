import type { Chance } from "@millwright/core/ports";
import type { SourceRange } from "@millwright/core/source";
import type { ApplyCall, DataCall, PlanCall, Provider, ProviderDiagnostics } from "@millwright/provider/protocol";
import type { Schema } from "@millwright/provider/schema";
import { isNull, type Value } from "@millwright/value/value";
import { filled, type MockMisfit, withUnknowns } from "./mock-values.ts";

/** What stands for the values that a provider would compute for one object. */
export interface MockValues {
  readonly values: Value;
  readonly duringPlan: boolean;
  readonly range: SourceRange | undefined;
}

/** What objects of one type are made of. */
export interface MockedType {
  readonly schema: Schema;
  readonly mock: MockValues;
  readonly chance: Chance;
}

/** How a provider whose objects are made up answers the calls that are about one object. */
export type MockCalls = Pick<
  Provider,
  | "validateResourceConfig"
  | "validateDataConfig"
  | "readResource"
  | "planResourceChange"
  | "applyResourceChange"
  | "readDataSource"
  | "importResourceState"
>;

const noPrivate = new Uint8Array();

/** Calls that are answered without a provider: what it would compute is taken from `typeOf`, or made up. */
export function mockCalls(typeOf: (mode: "managed" | "data", type: string) => MockedType): MockCalls {
  return {
    validateResourceConfig: () => Promise.resolve({ diagnostics: [] }),
    validateDataConfig: () => Promise.resolve({ diagnostics: [] }),
    readResource: ({ current, private: own }) => Promise.resolve({ newState: current, private: own, diagnostics: [] }),
    planResourceChange: (call) => Promise.resolve(plan(typeOf("managed", call.type), call)),
    applyResourceChange: (call) => Promise.resolve(apply(typeOf("managed", call.type), call)),
    readDataSource: (call) => Promise.resolve(read(typeOf("data", call.type), call)),
    importResourceState: ({ type }) => {
      const detail = `Objects of a mocked provider cannot be imported, as there is nothing behind them: mark the ${type} as overridden, or leave the import out of the configuration under test.`;
      const diagnostics = [{ severity: "error" as const, summary: "Import is not possible here", detail }];
      return Promise.resolve({ imported: [], diagnostics });
    },
  };
}

function plan(type: MockedType, { prior, proposed }: PlanCall) {
  const common = { requiresReplace: [], plannedPrivate: noPrivate, legacyTypeSystem: false };
  if (isNull(proposed) || !isNull(prior)) return { planned: proposed, ...common, diagnostics: [] };
  const planned = withUnknowns(type.schema.block, proposed);
  if (!type.mock.duringPlan) return { planned, ...common, diagnostics: [] };
  const made = make(type, planned);
  return { planned: made.value, ...common, diagnostics: made.diagnostics };
}

function apply(type: MockedType, { planned }: ApplyCall) {
  const common = { private: noPrivate, legacyTypeSystem: false };
  if (isNull(planned)) return { newState: planned, ...common, diagnostics: [] };
  const made = make(type, planned);
  return { newState: made.value, ...common, diagnostics: made.diagnostics };
}

function read(type: MockedType, { config }: DataCall) {
  const made = make(type, withUnknowns(type.schema.block, config));
  return { state: made.value, diagnostics: made.diagnostics };
}

function make({ schema, mock, chance }: MockedType, value: Value) {
  const misfits: MockMisfit[] = [];
  const result = filled(schema.block, value, { given: mock.values, chance, misfits });
  return { value: result, diagnostics: misfits.map((misfit) => misfitFound(misfit, mock.range)) };
}

function misfitFound({ attribute, message }: MockMisfit, range: SourceRange | undefined): ProviderDiagnostics[number] {
  const at = range ? ` defined at ${range.filename}:${range.start.line},${range.start.column}-${range.end.column}` : "";
  const detail = `The mocked data${at} has a value for "${attribute}" that does not fit: ${message}.`;
  return { severity: "error", summary: "Failed to compute attribute", detail };
}
