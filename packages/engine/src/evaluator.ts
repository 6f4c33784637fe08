import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import type { Provisioners } from "@millwright/provisioners/provisioner";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import { invariant } from "@millwright/core/errors";
import type { Expression } from "@millwright/hcl/ast";
import { evaluate } from "@millwright/hcl/evaluate";
import { type Cause, expressionValues } from "@millwright/hcl/expression-values";
import type { FunctionSpec } from "@millwright/hcl/function-spec";
import type { Lookup, Scope } from "@millwright/hcl/scope";
import { dynamicType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import {
  asMap,
  boolValue,
  dynamicValue,
  ephemeral,
  mark,
  nullValue,
  numberValue,
  objectValue,
  sensitive,
  stringValue,
  tupleValue,
} from "@millwright/value/value";
import type { InstanceKey, ModuleInstance, ResourceAddress } from "./addresses.ts";
import { absoluteResourceText, childModule, everyModule, rootModule } from "./addresses.ts";
import { childPath, type Configuration, type Module } from "./configuration.ts";
import type { ParsedReference } from "./references.ts";
import { referencesOf } from "./references.ts";
import type { ProviderFunctions } from "./functions/provider-functions.ts";
import { type Expansion, expansionKeys } from "./expansion.ts";
import { finishVariable } from "./variables.ts";

/** What an expression may use beside its module's names: the instance it is evaluated for. */
export interface InstanceData {
  readonly each?: { readonly key: Value; readonly value: Value };
  readonly count?: Value;
  readonly self?: Value;
}

export const noInstance: InstanceData = {};

/** What surrounds an evaluation and does not change during a walk. */
export interface EvaluatorContext {
  readonly configuration: Configuration;
  /** Final values of the root module's variables, marked where they are sensitive or ephemeral. */
  readonly variables: ReadonlyMap<string, Value>;
  functions(module: Module, filename: string): Lookup<FunctionSpec>;
  readonly workspace: string;
  /** Whether this is the apply of a plan (`terraform.applying`). */
  readonly applying: boolean;
  /** `path.cwd`. */
  readonly cwd: string;
  /** What `provisioner` blocks can name; none where not given. */
  readonly provisioners?: Provisioners;
  /** The environment that provisioners run in. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Modules that a test gives outputs to: nothing inside them is looked at. */
  readonly moduleStandIns?: ModuleStandIns;
}

export interface ModuleStandIns {
  /** The outputs of a module instance; those left out are null. Undefined for a module that is what it is. */
  outputsOf(instance: ModuleInstance): ReadonlyMap<string, Value> | undefined;
}

/**
 * Values of all that a configuration names, made when they are first asked for and then kept. What is not pure (resources,
 * module expansions) is put in by the walk that knows it; locals, variables and outputs follow from that.
 *
 * One evaluator serves one walk. It does no I/O and is never asked for something whose dependencies are still to come.
 */
export class Evaluator {
  readonly context: EvaluatorContext;
  readonly providerFunctions: ProviderFunctions | undefined;
  readonly #calls = new Map<string, Expansion>();
  readonly #resources = new Map<string, ResourceValues>();
  readonly #instances = new Map<string, readonly ModuleInstance[]>();
  readonly #modules = new Map<string, Value>();
  readonly #memo = new Map<string, Diagnosed<Value>>();
  readonly #underway = new Set<string>();

  constructor(context: EvaluatorContext, providerFunctions?: ProviderFunctions) {
    this.context = context;
    this.providerFunctions = providerFunctions;
  }

  // ── what the walk puts in ──

  /** How a module call came out in one instance of its caller. */
  setCall(caller: ModuleInstance, name: string, expansion: Expansion): void {
    this.setCallByText(caller.text, name, expansion);
  }

  /** The same by the caller's whole address, as a plan keeps it. */
  setCallByText(caller: string, name: string, expansion: Expansion): void {
    this.#calls.set(`${caller}|${name}`, expansion);
    this.#instances.clear();
  }

  call(caller: ModuleInstance, name: string): Expansion {
    return this.#calls.get(`${caller.text}|${name}`) ?? { kind: "unknown" };
  }

  /** Every instance there is of a module, by its static path; none below a call of unknown expansion. */
  moduleInstances(module: Module): readonly ModuleInstance[] {
    const known = this.#instances.get(module.path);
    if (known) return known;
    let instances: ModuleInstance[] = [rootModule];
    for (const name of module.names) {
      instances = instances.flatMap((caller) => {
        const all = expansionKeys(this.call(caller, name)).map((key) => childModule(caller, name, key));
        return this.context.moduleStandIns ? all.filter((instance) => !this.#standIn(instance)) : all;
      });
    }
    this.#instances.set(module.path, instances);
    return instances;
  }

  /** What stands for the instances of a module below calls whose number of instances is not known: `module.a[*]`. */
  unknownInstances(module: Module): readonly ModuleInstance[] {
    let known: ModuleInstance[] = [rootModule];
    let unknown: ModuleInstance[] = [];
    for (const name of module.names) {
      const below = unknown.map((caller) => {
        const { repetition } = this.module(caller).calls.get(name)!;
        return repetition.kind === "single" ? childModule(caller, name, undefined) : everyModule(caller, name);
      });
      const begun = known.filter((caller) => this.call(caller, name).kind === "unknown");
      unknown = [...below, ...begun.map((caller) => everyModule(caller, name))];
      known = known.flatMap((caller) =>
        expansionKeys(this.call(caller, name)).map((key) => childModule(caller, name, key)),
      );
    }
    return unknown;
  }

  /** Says how a resource is repeated; the values of its instances follow with {@link setInstance}. */
  setResource(module: ModuleInstance, resource: ResourceAddress, expansion: Expansion): void {
    this.#resources.set(absoluteResourceText(module, resource), { expansion, values: new Map(), whole: undefined });
  }

  /** Says the same again with values of `for_each` that have become known; instances stay as they were set. */
  expandResource(module: ModuleInstance, resource: ResourceAddress, expansion: Expansion): void {
    const text = absoluteResourceText(module, resource);
    const entry = this.#resources.get(text);
    this.#resources.set(text, { expansion, values: entry?.values ?? new Map(), whole: undefined });
  }

  /** The value that references to one instance see. */
  setInstance(module: ModuleInstance, resource: ResourceAddress, key: InstanceKey, value: Value): void {
    const entry = this.#resources.get(absoluteResourceText(module, resource));
    invariant(entry, "the expansion of a resource is set before its instances");
    entry.values.set(key, value);
    entry.whole = undefined;
  }

  instanceValue(module: ModuleInstance, resource: ResourceAddress, key: InstanceKey): Value | undefined {
    return this.#resources.get(absoluteResourceText(module, resource))?.values.get(key);
  }

  resourceExpansion(module: ModuleInstance, resource: ResourceAddress): Expansion | undefined {
    return this.#resources.get(absoluteResourceText(module, resource))?.expansion;
  }

  // ── what follows from it ──

  /** The value of an expression of a module, in one instance of it. Errors come with an unknown value. */
  evaluate(expression: Expression, module: ModuleInstance, instance: InstanceData = noInstance): Diagnosed<Value> {
    const { value: scope, diagnostics } = this.scope(referencesOf(expression), module, instance, expression.file.name);
    if (hasErrors(diagnostics)) return { value: dynamicValue, diagnostics };
    const result = evaluate(expression, scope);
    return diagnostics.length === 0
      ? result
      : { value: result.value, diagnostics: [...diagnostics, ...result.diagnostics] };
  }

  /** What the references of an expression are, a line each, for a diagnostic that is about its value. */
  valuesIn(
    expression: Expression,
    module: ModuleInstance,
    instance: InstanceData = noInstance,
    cause: Cause = {},
  ): { readonly expressionValues?: readonly string[] } {
    const { value: scope } = this.scope(referencesOf(expression), module, instance, expression.file.name);
    const lines = expressionValues(expression, scope, cause);
    return lines.length > 0 ? { expressionValues: lines } : {};
  }

  /**
   * A scope that holds just what the references name. The file they stand in decides on the functions. What a
   * referenced local, variable or output itself complains of is said where that one is visited, not here again.
   */
  scope(
    references: readonly ParsedReference[],
    module: ModuleInstance,
    instance: InstanceData,
    filename: string,
  ): Diagnosed<Scope> {
    const diagnostics: Diagnostic[] = [];
    const roots = new Map<string, Map<string, Value> | Value>();
    const outputs = new Map<string, Set<string>>();
    const put = (root: string, name: string, make: () => Value) => {
      let entry = roots.get(root);
      if (!(entry instanceof Map)) roots.set(root, (entry = new Map()));
      if (!entry.has(name)) entry.set(name, make());
    };
    for (const parsed of references) {
      if (!parsed.ok) {
        diagnostics.push(errorDiagnostic(parsed.summary, parsed.detail, { subject: parsed.range }));
        continue;
      }
      const { subject, traversal } = parsed.reference;
      switch (subject.kind) {
        case "variable":
          put("var", subject.name, () => this.variable(module, subject.name).value);
          break;
        case "local":
          put("local", subject.name, () => this.local(module, subject.name).value);
          break;
        case "module":
          for (const output of this.#outputsOf(module, subject)) {
            let wanted = outputs.get(subject.name);
            if (!wanted) outputs.set(subject.name, (wanted = new Set()));
            wanted.add(output);
          }
          break;
        case "resource": {
          const { mode, type, name } = subject.address;
          const value = this.resourceValue(module, subject.address);
          if (mode === "managed" && traversal.root.name !== "resource") put(type, name, () => value);
          else putDeep(roots, mode === "managed" ? "resource" : mode, type, name, value);
          break;
        }
        case "path":
          put("path", subject.name, () => this.#path(module, subject.name));
          break;
        case "terraform":
          put(traversal.root.name, subject.name, () => this.#terraform(subject.name));
          break;
        case "each":
          if (instance.each)
            put("each", subject.name, () => (subject.name === "key" ? instance.each!.key : instance.each!.value));
          break;
        case "count":
          if (instance.count) put("count", subject.name, () => instance.count!);
          break;
        case "self":
          if (instance.self) roots.set("self", instance.self);
          break;
      }
    }
    for (const [name, wanted] of outputs) put("module", name, () => this.moduleValue(module, name, wanted));
    const variables = new Map<string, Value>();
    for (const [root, entry] of roots) variables.set(root, entry instanceof Map ? objectValue(entry) : entry);
    const functions = this.#functions(this.module(module), filename);
    return { value: { variables, functions }, diagnostics };
  }

  #functions(module: Module, filename: string): Lookup<FunctionSpec> {
    const standard = this.context.functions(module, filename);
    const { providerFunctions } = this;
    if (!providerFunctions || module.requiredProviders.size === 0) return standard;
    const lent = providerFunctions.of(module);
    return {
      get: (name) => (name.startsWith("provider::") ? lent.get(name) : undefined) ?? standard.get(name),
      keys: () => [...standard.keys(), ...lent.keys()],
    };
  }

  module(instance: ModuleInstance): Module {
    const path = instance.steps.map((step) => `module.${step.name}`).join(".");
    const module = this.context.configuration.modules.get(path);
    invariant(module, `module ${path} is in the configuration`);
    return module;
  }

  /** An input variable: the root's as given, another module's as its caller sets it; converted, defaulted and marked. */
  variable(module: ModuleInstance, name: string): Diagnosed<Value> {
    if (module.steps.length === 0) return { value: this.context.variables.get(name) ?? dynamicValue, diagnostics: [] };
    return this.#once(`var|${module.text}|${name}`, () => {
      const variable = this.module(module).variables.get(name);
      if (!variable) return { value: dynamicValue, diagnostics: [] };
      const { caller, call, instance } = this.#callSite(module);
      const input = call.inputs.get(name);
      const given = input && this.evaluate(input, caller, instance);
      const finished = finishVariable(variable, given?.value, input, (e) => this.evaluate(e, module));
      return { value: finished.value, diagnostics: [...(given?.diagnostics ?? []), ...finished.diagnostics] };
    });
  }

  local(module: ModuleInstance, name: string): Diagnosed<Value> {
    return this.#once(`local|${module.text}|${name}`, () => {
      const local = this.module(module).locals.get(name);
      return local ? this.evaluate(local.expression, module) : { value: dynamicValue, diagnostics: [] };
    });
  }

  /** An output's value, marked sensitive or ephemeral where the output says so. */
  output(module: ModuleInstance, name: string): Diagnosed<Value> {
    return this.#once(`output|${module.text}|${name}`, () => {
      const output = this.module(module).outputs.get(name);
      if (!output) return { value: dynamicValue, diagnostics: [] };
      const given = this.#standIn(module);
      if (given) return { value: given.get(name) ?? nullValue(dynamicType), diagnostics: [] };
      const { value, diagnostics } = this.evaluate(output.value, module);
      const marks = [...(output.sensitive ? [sensitive] : []), ...(output.ephemeral ? [ephemeral] : [])];
      return { value: mark(value, ...marks), diagnostics };
    });
  }

  /**
   * What `module.name` is in a module: the outputs of its instance, or of all its instances by key. Only those asked for are
   * there, since the others may be made from what is evaluated just now.
   */
  moduleValue(caller: ModuleInstance, name: string, outputs: Iterable<string>): Value {
    const wanted = [...outputs];
    const id = `${caller.text}|${name}|${wanted.join(",")}`;
    const known = this.#modules.get(id);
    if (known) return known;
    const value = assemble(this.call(caller, name), (key) => {
      const instance = childModule(caller, name, key);
      return objectValue(wanted.map((output) => [output, this.output(instance, output).value] as const));
    });
    this.#modules.set(id, value);
    return value;
  }

  /** What `type.name` is in a module instance: its one instance, a tuple by `count`, or an object by `for_each`. */
  resourceValue(module: ModuleInstance, resource: ResourceAddress): Value {
    const entry = this.#resources.get(absoluteResourceText(module, resource));
    // What is not there yet is nevertheless known to be of a kind that is not kept.
    const unseen = resource.mode === "ephemeral" ? mark(dynamicValue, ephemeral) : dynamicValue;
    if (!entry || entry.expansion.kind === "unknown") return unseen;
    entry.whole ??= assemble(entry.expansion, (key) => entry.values.get(key) ?? dynamicValue);
    return entry.whole;
  }

  #outputsOf(caller: ModuleInstance, subject: { readonly name: string; readonly output?: string }): Iterable<string> {
    const child = this.context.configuration.modules.get(childPath(this.module(caller), subject.name));
    if (!child) return [];
    return subject.output !== undefined && child.outputs.has(subject.output) ? [subject.output] : child.outputs.keys();
  }

  #callSite(module: ModuleInstance) {
    const { name, key } = module.steps.at(-1)!;
    const steps = module.steps.slice(0, -1);
    const caller = steps.reduce<ModuleInstance>((parent, step) => childModule(parent, step.name, step.key), rootModule);
    const call = this.module(caller).calls.get(name);
    invariant(call, `module call ${name} is in the configuration`);
    return { caller, call, instance: instanceDataOf(this.call(caller, name), key) };
  }

  #once(id: string, make: () => Diagnosed<Value>): Diagnosed<Value> {
    const known = this.#memo.get(id);
    if (known) return known;
    invariant(!this.#underway.has(id), `no cycle reaches the evaluation of ${id}`);
    this.#underway.add(id);
    try {
      const result = make();
      this.#memo.set(id, result);
      return result;
    } finally {
      this.#underway.delete(id);
    }
  }

  /** Forgets what followed from instances' values, after those have changed. */
  forget(): void {
    this.#memo.clear();
    this.#modules.clear();
  }

  #standIn(module: ModuleInstance): ReadonlyMap<string, Value> | undefined {
    return this.context.moduleStandIns?.outputsOf(module);
  }

  #path(module: ModuleInstance, name: string): Value {
    if (name === "module") return stringValue(this.module(module).folder);
    if (name === "root") return stringValue(this.context.configuration.root.folder);
    if (name === "cwd") return stringValue(this.context.cwd);
    return dynamicValue;
  }

  #terraform(name: string): Value {
    if (name === "workspace") return stringValue(this.context.workspace);
    if (name === "applying") return mark(boolValue(this.context.applying), ephemeral);
    return dynamicValue;
  }
}

