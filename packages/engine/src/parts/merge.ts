import { configResourceText } from "../addresses.ts";
import type { ResourceState, State } from "../state.ts";
import { writeStateFile } from "../statefile/write.ts";
import { outputPart } from "./parts-of-plan.ts";

/** Parts of a state that one run writes. */
export interface OwnParts {
  /** Nobody else writes these meanwhile. */
  readonly changed: ReadonlySet<string>;
  /** Written where this run has them; the last one's are as good as others. */
  readonly along: ReadonlySet<string>;
}

export const noParts: OwnParts = { changed: new Set(), along: new Set() };

/** The newest state with a run's own parts put in: what it has of them, and nothing of what it has not any more. */
export function mergeParts(newest: State, mine: State, { changed, along }: OwnParts): State {
  const resources = new Map([...newest.resources].filter(([, resource]) => !changed.has(partOf(resource))));
  for (const [text, resource] of mine.resources) {
    const part = partOf(resource);
    if (changed.has(part) || along.has(part)) resources.set(text, resource);
  }
  const outputs = new Map([...newest.outputs].filter(([name]) => !changed.has(outputPart(name))));
  for (const [name, output] of mine.outputs) if (changed.has(outputPart(name))) outputs.set(name, output);
  return { resources, outputs, checkResults: mergeChecks(newest.checkResults, mine.checkResults, changed) };
}

/** Those of the parts that two states do not have alike, in the order given. */
export function differingParts(one: State, other: State, parts: readonly string[]): readonly string[] {
  const [mine, theirs] = [partTexts(one, parts), partTexts(other, parts)];
  return parts.filter((part) => mine.get(part) !== theirs.get(part));
}

function partTexts(state: State, parts: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map(parts.map((part) => [part, new Map<string, ResourceState>()]));
  for (const [text, resource] of state.resources) found.get(partOf(resource))?.set(text, resource);
  const textOf = (part: string, resources: ReadonlyMap<string, ResourceState>) => {
    const outputs = new Map([...state.outputs].filter(([name]) => outputPart(name) === part));
    return writeStateFile({ lineage: "", serial: 0, state: { resources, outputs, checkResults: null } });
  };
  return new Map([...found].map(([part, resources]) => [part, textOf(part, resources)]));
}

function partOf({ module, address }: ResourceState): string {
  return configResourceText(module, address);
}

// What came of checks goes with the object that it is about; that of variables and check blocks is the last run's.
function mergeChecks(newest: unknown, mine: unknown, changed: ReadonlySet<string>): unknown {
  if (!Array.isArray(mine)) return newest;
  const isMine = (result: unknown) => {
    const { object_kind: kind, config_addr: address } = (result ?? {}) as Readonly<Record<string, unknown>>;
    return kind === "var" || kind === "check" || changed.has(String(address));
  };
  const nameOf = (result: unknown) => {
    const { object_kind: kind, config_addr: address } = (result ?? {}) as Readonly<Record<string, unknown>>;
    return `${String(kind)} ${String(address)}`;
  };
  const before: readonly unknown[] = Array.isArray(newest) ? newest : [];
  const own = mine.filter(isMine);
  const ownNames = new Set(own.map(nameOf));
  const kept = before.filter((result) => !ownNames.has(nameOf(result)) && !changed.has(addressOf(result)));
  return [...kept, ...own];
}

function addressOf(result: unknown): string {
  return String(((result ?? {}) as Readonly<Record<string, unknown>>).config_addr);
}
