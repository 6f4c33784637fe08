import type { SourceRange } from "@millwright/core/source";
import type { ModuleInstance, ResourceAddress } from "../addresses.ts";
import { absoluteResourceText, childModule, resourceText, rootModule } from "../addresses.ts";
import type { Configuration, Module } from "../configuration.ts";
import type { ResourceState, State } from "../state.ts";
import { keyOf } from "../state.ts";
import type { Endpoint } from "./endpoint.ts";

/** What is to move, and where to: as a block says, or as it follows from a `count` that was added or taken away. */
export interface MoveStatement {
  readonly kind: "written" | "implied";
  /** The names of the module that the ends are relative to. */
  readonly path: readonly string[];
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly range: SourceRange;
}

/** Every `moved` block of a configuration, and the moves that follow from how resources are repeated now. */
export function moveStatements(configuration: Configuration, state: State): MoveStatement[] {
  const written = [...configuration.modules.values()].flatMap(writtenIn);
  return [...written, ...impliedMoves(configuration, state, written)];
}

function writtenIn(module: Module): MoveStatement[] {
  return module.moved.map(({ from, to, range }) => ({ kind: "written", path: module.names, from, to, range }));
}

function impliedMoves(
  configuration: Configuration,
  state: State,
  written: readonly MoveStatement[],
): readonly MoveStatement[] {
  const named = new Set(written.map((statement) => absoluteText(statement, statement.from)));
  const implied = new Map<string, MoveStatement>();
  for (const resource of state.resources.values()) {
    const found = impliedMove(configuration, resource);
    if (!found) continue;
    const text = absoluteText(found, found.from);
    if (!named.has(text)) implied.set(text, found);
  }
  return [...implied.values()];
}

function impliedMove(configuration: Configuration, { module, address, instances }: ResourceState) {
  if (address.mode !== "managed") return undefined;
  const names = module.steps.map((step) => step.name);
  const declared = configuration.modules.get(names.map((name) => `module.${name}`).join("."));
  const resource = declared?.resources.get(resourceText(address));
  if (!resource || resource.repetition.kind === "forEach") return undefined;
  const counted = resource.repetition.kind === "count";
  const [from, to] = counted ? [undefined, 0] : [0, undefined];
  if (!instances.has(keyOf(from)) || instances.has(keyOf(to))) return undefined;
  const end = (key: number | undefined): Endpoint => ({
    ...wholeEnd(address),
    key,
    text: `${resourceText(address)}${keyOf(key)}`,
    range: resource.range,
  });
  return { kind: "implied", path: names, from: end(from), to: end(to), range: resource.range } as const;
}

function wholeEnd(resource: ResourceAddress) {
  return { module: rootModule, resource };
}

/** An end as seen from the root, the modules that it is relative to without their keys. */
export function absoluteText({ path }: Pick<MoveStatement, "path">, end: Endpoint): string {
  const module = moduleOf(path, end);
  if (!end.resource) return module.text;
  return `${absoluteResourceText(module, end.resource)}${keyOf(end.key)}`;
}

function moduleOf(path: readonly string[], end: Endpoint): ModuleInstance {
  const base = path.reduce((parent, name) => childModule(parent, name, undefined), rootModule);
  return end.module.steps.reduce((parent, { name, key }) => childModule(parent, name, key), base);
}