interface ResourceValues {
  readonly expansion: Expansion;
  readonly values: Map<InstanceKey, Value>;
  whole: Value | undefined;
}

/** `each` or `count` for one instance of an expansion. */
export function instanceDataOf(expansion: Expansion, key: InstanceKey): InstanceData {
  if (expansion.kind === "count") return { count: numberValue(key as number) };
  if (expansion.kind === "forEach") {
    return { each: { key: stringValue(key as string), value: expansion.values.get(key as string) ?? dynamicValue } };
  }
  return noInstance;
}

function assemble(expansion: Expansion, valueOf: (key: InstanceKey) => Value): Value {
  switch (expansion.kind) {
    case "single":
      return valueOf(undefined);
    case "count":
      return tupleValue(expansionKeys(expansion).map(valueOf));
    case "forEach":
      return objectValue(expansionKeys(expansion).map((key) => [key as string, valueOf(key)] as const));
    case "disabled":
      return nullValue(dynamicType);
    case "unknown":
      return dynamicValue;
  }
}

/** `data.type.name` and `resource.type.name`: two levels of names below a root. */
function putDeep(
  roots: Map<string, Map<string, Value> | Value>,
  root: string,
  type: string,
  name: string,
  value: Value,
): void {
  let entry = roots.get(root);
  if (!(entry instanceof Map)) roots.set(root, (entry = new Map()));
  const known = entry.get(type);
  entry.set(type, objectValue([...(known ? asMap(known) : []), [name, value]]));
}
