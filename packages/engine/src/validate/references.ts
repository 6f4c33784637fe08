import type { Diagnostic } from "@millwright/core/diagnostics";
import { referencesOfProvisioner } from "../provision/blocks.ts";
import { errorDiagnostic, warningDiagnostic } from "@millwright/core/diagnostics";
import { similar } from "@millwright/core/similar";
import type { SourceRange } from "@millwright/core/source";
import type { Expression, ScopeTraversal, TraversalStep } from "@millwright/hcl/ast";
import { rangeOf } from "@millwright/hcl/source-file";
import type { BlockSchema } from "@millwright/provider/schema";
import { resourceText } from "../addresses.ts";
import type { ImportBlock } from "../refactor/blocks.ts";
import type { CheckRule, Configuration, Module, ModuleCall, Repetition, Resource } from "../configuration.ts";
import { childPath } from "../configuration.ts";
import { checkProviderReferences } from "../load/check-providers.ts";
import { providerOfResource } from "../provider-config.ts";
import type { ProviderPool } from "../provider-pool.ts";
import type { ParsedReference, Reference, Subject } from "../references.ts";
import { parseReference, referencesOf, referencesOfBody } from "../references.ts";

/** Every reference that leads nowhere, found before anything is evaluated. */
export function checkReferences(configuration: Configuration, pool: ProviderPool): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  for (const module of configuration.modules.values()) new ModuleCheck(configuration, module, pool, diagnostics).run();
  return [...checkProviderReferences(configuration), ...diagnostics];
}

/** What in an expression of the root module leads nowhere; for one that no block holds, as a console is given. */
export function checkExpression(
  configuration: Configuration,
  pool: ProviderPool,
  expression: Expression,
): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  new ModuleCheck(configuration, configuration.root, pool, diagnostics).expression(expression);
  return diagnostics;
}

/** What an expression may use beside its module's names. */
interface Allowed {
  readonly repetition: Repetition;
  readonly self: boolean;
  /** The check block whose assertion it is. */
  readonly check?: string;
  /** The resource it belongs to, which it may not name. */
  readonly within?: Resource;
  /** The kind of condition it is in. */
  readonly condition?: string;
}

const plain: Allowed = { repetition: { kind: "single" }, self: false };

class ModuleCheck {
  readonly #configuration: Configuration;
  readonly #module: Module;
  readonly #pool: ProviderPool;
  readonly #diagnostics: Diagnostic[];

  constructor(configuration: Configuration, module: Module, pool: ProviderPool, diagnostics: Diagnostic[]) {
    this.#configuration = configuration;
    this.#module = module;
    this.#pool = pool;
    this.#diagnostics = diagnostics;
  }

  run(): void {
    const module = this.#module;
    for (const variable of module.variables.values()) this.#rules(variable.validations, plain);
    for (const local of module.locals.values()) this.#all(referencesOf(local.expression), plain);
    for (const output of module.outputs.values()) {
      this.#all(referencesOf(output.value), plain);
      this.#rules(output.preconditions, plain);
      this.#dependsOn(output.dependsOn);
    }
    for (const call of module.calls.values()) {
      this.#repetition(call.repetition);
      for (const input of call.inputs.values())
        this.#all(referencesOf(input), { ...plain, repetition: call.repetition });
      this.#deprecatedInputs(call);
      for (const { key } of call.providers.values())
        if (key) this.#all(referencesOf(key), { ...plain, repetition: call.repetition });
      this.#dependsOn(call.dependsOn);
    }
    for (const { body, forEach } of module.providers.values()) {
      const repetition = forEach ? ({ kind: "forEach", expression: forEach } as const) : plain.repetition;
      this.#all(referencesOfBody(body), { ...plain, repetition });
    }
    for (const check of module.checks.values()) this.#rules(check.asserts, { ...plain, check: check.name });
    for (const block of module.imports) this.#import(block);
    for (const resource of module.resources.values()) this.#resource(resource);
  }

  expression(expression: Expression): void {
    this.#all(referencesOf(expression), plain);
  }

