import type { SourceRange } from "@millwright/core/source";
import type { TraversalStep } from "@millwright/hcl/ast";
import { rangeOf } from "@millwright/hcl/source-file";
import type { Path } from "@millwright/value/path";
import { asNumber } from "@millwright/value/value";
import type { InstanceKey, ModuleInstance } from "../addresses.ts";
import { absoluteResourceText, childModule, keyText, rootModule } from "../addresses.ts";
import type { Configuration, Module, Repetition } from "../configuration.ts";
import { childPath } from "../configuration.ts";
import { expansionKeys } from "../expansion.ts";
import type { Plan } from "../plan/plan.ts";
import type { ParsedReference, Reference } from "../references.ts";
import { referencesOf } from "../references.ts";
import { traversalText } from "../refactor/endpoint.ts";

/** Something that an expression takes a value from, and what that takes its value from in turn. */
export interface Origin {
  readonly kind: "variable" | "input" | "local" | "output" | "resource" | "repetition" | "other";
  /** The whole address: `var.a`, `module.m.local.b`, `module.m["x"].aws_thing.c[0].id`. */
  readonly text: string;
  /** Of a resource: without the instance's key, the key that is written, and the way into its value. */
  readonly resource?: { readonly text: string; readonly key?: InstanceKey; readonly path: Path };
  /** Where the value is written, of what has such a place. */
  readonly range?: SourceRange;
  readonly from: readonly Origin[];
}

/** Where expressions are, as origins are looked for. */
export interface OriginScope {
  readonly configuration: Configuration;
  /** How modules were repeated, as the plan has it. */
  readonly calls: Plan["expansions"]["calls"];
}

/** What a module instance's references lead to; `repetition` is that of the block they stand in. */
export function originsOf(
  scope: OriginScope,
  references: readonly ParsedReference[],
  module: ModuleInstance,
  repetition: Repetition,
): Origin[] {
  return new Tracer(scope).all(references, module, repetition);
}

/** All origins of a tree that are parts of resources. */
export function resourceOrigins(origins: readonly Origin[]): NonNullable<Origin["resource"]>[] {
  return origins.flatMap(({ resource, from }) => [...(resource ? [resource] : []), ...resourceOrigins(from)]);
}

const single: Repetition = { kind: "single" };

class Tracer {
  readonly #scope: OriginScope;
  /** What has been followed once is not followed again: others lead to the same. */
  readonly #seen = new Map<string, Origin>();

  constructor(scope: OriginScope) {
    this.#scope = scope;
  }

  all(references: readonly ParsedReference[], module: ModuleInstance, repetition: Repetition): Origin[] {
    const found = new Map<string, Origin>();
    for (const parsed of references) {
      if (!parsed.ok) continue;
      for (const origin of this.#one(parsed.reference, module, repetition)) found.set(origin.text, origin);
    }
    return [...found.values()];
  }

  #one(reference: Reference, module: ModuleInstance, repetition: Repetition): readonly Origin[] {
    const { subject } = reference;
    switch (subject.kind) {
      case "variable":
        return [this.#variable(subject.name, module)];
      case "local":
        return [this.#local(subject.name, module)];
      case "module":
        return this.#outputs(reference, subject, module);
      case "resource":
        return [this.#resource(reference, absoluteResourceText(module, subject.address))];
      case "each":
      case "count": {
        const text = `${prefix(module)}${subject.kind}.${subject.name}`;
        if (repetition.kind === "single") return [{ kind: "repetition", text, from: [] }];
        const { expression } = repetition;
        const from = this.all(referencesOf(expression), module, single);
        return [{ kind: "repetition", text, range: rangeOf(expression), from }];
      }
      case "path":
      case "terraform":
      case "self":
        return [{ kind: "other", text: traversalText(reference.traversal), from: [] }];
    }
  }

  #variable(name: string, module: ModuleInstance): Origin {
    const text = `${prefix(module)}var.${name}`;
    if (module.steps.length === 0) {
      const declared = this.#scope.configuration.root.variables.get(name);
      return { kind: "variable", text, ...(declared ? { range: declared.range } : {}), from: [] };
    }
    return this.#once(text, () => {
      const callName = module.steps.at(-1)!.name;
      const caller = moduleOf(module.steps.slice(0, -1));
      const call = this.#module(caller)?.calls.get(callName);
      const input = call?.inputs.get(name);
      if (!call || !input) return { kind: "input", text, from: [] };
      const from = this.all(referencesOf(input), caller, call.repetition);
      return { kind: "input", text, range: rangeOf(input), from };
    });
  }

