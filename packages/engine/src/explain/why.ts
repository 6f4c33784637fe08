import type { SourceRange } from "@millwright/core/source";
import { rangeOf } from "@millwright/hcl/source-file";
import { rawEquals } from "@millwright/value/operations";
import { applyPath, type Path, startsWith } from "@millwright/value/path";
import type { Value } from "@millwright/value/value";
import { asMap, ephemeral, isKnown, isNull, mark, nullValue, sensitive } from "@millwright/value/value";
import { absoluteResourceText, resourceText, staticModule } from "../addresses.ts";
import type { Configuration, Resource } from "../configuration.ts";
import { placeOf } from "../objects.ts";
import type { Action, ActionReason, InstanceChange, Plan } from "../plan/plan.ts";
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
  /** What a variable is, and who gave it that, in words; undefined for its default. */
  readonly variable?: { readonly value: Value; readonly given?: string };
  /** What becomes of a part of another object, by this plan or since the last apply. */
  readonly planned?: ValueChange & { readonly action: Action };
  readonly drift?: ValueChange;
  readonly from: readonly WhyOrigin[];
}

/** Why the objects at an address (of an instance, a resource or a module) change. What does not change is not among them. */
export function whyReports(plan: Plan, configuration: Configuration, address: string): WhyReport[] {
  const explainer = new Explainer(plan, configuration);
  return plan.changes
    .filter((change) => isChange(change) && covers(address, change.address.text))
    .map((change) => explainer.report(change));
}

class Explainer {
  readonly #plan: Plan;
  readonly #configuration: Configuration;
  readonly #scope: OriginScope;
  readonly #variables: ReadonlyMap<string, Value>;

  constructor(plan: Plan, configuration: Configuration) {
    this.#plan = plan;
    this.#configuration = configuration;
    this.#scope = { configuration, calls: plan.expansions.calls };
    const given = [...plan.variables].map(([name, value]) => ({ kind: "value", name, value }) as const);
    this.#variables = collectVariables(configuration.root, given).value.final;
  }

  report(change: InstanceChange): WhyReport {
    const { address, action, reason, deposedKey } = change;
    const drift = this.#plan.drift.find((d) => d.address.text === address.text && d.deposedKey === deposedKey);
    const resource = this.#configuration.modules
      .get(staticModule(address.module))
      ?.resources.get(resourceText(address.resource));
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
    const { before, after, replacePaths } = change;
    if (isNull(after) || !isKnown(after)) return [];
    const parts: WhyPart[] = [];
    for (const [name, now] of asMap(after)) {
      const path: Path = [{ attribute: name }];
      const old = isNull(before) ? nullValue(now.type) : (asMap(before).get(name) ?? nullValue(now.type));
      if (rawEquals(old, now)) continue;
      const outside = drift && valueChange(drift, path);
      parts.push({
        name,
        before: old,
        after: now,
        forcesReplacement: replacePaths.some((replace) => startsWith(replace, path)),
        ...(outside ? { drift: outside } : {}),
        ...this.#written(change, resource, name),
      });
    }
    return parts;
  }

  #written(
    change: InstanceChange,
    resource: Resource | undefined,
    name: string,
  ): Pick<WhyPart, "expression" | "origins"> {
    if (!resource) return { origins: [] };
    const { module } = change.address;
    const attribute = resource.body.attributes.get(name);
    const blocks = resource.body.blocks.filter((block) => block.type === name || block.labels[0] === name);
    if (!attribute && blocks.length === 0) return { origins: [] };
    const { node } = placeOf(resource.body, [{ attribute: name }]);
    const references = attribute
      ? referencesOf(attribute.expression)
      : blocks.flatMap((block) => referencesOfBody(block.body));
    const origins = originsOf(this.#scope, references, module, resource.repetition);
    const { file, start, end } = node;
    return {
      expression: { range: rangeOf(node), text: file.text.slice(start, end) },
      origins: origins.map((origin) => this.#explained(origin)),
    };
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
    const { kind, text, range, resource } = origin;
    const from = origin.from.map((one) => this.#explained(one));
    const place = range ? { range } : {};
    if (kind === "variable") return { kind, text, ...place, ...this.#variable(text.slice("var.".length)), from };
    if (!resource) return { kind, text, ...place, from };
    const isOf = ({ address }: InstanceChange) =>
      absoluteResourceText(address.module, address.resource) === resource.text &&
      (resource.key === undefined || address.key === resource.key);
    const change = this.#plan.changes.find((one) => isOf(one) && one.action !== "no-op");
    const drift = this.#plan.drift.find(isOf);
    const planned = change && valueChange(change, resource.path);
    const outside = drift && valueChange(drift, resource.path);
    return {
      kind,
      text,
      ...place,
      ...(planned ? { planned: { ...planned, action: change.action } } : {}),
      ...(outside ? { drift: outside } : {}),
      from,
    };
  }

  #variable(name: string): Pick<WhyOrigin, "variable"> {
    const declared = this.#configuration.root.variables.get(name);
    const value = this.#variables.get(name);
    if (!declared || !value) return {};
    const secret = declared.sensitive || declared.ephemeral || value.marks.has(ephemeral);
    const given = this.#plan.variablesFrom?.get(name);
    return { variable: { value: secret ? mark(value, sensitive) : value, ...(given === undefined ? {} : { given }) } };
  }
}

/** What becomes of a part of an object; undefined where it stays. */
function valueChange({ before, after }: InstanceChange, path: Path): ValueChange | undefined {
  const old = isNull(before) ? before : applyPath(before, path);
  const now = isNull(after) ? after : applyPath(after, path);
  if (!old || !now || rawEquals(old, now)) return undefined;
  return { before: old, after: now };
}