  #resource(resource: Resource): void {
    const { repetition, lifecycle, provider } = resource;
    this.#repetition(repetition);
    if (provider?.key) this.#all(referencesOf(provider.key), { repetition, self: false });
    this.#all(referencesOfBody(resource.body), { repetition, self: false, within: resource });
    for (const trigger of lifecycle.replaceTriggeredBy)
      this.#trigger(trigger, { repetition, self: false, within: resource });
    this.#ignored(resource);
    for (const block of resource.provisioners ?? [])
      this.#all(referencesOfProvisioner(block), { repetition, self: true, within: resource });
    if (lifecycle.preventDestroy) this.#all(referencesOf(lifecycle.preventDestroy), { ...plain, within: resource });
    const condition = (word: string) => ({ repetition, within: resource, condition: word });
    this.#rules(lifecycle.preconditions, { ...condition("precondition"), self: false });
    this.#rules(lifecycle.postconditions, { ...condition("postcondition"), self: true });
    this.#dependsOn(resource.dependsOn);
  }

  /** What replaces a resource is a resource, or an attribute of one; its key may be that of the instance. */
  #trigger(expression: Expression, allowed: Allowed): void {
    const references = referencesOf(expression);
    const summary = "Invalid replace_triggered_by expression";
    let resources = 0;
    for (const parsed of references) {
      const kind = parsed.ok ? parsed.reference.subject.kind : "none";
      if (kind === "resource") resources++;
      if (kind === "resource" || kind === "count" || kind === "each" || !parsed.ok) this.#one(parsed, allowed);
      else {
        const detail = "Only resources, count.index, and each.key may be used in replace_triggered_by.";
        this.#error("Invalid reference in replace_triggered_by expression", detail, parsed.reference.range);
      }
    }
    if (resources > 0) return;
    const detail =
      "Missing resource reference in replace_triggered_by expression: name a resource, or an attribute of one.";
    this.#error(summary, detail, rangeOf(expression));
  }

  #ignored(resource: Resource): void {
    const { ignoreChanges } = resource.lifecycle;
    if (ignoreChanges.kind !== "some") return;
    const source = providerOfResource(this.#configuration, this.#module, resource).address.source;
    const schema = this.#pool.resourceSchema(source, resource.address);
    if (!schema) return;
    for (const { root, steps } of ignoreChanges.paths) {
      this.#attribute([{ ...root, kind: "attribute", name: root.name }, ...steps], schema.block);
      const attribute = schema.block.attributes.get(root.name);
      if (steps.length > 0 || !attribute?.computed || attribute.optional) continue;
      const detail = `The attribute ${root.name} is decided by the provider alone, so no configured value is ever compared with what it was, and naming it in ignore_changes has no effect. Leave it out.`;
      const at = { subject: rangeOf(root) };
      this.#diagnostics.push(warningDiagnostic("Redundant ignore_changes element", detail, at));
    }
  }

  #import({ to, by, forEach }: ImportBlock): void {
    const repetition: Repetition = forEach ? { kind: "forEach", expression: forEach } : { kind: "single" };
    this.#repetition(repetition);
    const keys = to.steps.flatMap((step) => (step.kind === "expression" ? step.expression : []));
    for (const expression of [by.expression, ...keys]) this.#all(referencesOf(expression), { ...plain, repetition });
  }

  #repetition(repetition: Repetition): void {
    if (repetition.kind !== "single") this.#all(referencesOf(repetition.expression), plain);
  }

  #rules(rules: readonly CheckRule[], allowed: Allowed): void {
    for (const rule of rules) {
      this.#all(referencesOf(rule.condition), allowed);
      this.#all(referencesOf(rule.errorMessage), allowed);
    }
  }

  #dependsOn(traversals: readonly ScopeTraversal[]): void {
    for (const traversal of traversals) {
      const parsed = parseReference(traversal);
      const kind = parsed.ok ? parsed.reference.subject.kind : "none";
      const isWhole = kind === "resource" || kind === "module" || kind === "variable" || kind === "local";
      // An output of a module may be named, which stands for the module.
      const named = kind === "module" ? 1 : 0;
      if (!parsed.ok || (isWhole && parsed.reference.rest.filter((step) => step.kind === "attribute").length <= named))
        this.#one(parsed, plain);
      else {
        const detail =
          "References in depends_on must be to a whole object (resource, module, local value or variable), not to an attribute of an object or a value of the instance.";
        this.#error("Invalid depends_on reference", detail, rangeOf(traversal));
      }
    }
  }

  #all(references: readonly ParsedReference[], allowed: Allowed): void {
    for (const parsed of references) this.#one(parsed, allowed);
  }

  #one(parsed: ParsedReference, allowed: Allowed): void {
    if (!parsed.ok) return this.#error(parsed.summary, parsed.detail, parsed.range);
    const { reference } = parsed;
    const { subject } = reference;
    switch (subject.kind) {
      case "variable":
        return this.#declared(
          "input variable",
          subject.name,
          this.#module.variables,
          reference.range,
          `This variable can be declared with a variable "${subject.name}" {} block.`,
        );
      case "local":
        return this.#declared("local value", subject.name, this.#module.locals, reference.range, "");
      case "module":
        return this.#moduleReference(reference, subject);
      case "resource":
        return this.#resourceReference(reference, subject, allowed);
      case "count":
        if (allowed.repetition.kind === "count") return this.#known("count", subject.name, ["index"], reference.range);
        return this.#error(
          'Reference to "count" in non-counted context',
          'The "count" object can only be used in "module", "resource", and "data" blocks, and only when the "count" argument is set.',
          reference.range,
        );
      case "each":
        if (allowed.repetition.kind === "forEach")
          return this.#known("each", subject.name, ["key", "value"], reference.range);
        return this.#error(
          'Reference to "each" in context without for_each',
          'The "each" object can be used only in "module" or "resource" blocks, and only when the "for_each" argument is set.',
          reference.range,
        );
      case "path":
        return this.#known("path", subject.name, ["cwd", "module", "root"], reference.range);
      case "terraform":
        return this.#known("terraform", subject.name, ["applying", "workspace"], reference.range);
      case "self":
        if (allowed.self) return;
        return this.#error(
          'Invalid "self" reference',
          'The "self" object is not available in this context. This object can be used only in resource provisioner, connection, and postcondition blocks.',
          reference.range,
        );
    }
  }

  #declared(
    what: string,
    name: string,
    declared: ReadonlyMap<string, unknown>,
    range: SourceRange,
    advice: string,
  ): void {
    if (declared.has(name)) return;
    const near = similar(name, declared.keys());
    const article = what.startsWith("i") ? "An" : "A";
    const hint = near ? ` Did you mean "${near}"?` : advice === "" ? "" : ` ${advice}`;
    this.#error(
      `Reference to undeclared ${what}`,
      `${article} ${what} with the name "${name}" has not been declared.${hint}`,
      range,
    );
  }

  #known(object: string, name: string, names: readonly string[], range: SourceRange): void {
    if (names.includes(name)) return;
    const near = similar(name, names);
    const hint = near ? `Did you mean "${near}"?` : `The attributes of "${object}" are ${names.join(", ")}.`;
    this.#error(
      `Invalid "${object}" attribute`,
      `The "${object}" object does not have an attribute named "${name}". ${hint}`,
      range,
    );
  }

  #moduleReference(reference: Reference, subject: Extract<Subject, { readonly kind: "module" }>): void {
    const call = this.#module.calls.get(subject.name);
    if (!call) {
      const near = similar(subject.name, this.#module.calls.keys());
      const hint = near ? ` Did you mean "${near}"?` : "";
      return this.#error(
        "Reference to undeclared module",
        `No module call named "${subject.name}" is declared in ${this.#here()}.${hint}`,
        reference.range,
      );
    }
    const steps = this.#withoutKey(reference, call.repetition, `module.${subject.name}`, false);
    const output = steps?.[0];
    const child = this.#configuration.modules.get(childPath(this.#module, subject.name));
    const old = output?.kind === "attribute" ? child?.outputs.get(output.name)?.deprecated : undefined;
    if (old !== undefined && output?.kind === "attribute") {
      const detail = `This value is derived from module.${subject.name}.${output.name}, which is deprecated with the following message:\n\n${old}`;
      this.#deprecated(call, "Value derived from a deprecated source", detail, reference.range);
    }
    if (!child || output?.kind !== "attribute" || child.outputs.has(output.name)) return;
    const near = similar(output.name, child.outputs.keys());
    const hint = near ? ` Did you mean "${near}"?` : "";
    this.#error(
      "Unsupported attribute",
      `This object does not have an attribute named "${output.name}": module "${subject.name}" has no such output.${hint}`,
      rangeOf(output),
    );
  }

  #resourceReference(
    reference: Reference,
    subject: Extract<Subject, { readonly kind: "resource" }>,
    allowed: Allowed,
  ): void {
    const text = resourceText(subject.address);
    const resource = this.#module.resources.get(text);
    if (!resource) return this.#undeclaredResource(reference, subject);
    if (resource.check !== undefined && resource.check !== allowed.check) {
      const { type, name } = subject.address;
      const detail = `The referenced data resource "${type}" "${name}" is not available from this context: only the assertions of check "${resource.check}", which it is nested in, see it.`;
      return this.#error("Reference to scoped resource", detail, reference.range);
    }
    if (resource === allowed.within) {
      const instead = allowed.self ? ' Use "self" for the object that the condition is about.' : "";
      return this.#error(
        allowed.condition === undefined ? "Self-referential block" : `Invalid reference in ${allowed.condition}`,
        `Configuration for ${text} may not refer to itself.${instead}`,
        reference.range,
      );
    }
    const steps = this.#withoutKey(reference, resource.repetition, text, true);
    const source = providerOfResource(this.#configuration, this.#module, resource).address.source;
    const schema = this.#pool.resourceSchema(source, resource.address);
    if (schema && steps) this.#attribute(steps, schema.block);
  }

  /** Checks the first steps against a schema, as far as those are plain names. */
  #attribute(steps: readonly TraversalStep[], block: BlockSchema): void {
    const [step, ...rest] = steps;
    if (step?.kind !== "attribute") return;
    if (block.attributes.has(step.name)) return;
    const nested = block.blocks.get(step.name);
    if (nested) {
      if (nested.nesting === "single" || nested.nesting === "group") this.#attribute(rest, nested.block);
      return;
    }
    const near = similar(step.name, [...block.attributes.keys(), ...block.blocks.keys()]);
    const hint = near ? ` Did you mean "${near}"?` : "";
    this.#error(
      "Unsupported attribute",
      `This object has no argument, nested block, or exported attribute named "${step.name}".${hint}`,
      rangeOf(step),
    );
  }

  /** The steps behind an instance key; reports one that is missing or too much. Undefined where nothing more can be told. */
  #withoutKey(
    reference: Reference,
    repetition: Repetition,
    text: string,
    isResource: boolean,
  ): readonly TraversalStep[] | undefined {
    const [first, ...rest] = reference.rest;
    const what = isResource ? "resource" : "module";
    if (repetition.kind === "single" || repetition.kind === "enabled") {
      if (first?.kind !== "index") return reference.rest;
      this.#error(
        `Unexpected ${what} instance key`,
        `Because ${text} does not have "count" or "for_each" set, references to it must not include an index key. Remove the bracketed index to refer to the single instance of this ${what}.`,
        reference.range,
      );
      return rest;
    }
    if (first?.kind === "index") return rest;
    if (first?.kind !== "attribute") return undefined;
    const example = repetition.kind === "count" ? `${text}[count.index]` : `${text}[each.key]`;
    const set = repetition.kind === "count" ? "count" : "for_each";
    // An attribute of an object of instances is an instance; only a tuple has none at all.
    if (repetition.kind === "forEach") return undefined;
    this.#error(
      `Missing ${what} instance key`,
      `Because ${text} has "${set}" set, its attributes must be accessed on specific instances.\n\nFor example, to correlate with indices of a referring resource, use:\n    ${example}`,
      reference.range,
    );
    return undefined;
  }

  #undeclaredResource(reference: Reference, { address }: Extract<Subject, { readonly kind: "resource" }>): void {
    const kind = address.mode === "managed" ? "A managed" : address.mode === "data" ? "A data" : "An ephemeral";
    const others = [...this.#module.resources.values()].filter((r) => r.address.mode === address.mode);
    const texts = others.map((r) => `${r.address.type}.${r.address.name}`);
    const near = similar(`${address.type}.${address.name}`, texts);
    const twin = address.mode === "managed" && this.#module.resources.has(`data.${address.type}.${address.name}`);
    const hint = twin
      ? ` Did you mean the data resource data.${address.type}.${address.name}?`
      : near
        ? ` Did you mean ${near}?`
        : "";
    this.#error(
      "Reference to undeclared resource",
      `${kind} resource "${address.type}" "${address.name}" has not been declared in ${this.#here()}.${hint}`,
      reference.range,
    );
  }

  #here(): string {
    return this.#module.path === "" ? "the root module" : this.#module.path;
  }

  #deprecatedInputs(call: ModuleCall): void {
    const child = this.#configuration.modules.get(childPath(this.#module, call.name));
    for (const [name, expression] of call.inputs) {
      const message = child?.variables.get(name)?.deprecated;
      if (message === undefined) continue;
      const detail = `Variable "${name}" is marked as deprecated with the following message:\n\n${message}`;
      this.#deprecated(call, "Variable marked as deprecated by the module author", detail, rangeOf(expression));
    }
  }

  /** What is wanted no more by a module of a folder beside, or by one from elsewhere, whose users may not want to hear of it. */
  #deprecated({ source }: ModuleCall, summary: string, detail: string, subject: SourceRange): void {
    const code = /^\.\.?\//.test(source) ? "deprecated" : "deprecated-elsewhere";
    this.#diagnostics.push(warningDiagnostic(summary, detail, { subject, code }));
  }

  #error(summary: string, detail: string, subject: SourceRange): void {
    this.#diagnostics.push(errorDiagnostic(summary, detail, { subject, code: "bad-reference" }));
  }
}
