import type { SourceRange } from "@millwright/core/source";
import type { Expression, ScopeTraversal } from "@millwright/hcl/ast";
import { referencesIn } from "@millwright/hcl/references";
import { rangeOf } from "@millwright/hcl/source-file";
import { mark, sensitive, type Value } from "@millwright/value/value";
import type { Configuration } from "../configuration.ts";
import { Explainer, type WhyOrigin, type WhyReport } from "../explain/why.ts";
import type { Plan } from "../plan/plan.ts";
import type { InstanceList } from "./instance-list.ts";

/** One instance of a list with its plan. */
export interface ExplainedInstance {
  readonly plan: Plan;
  readonly configuration: Configuration;
  /** Its inputs at its last apply, as far as they are kept. */
  readonly inputsBefore: ReadonlyMap<string, Value>;
  /** A place in the template, as it is told in the list's folder. */
  placeOf(range: SourceRange): SourceRange;
}

export interface ExplainedList {
  readonly list: InstanceList;
  readonly instances: ReadonlyMap<string, ExplainedInstance>;
  /** Values of the list's own variables, and who gave them, in words. */
  readonly variables: ReadonlyMap<string, Value>;
  readonly variablesFrom: ReadonlyMap<string, string>;
}

/**
 * Why objects of one instance change. Where an input comes from an output of another instance, that is followed: to what changes
 * the output there, and through its own inputs to further instances. Objects of others are told with their instance in front:
 * `network: aws_vpc.main.id`.
 */
export function whyInInstance(all: ExplainedList, instance: string, address: string): WhyReport[] {
  return new Tracer(all).explainer(instance, (text) => text)?.reports(address) ?? [];
}

class Tracer {
  readonly #all: ExplainedList;
  /** Outputs that have been followed: they are not followed again where others lead to the same. */
  readonly #told = new Set<string>();

  constructor(all: ExplainedList) {
    this.#all = all;
  }

  explainer(name: string, addressOf: (text: string) => string): Explainer | undefined {
    const instance = this.#all.instances.get(name);
    if (!instance) return undefined;
    const { plan, configuration, inputsBefore, placeOf } = instance;
    return new Explainer(plan, configuration, {
      originsOf: (variable) => {
        const input = this.#all.list.instances.get(name)?.inputs.get(variable);
        return input ? this.#origins(input.expression) : [];
      },
      valueBefore: (variable) => inputsBefore.get(variable),
      addressOf,
      placeOf,
    });
  }

  #origins(expression: Expression): WhyOrigin[] {
    const found = new Map<string, WhyOrigin>();
    for (const traversal of referencesIn(expression)) {
      const origin = this.#origin(traversal);
      if (origin) found.set(origin.text, origin);
    }
    return [...found.values()];
  }

  #origin(traversal: ScopeTraversal): WhyOrigin | undefined {
    const [first, second] = traversal.steps;
    if (first?.kind !== "attribute") return undefined;
    const { name } = first;
    const root = traversal.root.name;
    const text = `${root}.${name}`;
    if (root === "var") return { kind: "variable", text, ...this.#variable(name), from: [] };
    if (root === "local") {
      const local = this.#all.list.locals.get(name);
      const place = local ? { range: rangeOf(local.expression) } : {};
      return { kind: "local", text, ...place, from: local ? this.#origins(local.expression) : [] };
    }
    if (second?.kind !== "attribute") return { kind: "output", text, range: rangeOf(traversal), from: [] };
    return this.#output(name, second.name, rangeOf(traversal));
  }

  #output(instance: string, output: string, place: SourceRange): WhyOrigin {
    const text = `instance.${instance}.${output}`;
    const isNew = !this.#told.has(text);
    this.#told.add(text);
    // Of an instance that this run does not plan, only its state is known.
    const found = this.explainer(instance, (address) => `${instance}: ${address}`)?.output(output);
    if (!found) return { kind: "output", text, range: place, from: [] };
    const { planned, from } = found;
    return { kind: "output", text, range: place, ...(planned ? { planned } : {}), from: isNew ? from : [] };
  }

  #variable(name: string): Pick<WhyOrigin, "range" | "variable"> {
    const declared = this.#all.list.variables.get(name);
    const value = this.#all.variables.get(name);
    if (!declared || !value) return {};
    const given = this.#all.variablesFrom.get(name);
    const shown = declared.sensitive ? mark(value, sensitive) : value;
    return { range: declared.range, variable: { value: shown, ...(given === undefined ? {} : { given }) } };
  }
}
