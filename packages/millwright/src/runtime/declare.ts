import type { Frames, StackAttribute, StackBlock, StackExpression } from "./expression.ts";
import { here, refuse } from "./fault.ts";
import { expressionOf, isFinished, notWith, parseAddress, reference } from "./reference.ts";
import { toExpression } from "./to-expression.ts";
import { holdsToken, inWords } from "./token.ts";

/** The blocks that were declared so far, in the order of the program. */
export const declared: StackBlock[] = [];

function declare(block: StackBlock): void {
  if (isFinished()) {
    const what = [block.type, ...block.labels].join(" ");
    refuse(
      "Declared inside of derive",
      `The function of derive declares ${what}, but the plan was made before it runs. Declare it outside.`,
      block.at,
    );
  }
  declared.push(block);
}

type Way = readonly (string | number)[];

interface Parts {
  readonly attributes: StackAttribute[];
  readonly blocks: StackBlock[];
}

/** Nested blocks that `blocks` made, until the argument is known that they are for. */
class NestedBlocks {
  readonly collection: StackExpression;
  readonly body: (item: unknown) => unknown;

  constructor(collection: StackExpression, body: (item: unknown) => unknown) {
    this.collection = collection;
    this.body = body;
  }
}

export function resource(type: unknown, name: unknown, args: unknown, options?: unknown): unknown {
  return instance("resource", type, name, args, options);
}

export function data(type: unknown, name: unknown, args: unknown, options?: unknown): unknown {
  return instance("data", type, name, args, options);
}

function instance(kind: "resource" | "data", type: unknown, name: unknown, args: unknown, options: unknown): unknown {
  const at = here();
  const labels = [knownName(type, `The type of a ${kind}`, at), knownName(name, `The name of a ${kind}`, at)];
  const given = record(options ?? {}, "The options", at);
  const body = typeof args === "function" ? args(each(given)) : args;
  const parts = bodyParts(body, [2], `${labels[0]}.${labels[1]}`, at);
  for (const key of Object.keys(given)) {
    if (parts.attributes.some((known) => known.name === key)) {
      refuse("Option among the arguments", `"${key}" is given as an argument and as an option.`, at);
    }
  }
  addOptions(parts, given, at);
  declare({ type: kind, labels, ...parts, at });
  const steps = kind === "data" ? labels : labels.slice(1);
  const root = kind === "data" ? "data" : labels[0]!;
  return reference({ kind: "reference", root, steps: steps.map((attribute) => ({ attribute })) });
}

const knownOptions = ["count", "for_each", "depends_on", "provider", "lifecycle"];

function addOptions({ attributes }: Parts, options: Readonly<Record<string, unknown>>, at: Frames): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    if (!knownOptions.includes(name)) {
      refuse(
        "Unknown option",
        `There is no option "${inWords(name)}". The options are ${knownOptions.join(", ")}.`,
        at,
      );
    }
    const expression =
      name === "lifecycle" ? lifecycle(value, at) : name === "provider" ? handle(value, at) : optionValue(name, value);
    attributes.push({ name, expression, from: [3, name] });
  }
}

function optionValue(name: string, value: unknown): StackExpression {
  // A list for for_each is a set of its elements, as JavaScript has no literal for sets.
  const expression = toExpression(value, name);
  if (name !== "for_each" || expression.kind !== "tuple") return expression;
  return { kind: "call", name: "toset", args: [expression], at: here() };
}

function lifecycle(value: unknown, at: Frames): StackExpression {
  const given = record(value, "lifecycle", at);
  const entries = Object.entries(given)
    .filter(([, inner]) => inner !== undefined)
    .map(([name, inner]) => ({
      key: { kind: "literal", value: name } as const,
      value: name === "ignore_changes" ? ignored(inner, at) : toExpression(inner, `lifecycle.${name}`),
    }));
  return { kind: "object", entries };
}