  #local(name: string, module: ModuleInstance): Origin {
    const text = `${prefix(module)}local.${name}`;
    return this.#once(text, () => {
      const local = this.#module(module)?.locals.get(name);
      if (!local) return { kind: "local", text, from: [] };
      const from = this.all(referencesOf(local.expression), module, single);
      return { kind: "local", text, range: rangeOf(local.expression), from };
    });
  }

  #outputs(
    { rest }: Reference,
    { name, output }: { readonly name: string; readonly output?: string },
    caller: ModuleInstance,
  ): Origin[] {
    const declaring = this.#module(caller);
    const child = declaring && this.#scope.configuration.modules.get(childPath(declaring, name));
    if (!child) return [];
    const names = output !== undefined && child.outputs.has(output) ? [output] : [...child.outputs.keys()];
    const given = rest[0]?.kind === "index" ? keyOf(rest[0]) : undefined;
    const expansion = this.#scope.calls.get(`${caller.text}|${name}`);
    const keys = given !== undefined ? [given] : expansion ? expansionKeys(expansion) : [undefined];
    return keys.flatMap((key) => names.map((one) => this.#output(one, child, childModule(caller, name, key))));
  }

  #output(name: string, module: Module, instance: ModuleInstance): Origin {
    const text = `${instance.text}.${name}`;
    return this.#once(text, () => {
      const declared = module.outputs.get(name)!;
      const from = this.all(referencesOf(declared.value), instance, single);
      return { kind: "output", text, range: rangeOf(declared.value), from };
    });
  }

  #resource({ rest, traversal }: Reference, text: string): Origin {
    const first = rest[0];
    const key = first?.kind === "index" ? keyOf(first) : undefined;
    const steps = key === undefined ? rest : rest.slice(1);
    const path = steps.map((step) => (step.kind === "attribute" ? { attribute: step.name } : { index: step.key }));
    const shown = `${text}${keyText(key)}${steps.map(stepText).join("")}`;
    const place = rangeOf(traversal);
    const resource = { text, path, ...(key === undefined ? {} : { key }) };
    return { kind: "resource", text: shown, resource, range: place, from: [] };
  }

  #once(text: string, make: () => Origin): Origin {
    const known = this.#seen.get(text);
    if (known) return known;
    this.#seen.set(text, { kind: "other", text, from: [] });
    const origin = make();
    this.#seen.set(text, origin);
    return origin;
  }

  #module(instance: ModuleInstance): Module | undefined {
    return this.#scope.configuration.modules.get(instance.steps.map((step) => `module.${step.name}`).join("."));
  }
}

function prefix(module: ModuleInstance): string {
  return module.text === "" ? "" : `${module.text}.`;
}

function moduleOf(steps: ModuleInstance["steps"]): ModuleInstance {
  return steps.reduce((parent, { name, key }) => childModule(parent, name, key), rootModule);
}

function keyOf({ key }: Extract<TraversalStep, { readonly kind: "index" }>): InstanceKey {
  if (typeof key.data === "string") return key.data;
  return key.type.kind === "number" && key.data !== null ? asNumber(key).toNumber() : undefined;
}

function stepText(step: TraversalStep): string {
  return step.kind === "attribute" ? `.${step.name}` : keyText(keyOf(step));
}
