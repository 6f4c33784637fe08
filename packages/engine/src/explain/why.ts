import type { SourceRange } from "@millwright/core/source";
import type { Block } from "@millwright/hcl/ast";
import { rangeOf } from "@millwright/hcl/source-file";
import { rawEquals } from "@millwright/value/operations";
import { applyPath, type Path, startsWith } from "@millwright/value/path";
import type { Value } from "@millwright/value/value";
import {
  asMap,
  ephemeral,
  isKnown,
  isMarkedDeep,
  isNull,
  mark,
  nullValue,
  sensitive,
  unmarkDeep,
} from "@millwright/value/value";
import { absoluteResourceText, resourceText, rootModule, staticModule } from "../addresses.ts";
import type { Configuration, Resource } from "../configuration.ts";
import { placeOf } from "../objects.ts";
import type { Action, ActionReason, InstanceChange, OutputChange, Plan } from "../plan/plan.ts";
import { isChange } from "../plan/plan.ts";
import { covers } from "../plan/targets.ts";
import { parseReference, referencesOf, referencesOfBody } from "../references.ts";
import { collectVariables } from "../variables.ts";
import type { Origin, OriginScope } from "./origins.ts";
import { originsOf } from "./origins.ts";

/** Why one object is planned to change. */
export interface WhyReport {
  readonly change: InstanceChange;
  readonly action: Action;
  readonly reason: ActionReason;
  /** What was found to have become of the object outside, where something was. */
  readonly drift?: InstanceChange;
  /** What differs, attribute by attribute, in the order of names. */
  readonly parts: readonly WhyPart[];
  /** What `replace_triggered_by` names and is going to change. */
  readonly triggers: readonly WhyOrigin[];
}

/** One attribute, or all blocks of a type, that differ. */
export interface WhyPart {
  readonly name: string;
  readonly before: Value;
  readonly after: Value;
  readonly forcesReplacement: boolean;
  /** The expression that gives it; none where the provider makes it. */
  readonly expression?: WhyPlace;
  /** Where it was changed outside: what the state had, and what was found. */
  readonly drift?: ValueChange;
  readonly origins: readonly WhyOrigin[];
}

/** A piece of source as it is written. */
export interface WhyPlace {
  readonly range: SourceRange;
  readonly text: string;
}

export interface ValueChange {
  readonly before: Value;
  readonly after: Value;
}

/** Where a value comes from, with what is known of its change. */
export interface WhyOrigin extends Pick<Origin, "kind" | "text" | "range"> {
  /** What a variable is, who gave it that in words (undefined for its default), and what else it was before, where that is known. */
  readonly variable?: { readonly value: Value; readonly given?: string; readonly before?: Value };
  /** What becomes of a part of another object, by this plan or since the last apply. */
  readonly planned?: ValueChange & { readonly action: Action; readonly reason?: ActionReason };
  readonly drift?: ValueChange;
  readonly from: readonly WhyOrigin[];
}

/** Where a configuration stands among others that give it values, for reasons that lead out of it. */
export interface WhySurroundings {
  /** Where the value of a root variable comes from in turn. */
  originsOf(variable: string): readonly WhyOrigin[];
  /** What it was at the last apply; undefined where nobody knows. */
  valueBefore(variable: string): Value | undefined;
  /** An address and a place in the configuration, as they are told outside of it. */
  addressOf(text: string): string;
  placeOf(range: SourceRange): SourceRange;
}

const alone: WhySurroundings = {
  originsOf: () => [],
  valueBefore: () => undefined,
  addressOf: (text) => text,
  placeOf: (range) => range,
};

/** Why the objects at an address (of an instance, a resource or a module) change. What does not change is not among them. */
export function whyReports(plan: Plan, configuration: Configuration, address: string): WhyReport[] {
  return new Explainer(plan, configuration).reports(address);
}

/** Explains the changes of one plan. */
export class Explainer {
  readonly #plan: Plan;
  readonly #configuration: Configuration;
  readonly #surroundings: WhySurroundings;
  readonly #scope: OriginScope;
  readonly #variables: ReadonlyMap<string, Value>;

  constructor(plan: Plan, configuration: Configuration, surroundings: WhySurroundings = alone) {
    this.#plan = plan;
    this.#configuration = configuration;
    this.#surroundings = surroundings;
    this.#scope = { configuration, calls: plan.expansions.calls };
    const given = [...plan.variables].map(([name, value]) => ({ kind: "value", name, value }) as const);
    this.#variables = collectVariables(configuration.root, given).value.final;
  }