function ignored(value: unknown, at: Frames): StackExpression {
  if (value === "all") return { kind: "reference", root: "all", steps: [] };
  if (!Array.isArray(value))
    return refuse(
      "Unsuitable value",
      'lifecycle.ignore_changes is a list of attributes such as ["tags"], or "all".',
      at,
    );
  const elements = value.map((text: unknown) => {
    const path = knownName(text, "An element of ignore_changes", at);
    return /[.[]/.test(path) ? parseAddress(path) : ({ kind: "reference", root: path, steps: [] } as const);
  });
  return { kind: "tuple", elements };
}

function each(options: Readonly<Record<string, unknown>>): unknown {
  const at = (root: string, name: string) => reference({ kind: "reference", root, steps: [{ attribute: name }] });
  if (options.count !== undefined) return { index: at("count", "index") };
  if (options.for_each !== undefined) return { key: at("each", "key"), value: at("each", "value") };
  return refuse(
    "Arguments by a function",
    "The arguments are a function of the instance only with the option count or for_each.",
  );
}

/** The attributes and nested blocks that an object of arguments says. */
function bodyParts(value: unknown, way: Way, path: string, at: Frames): Parts {
  const parts: Parts = { attributes: [], blocks: [] };
  for (const [name, inner] of Object.entries(record(value, `The arguments of ${path}`, at))) {
    if (inner === undefined) continue;
    if (holdsToken(name))
      refuse(
        "Name known later",
        `The name of an argument must be known when planning, and "${inWords(name)}" is known later.`,
        at,
      );
    if (!expressionOf(inner) && inner instanceof NestedBlocks)
      parts.blocks.push(dynamicBlock(name, inner, [...way, name], path, at));
    else parts.attributes.push({ name, expression: toExpression(inner, `${path}.${name}`), from: [...way, name] });
  }
  return parts;
}

function dynamicBlock(
  name: string,
  { collection, body }: NestedBlocks,
  way: Way,
  path: string,
  at: Frames,
): StackBlock {
  const item = (part: string) => reference({ kind: "reference", root: name, steps: [{ attribute: part }] });
  const content = bodyParts(body({ key: item("key"), value: item("value") }), way, `${path}.${name}`, at);
  const attributes = [{ name: "for_each", expression: collection, from: way }];
  return { type: "dynamic", labels: [name], attributes, blocks: [{ type: "content", labels: [], ...content, at }], at };
}

export function blocks(collection: unknown, body: (item: unknown) => unknown): unknown {
  return new NestedBlocks(toExpression(collection, "The collection"), body);
}

export function variable(name: unknown, settings: unknown = {}): unknown {
  const at = here();
  const label = knownName(name, "The name of a variable", at);
  const made = reference({ kind: "reference", root: "var", steps: [{ attribute: label }] });
  const { type, validation, ...rest } = record(settings, "The settings of a variable", at);
  const rules: unknown = typeof validation === "function" ? validation(made) : validation;
  const parts = bodyParts(
    { ...rest, ...(rules === undefined ? {} : { validation: rules }) },
    [1],
    `variable ${label}`,
    at,
  );
  if (type !== undefined) {
    const text = knownName(type, "The type of a variable", at);
    parts.attributes.unshift({ name: "type", expression: { kind: "source", text }, from: [1, "type"] });
  }
  declare({ type: "variable", labels: [label], ...parts, at });
  return made;
}

export function output(name: unknown, value: unknown, settings: unknown = {}): void {
  const at = here();
  const label = knownName(name, "The name of an output", at);
  const parts = bodyParts(settings, [2], `output ${label}`, at);
  parts.attributes.unshift({
    name: "value",
    expression: toExpression(value, `The value of output ${label}`),
    from: [1],
  });
  declare({ type: "output", labels: [label], ...parts, at });
}

export function local(name: unknown, value: unknown): unknown {
  const at = here();
  const label = knownName(name, "The name of a local value", at);
  const attributes = [{ name: label, expression: toExpression(value, `local.${label}`), from: [1] }];
  declare({ type: "locals", labels: [], attributes, blocks: [], at });
  return reference({ kind: "reference", root: "local", steps: [{ attribute: label }] });
}

export function moduleCall(name: unknown, source: unknown, inputs: unknown = {}, options: unknown = {}): unknown {
  const at = here();
  const label = knownName(name, "The name of a module", at);
  const parts = bodyParts(inputs, [2], `module.${label}`, at);
  const text = knownName(source, "The source of a module", at);
  parts.attributes.unshift({ name: "source", expression: { kind: "literal", value: text }, from: [1] });
  const { providers, ...rest } = record(options, "The options", at);
  if (providers !== undefined) {
    const entries = Object.entries(record(providers, "providers", at)).map(([key, value]) => ({
      key: { kind: "literal", value: key } as const,
      value: handle(value, at),
    }));
    parts.attributes.push({ name: "providers", expression: { kind: "object", entries }, from: [3, "providers"] });
  }
  addOptions(parts, rest, at);
  declare({ type: "module", labels: [label], ...parts, at });
  return reference({ kind: "reference", root: "module", steps: [{ attribute: label }] });
}

/** An instance of a template: written as a module call is, with a state of its own. */
export function templateInstance(
  name: unknown,
  template: unknown,
  inputs: unknown = {},
  options: unknown = {},
): unknown {
  const at = here();
  const label = knownName(name, "The name of an instance", at);
  const parts = bodyParts(inputs, [2], `instance.${label}`, at);
  const text = knownName(template, "The template of an instance", at);
  parts.attributes.unshift({ name: "source", expression: { kind: "literal", value: text }, from: [1] });
  addOptions(parts, record(options, "The options", at), at);
  declare({ type: "instance", labels: [label], ...parts, at });
  return reference({ kind: "reference", root: "instance", steps: [{ attribute: label }] });
}

const handles = new WeakMap<object, StackExpression>();

export function provider(name: unknown, settings: unknown = {}, options: unknown = {}): unknown {
  const at = here();
  const label = knownName(name, "The name of a provider", at);
  const { alias } = record(options, "The options", at);
  const parts = bodyParts(settings, [1], `provider ${label}`, at);
  const steps = alias === undefined ? [] : [{ attribute: knownName(alias, "The alias of a provider", at) }];
  if (steps[0])
    parts.attributes.push({
      name: "alias",
      expression: { kind: "literal", value: steps[0].attribute },
      from: [2, "alias"],
    });
  declare({ type: "provider", labels: [label], ...parts, at });
  const made = Object.freeze({});
  handles.set(made, { kind: "reference", root: label, steps });
  return made;
}

function handle(value: unknown, at: Frames): StackExpression {
  const known = typeof value === "object" && value !== null ? handles.get(value) : undefined;
  return known ?? refuse("Not a provider configuration", "This option takes what provider(…) gives.", at);
}

export function terraform(settings: unknown): void {
  const at = here();
  const { required_providers: required, ...rest } = record(settings, "The settings", at);
  const parts = bodyParts(rest, [0], "terraform", at);
  if (required !== undefined) {
    const inner = bodyParts(required, [0, "required_providers"], "required_providers", at);
    parts.blocks.push({ type: "required_providers", labels: [], ...inner, at });
  }
  declare({ type: "terraform", labels: [], ...parts, at });
}

function record(value: unknown, what: string, at: Frames): Readonly<Record<string, unknown>> {
  const known = expressionOf(value);
  if (known)
    return notWith(known, "taken for a whole set of arguments", "Name each argument: { name: reference.name, … }");
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Readonly<Record<string, unknown>>;
  return refuse("Unsuitable value", `${what} must be an object, such as { name: "a" }.`, at);
}

/** A text that must be known while the graph is built. */
function knownName(value: unknown, what: string, at: Frames): string {
  const known = expressionOf(value);
  if (known || holdsToken(value)) {
    const text = known ? "a reference" : `"${inWords(String(value))}"`;
    return refuse(
      "Name known later",
      `${what} must be known when planning, because it is part of an address, and ${text} is known later. Use a fixed name; arguments may have the value.`,
      at,
    );
  }
  return typeof value === "string" ? value : refuse("Unsuitable value", `${what} must be a string.`, at);
}
