import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import { similar } from "@millwright/core/similar";
import type { Attribute, Block } from "@millwright/hcl/ast";
import { contentOf, justAttributes } from "@millwright/hcl/body-content";
import { evaluateInto } from "@millwright/hcl/evaluate";
import type { FunctionSpec } from "@millwright/hcl/function-spec";
import { parseExpression } from "@millwright/hcl/parse";
import { referencesIn } from "@millwright/hcl/references";
import type { Lookup, Scope } from "@millwright/hcl/scope";
import { rangeOf, sourceFile } from "@millwright/hcl/source-file";
import { typeConstraint } from "@millwright/hcl/type-constraint";
import { quote } from "@millwright/text/quote";
import { convert } from "@millwright/value/convert";
import type { Type } from "@millwright/value/types";
import { dynamicType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import { dynamicValue, isKnown, objectValue, stringValue } from "@millwright/value/value";
import { withRuntimeReferences } from "./runtime-references.ts";

/** What a job file's expressions may use from outside. */
export interface JobInputs {
  /** Values of the file's variables: texts as they stand on a command line, or values. */
  readonly variables?: ReadonlyMap<string, string | Value>;
  /** Weaker than those, and passed over where the file declares no such variable: the environment's. */
  readonly ambient?: ReadonlyMap<string, string>;
  readonly functions?: Lookup<FunctionSpec>;
}

/** Where a file says what `var` and `local` are. */
export interface InputBlocks {
  readonly variable: readonly Block[];
  readonly variables: readonly Block[];
  readonly locals: readonly Block[];
}

/** The scope of a job file: its variables with the values given or their defaults, and its locals. */
export function scopeOf(blocks: InputBlocks, inputs: JobInputs, diagnostics: Diagnostic[]): Scope {
  const functions = inputs.functions ? { functions: inputs.functions } : {};
  const base: Scope = { variables: new Map(), ...functions };
  const declared = [
    ...blocks.variable.map((block) => declaredBy(block, diagnostics)),
    ...blocks.variables.flatMap((block) => attributesOf(block, diagnostics).map(shortVariable)),
  ];
  const variables = new Map<string, Value>();
  for (const variable of declared) variables.set(variable.name, valueFor(variable, inputs, base, diagnostics));
  tellUnknown(inputs, variables, diagnostics);
  const scope: Scope = { variables: new Map([["var", objectValue(variables)]]), ...functions };
  for (const variable of declared) checkVariable(variable, scope, diagnostics);
  const locals = new Locals(
    blocks.locals.flatMap((block) => attributesOf(block, diagnostics)),
    scope,
    diagnostics,
  );
  return { variables: new Map([["local", locals.all()]]), parent: scope };
}

interface Declared {
  readonly name: string;
  readonly block: Block | undefined;
  readonly type: Type;
  readonly byDefault: Attribute | undefined;
  readonly rules: readonly Block[];
}

const variableSchema = {
  attributes: ["type", "default", "description"].map((name) => ({ name, required: false })),
  blocks: [{ type: "validation", labelNames: [] }],
};

function declaredBy(block: Block, diagnostics: Diagnostic[]): Declared {
  const { value: content, diagnostics: found } = contentOf(block.body, variableSchema);
  diagnostics.push(...found);
  const written = content.attributes.get("type");
  const type = written ? typeConstraint(written.expression) : undefined;
  diagnostics.push(...(type?.diagnostics ?? []));
  return {
    name: block.labels[0]!,
    block,
    type: type?.value.type ?? dynamicType,
    byDefault: content.attributes.get("default"),
    rules: content.blocks,
  };
}

/** `variables { name = default }`. */
function shortVariable(attribute: Attribute): Declared {
  return { name: attribute.name, block: undefined, type: dynamicType, byDefault: attribute, rules: [] };
}

function attributesOf({ body }: Block, diagnostics: Diagnostic[]): readonly Attribute[] {
  const { value, diagnostics: found } = justAttributes(body);
  diagnostics.push(...found);
  return [...value.values()];
}

function valueFor(
  variable: Declared,
  { variables, ambient }: JobInputs,
  scope: Scope,
  diagnostics: Diagnostic[],
): Value {
  const { name, type, byDefault, block } = variable;
  const given = variables?.get(name) ?? ambient?.get(name);
  const place = block ? { subject: rangeOf(block.header) } : {};
  if (given === undefined && !byDefault) {
    const detail = `The variable ${quote(name)} has no default: give it a value with -var='${name}=…', in a file by -var-file, or as NOMAD_VAR_${name}.`;
    diagnostics.push(errorDiagnostic("Unset variable", detail, place));
    return dynamicValue;
  }
  const value =
    given === undefined
      ? evaluateInto(byDefault!.expression, scope, diagnostics)
      : typeof given === "string"
        ? textValue(name, given, type, diagnostics)
        : given;
  const converted = convert(value, type);
  if (converted.ok) return converted.value;
  const detail = `The value of the variable ${quote(name)} is not of its type: ${converted.message}.`;
  diagnostics.push(errorDiagnostic("Invalid value for variable", detail, place));
  return dynamicValue;
}

/** What was given as a text is one where the variable is; else it is an expression. */
function textValue(name: string, given: string, type: Type, diagnostics: Diagnostic[]): Value {
  if (type.kind === "string" || type.kind === "dynamic") return stringValue(given);
  const { value, diagnostics: found } = parseExpression(sourceFile(`<value for var.${name}>`, given));
  diagnostics.push(...found);
  return hasErrors(found) ? dynamicValue : evaluateInto(value, {}, diagnostics);
}

function tellUnknown({ variables }: JobInputs, declared: ReadonlyMap<string, Value>, diagnostics: Diagnostic[]): void {
  for (const name of variables?.keys() ?? []) {
    if (declared.has(name)) continue;
    const near = similar(name, declared.keys());
    const hint = near === undefined ? `Declare it with variable ${quote(name)} { }.` : `Did you mean ${quote(near)}?`;
    const detail = `A value was given for ${quote(name)}, and the job file declares no such variable. ${hint}`;
    diagnostics.push(errorDiagnostic("Undefined variable", detail));
  }
}

const ruleSchema = {
  attributes: ["condition", "error_message"].map((name) => ({ name, required: true })),
  blocks: [],
};

function checkVariable({ name, rules }: Declared, scope: Scope, diagnostics: Diagnostic[]): void {
  for (const rule of rules) {
    const { value: content, diagnostics: found } = contentOf(rule.body, ruleSchema);
    diagnostics.push(...found);
    const [condition, message] = [content.attributes.get("condition"), content.attributes.get("error_message")];
    if (!condition || !message) continue;
    const holds = evaluateInto(condition.expression, scope, diagnostics);
    if (!isKnown(holds) || holds.data !== false) continue;
    const said = evaluateInto(message.expression, scope, diagnostics);
    const detail = `${typeof said.data === "string" ? said.data : `The value of ${name} does not meet its condition.`}`;
    diagnostics.push(errorDiagnostic("Invalid value for variable", detail, { subject: rangeOf(condition.expression) }));
  }
}

/** Locals, each evaluated when the first that refers to it is. */
class Locals {
  readonly #attributes: ReadonlyMap<string, Attribute>;
  readonly #scope: Scope;
  readonly #diagnostics: Diagnostic[];
  readonly #values = new Map<string, Value>();
  readonly #open = new Set<string>();

  constructor(attributes: readonly Attribute[], scope: Scope, diagnostics: Diagnostic[]) {
    this.#attributes = new Map(attributes.map((attribute) => [attribute.name, attribute]));
    this.#scope = scope;
    this.#diagnostics = diagnostics;
  }

  all(): Value {
    for (const attribute of this.#attributes.values()) this.#evaluate(attribute);
    return objectValue(this.#values);
  }

  #evaluate(attribute: Attribute): void {
    const { name, expression } = attribute;
    if (this.#values.has(name)) return;
    if (this.#open.has(name)) {
      const detail = `local.${name} refers to itself, by way of ${[...this.#open].map((one) => `local.${one}`).join(", ")}.`;
      this.#diagnostics.push(errorDiagnostic("Cycle of locals", detail, { subject: rangeOf(attribute.nameNode) }));
      this.#values.set(name, dynamicValue);
      return;
    }
    this.#open.add(name);
    for (const { root, steps } of referencesIn(expression)) {
      const [first] = steps;
      const other = root.name === "local" && first?.kind === "attribute" ? first.name : undefined;
      const referred = other === undefined ? undefined : this.#attributes.get(other);
      if (referred) this.#evaluate(referred);
    }
    const scope: Scope = { variables: new Map([["local", objectValue(this.#values)]]), parent: this.#scope };
    const value = evaluateInto(withRuntimeReferences(expression, scope), scope, this.#diagnostics);
    if (!this.#values.has(name)) this.#values.set(name, value);
    this.#open.delete(name);
  }
}