  reports(address: string): WhyReport[] {
    return this.#plan.changes
      .filter((change) => isChange(change) && covers(address, change.address.text))
      .map((change) => this.#report(change));
  }

  /**
   * What becomes of a root output, where its expression leads, and for each object there that is changed by the plan what causes
   * that in turn. Undefined where there is no such output.
   */
  output(name: string): Pick<WhyOrigin, "planned" | "from"> | undefined {
    const declared = this.#configuration.root.outputs.get(name);
    if (!declared) return undefined;
    const change = this.#plan.outputs.get(name);
    const seen = new Set<string>();
    const origins = originsOf(this.#scope, referencesOf(declared.value), rootModule, { kind: "single" });
    return {
      ...(change && change.action !== "no-op" ? { planned: plannedOutput(change) } : {}),
      from: origins.map((origin) => this.#followed(origin, seen)),
    };
  }

  /** An origin with what causes the changes of the objects that it leads to; each object's once. */
  #followed(origin: Origin, seen: Set<string>): WhyOrigin {
    const explained = this.#explained(origin);
    const from = origin.from.map((one) => this.#followed(one, seen));
    const { resource, kind } = origin;
    if (!resource) return kind === "variable" ? explained : { ...explained, from };
    const change = this.#changeOf(resource);
    if (!explained.planned || !change || change.action === "create" || seen.has(change.address.text)) return explained;
    seen.add(change.address.text);
    return { ...explained, from: this.#causes(change, resource.path).map((one) => this.#followed(one, seen)) };
  }

  /** Where the expressions lead that change a part of an object: its own where it has one, else those of all that differs. */
  #causes(change: InstanceChange, path: Path): Origin[] {
    const resource = this.#resourceOf(change);
    if (!resource) return [];
    const written = differing(change).filter(({ name }) => isWritten(resource, name));
    const own = written.filter(({ name }) => startsWith(path, [{ attribute: name }]));
    const forcing = written.filter(({ forcesReplacement }) => forcesReplacement);
    const told = own.length > 0 ? own : forcing.length > 0 ? forcing : written;
    return told.flatMap(({ name }) => this.#originsOf(change, resource, name));
  }

  #resourceOf({ address }: InstanceChange): Resource | undefined {
    return this.#configuration.modules.get(staticModule(address.module))?.resources.get(resourceText(address.resource));
  }

  #report(change: InstanceChange): WhyReport {
    const { address, action, reason, deposedKey } = change;
    const drift = this.#plan.drift.find((d) => d.address.text === address.text && d.deposedKey === deposedKey);
    const resource = this.#resourceOf(change);
    const goes = action === "delete" || action === "forget";
    return {
      change,
      action,
      reason,
      ...(drift ? { drift } : {}),
      parts: goes ? [] : this.#parts(change, drift, resource),
      triggers: reason === "replace_by_triggers" && resource ? this.#triggers(change, resource) : [],
    };
  }

  #parts(change: InstanceChange, drift: InstanceChange | undefined, resource: Resource | undefined): WhyPart[] {
    return differing(change).map((part) => {
      const outside = drift && valueChange(drift, [{ attribute: part.name }]);
      return { ...part, ...(outside ? { drift: outside } : {}), ...this.#written(change, resource, part.name) };
    });
  }

  #written(
    change: InstanceChange,
    resource: Resource | undefined,
    name: string,
  ): Pick<WhyPart, "expression" | "origins"> {
    if (!resource || !isWritten(resource, name)) return { origins: [] };
    const { node } = placeOf(resource.body, [{ attribute: name }]);
    const { file, start, end } = node;
    return {
      expression: { range: this.#surroundings.placeOf(rangeOf(node)), text: file.text.slice(start, end) },
      origins: this.#originsOf(change, resource, name).map((origin) => this.#explained(origin)),
    };
  }

  #originsOf({ address }: InstanceChange, resource: Resource, name: string): Origin[] {
    const attribute = resource.body.attributes.get(name);
    const references = attribute
      ? referencesOf(attribute.expression)
      : blocksOf(resource, name).flatMap((block) => referencesOfBody(block.body));
    return originsOf(this.#scope, references, address.module, resource.repetition);
  }

  #triggers({ address }: InstanceChange, { lifecycle, repetition }: Resource): WhyOrigin[] {
    const references = lifecycle.replaceTriggeredBy.flatMap((trigger) =>
      trigger.kind === "scopeTraversal" ? [parseReference(trigger)] : referencesOf(trigger),
    );
    return originsOf(this.#scope, references, address.module, repetition)
      .map((origin) => this.#explained(origin))
      .filter((origin) => origin.planned !== undefined);
  }

  #explained(origin: Origin): WhyOrigin {
    const { kind, range, resource } = origin;
    const text = this.#surroundings.addressOf(origin.text);
    const place = range ? { range: this.#surroundings.placeOf(range) } : {};
    if (kind === "variable") {
      const name = origin.text.slice("var.".length);
      return { kind, text, ...place, ...this.#variable(name), from: this.#surroundings.originsOf(name) };
    }
    const from = origin.from.map((one) => this.#explained(one));
    if (!resource) return { kind, text, ...place, from };
    const change = this.#changeOf(resource);
    const drift = this.#plan.drift.find((one) => isOf(resource, one));
    const planned = change && valueChange(change, resource.path);
    const outside = drift && valueChange(drift, resource.path);
    return {
      kind,
      text,
      ...place,
      ...(planned ? { planned: { ...planned, action: change.action, ...reasonOf(change) } } : {}),
      ...(outside ? { drift: outside } : {}),
      from,
    };
  }

  #changeOf(resource: OriginResource): InstanceChange | undefined {
    return this.#plan.changes.find((one) => isOf(resource, one) && one.action !== "no-op");
  }

  #variable(name: string): Pick<WhyOrigin, "variable"> {
    const declared = this.#configuration.root.variables.get(name);
    const value = this.#variables.get(name);
    if (!declared || !value) return {};
    const secret =
      declared.sensitive || declared.ephemeral || value.marks.has(ephemeral) || isMarkedDeep(value, sensitive);
    const given = this.#plan.variablesFrom?.get(name);
    const shown = (one: Value) => (secret ? mark(one, sensitive) : one);
    const before = this.#surroundings.valueBefore(name);
    const was = before && !rawEquals(unmarkDeep(before)[0], unmarkDeep(value)[0]) ? { before: shown(before) } : {};
    return { variable: { value: shown(value), ...(given === undefined ? {} : { given }), ...was } };
  }
}

type OriginResource = NonNullable<Origin["resource"]>;

function isOf({ text, key }: OriginResource, { address }: InstanceChange): boolean {
  if (absoluteResourceText(address.module, address.resource) !== text) return false;
  return key === undefined || address.key === key;
}

function reasonOf({ reason }: InstanceChange): { readonly reason?: ActionReason } {
  return reason === "none" ? {} : { reason };
}

/** The attributes of an object that a change makes different. */
function differing({
  before,
  after,
  replacePaths,
}: InstanceChange): Pick<WhyPart, "name" | "before" | "after" | "forcesReplacement">[] {
  if (isNull(after) || !isKnown(after)) return [];
  return [...asMap(after)].flatMap(([name, now]) => {
    const path: Path = [{ attribute: name }];
    const old = isNull(before) ? nullValue(now.type) : (asMap(before).get(name) ?? nullValue(now.type));
    if (rawEquals(old, now)) return [];
    const forcesReplacement = replacePaths.some((replace) => startsWith(replace, path));
    return [{ name, before: old, after: now, forcesReplacement }];
  });
}

function isWritten(resource: Resource, name: string): boolean {
  return resource.body.attributes.has(name) || blocksOf(resource, name).length > 0;
}

function blocksOf({ body }: Resource, name: string): readonly Block[] {
  return body.blocks.filter((block) => block.type === name || block.labels[0] === name);
}

function plannedOutput({ action, before, after, sensitive: secret }: OutputChange): NonNullable<WhyOrigin["planned"]> {
  const shown = (value: Value) => (secret ? mark(value, sensitive) : value);
  return { action, before: shown(before), after: shown(after) };
}

/** What becomes of a part of an object; undefined where it stays. */
function valueChange({ before, after }: InstanceChange, path: Path): ValueChange | undefined {
  const old = isNull(before) ? before : applyPath(before, path);
  const now = isNull(after) ? after : applyPath(after, path);
  if (!old || !now || rawEquals(old, now)) return undefined;
  return { before: old, after: now };
}
