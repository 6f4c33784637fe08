import type { SourceRange } from "@millwright/core/source";
import type { Body, Expression, ScopeTraversal, TraversalStep } from "@millwright/hcl/ast";
import { rangeOf } from "@millwright/hcl/source-file";
import { referencesIn } from "@millwright/hcl/references";
import { asString, type Value } from "@millwright/value/value";
import type { ResourceAddress } from "./addresses.ts";

/** What a traversal in a module's configuration means: the thing it names, and the steps into that thing's value. */
export interface Reference {
  readonly subject: Subject;
  /** Steps behind the subject, e.g. `.id` of `aws_thing.a.id`, and `[0].id` of `aws_thing.a[0].id`. */
  readonly rest: readonly TraversalStep[];
  /** Where the subject stands, with its instance key if there is one; of a module also the output that is read. */
  readonly range: SourceRange;
  readonly traversal: ScopeTraversal;
}

export type Subject =
  | { readonly kind: "variable"; readonly name: string }
  | { readonly kind: "local"; readonly name: string }
  /** `output` is the output that is read, where it can be told from the reference. */
  | { readonly kind: "module"; readonly name: string; readonly output?: string }
  | { readonly kind: "resource"; readonly address: ResourceAddress }
  | { readonly kind: "path"; readonly name: string }
  | { readonly kind: "terraform"; readonly name: string }
  | { readonly kind: "each"; readonly name: string }
  | { readonly kind: "count"; readonly name: string }
  | { readonly kind: "self" };

export type ParsedReference =
  | { readonly ok: true; readonly reference: Reference }
  | { readonly ok: false; readonly summary: string; readonly detail: string; readonly range: SourceRange };

/** Reads a traversal as a module's reference. */
export function parseReference(traversal: ScopeTraversal): ParsedReference {
  const range = rangeOf(traversal);
  const root = traversal.root.name;
  const found = (subject: Subject, used: number): ParsedReference => ({
    ok: true,
    reference: { subject, rest: traversal.steps.slice(used), range: subjectRange(traversal, subject, used), traversal },
  });
  const refused = (detail: string): ParsedReference => ({ ok: false, summary: "Invalid reference", detail, range });
  const first = attributeName(traversal.steps[0]);
  const second = attributeName(traversal.steps[1]);
  switch (root) {
    case "var":
    case "local":
    case "path":
    case "terraform":
    case "tofu":
    case "each":
    case "count": {
      if (first === undefined) {
        return refused(`The "${root}" object cannot be accessed directly. Instead, access one of its attributes.`);
      }
      const kind = root === "var" ? "variable" : root === "tofu" ? "terraform" : root;
      return found({ kind, name: first }, 1);
    }
    case "self":
      return found({ kind: "self" }, 0);
    case "module": {
      if (first === undefined) {
        return refused('The "module" object cannot be accessed directly. Instead, access one of its attributes.');
      }
      const output = attributeName(traversal.steps[1]) ?? attributeName(traversal.steps[2]);
      return found(output === undefined ? { kind: "module", name: first } : { kind: "module", name: first, output }, 1);
    }
    case "data":
    case "ephemeral":
      if (first === undefined || second === undefined) {
        return refused(
          `The "${root}" object must be followed by two attribute names: the ${root} resource's type and its name.`,
        );
      }
      return found({ kind: "resource", address: { mode: root, type: first, name: second } }, 2);
    case "resource":
      if (first === undefined || second === undefined) {
        return refused(
          'The "resource" object must be followed by two attribute names: the resource type and its name.',
        );
      }
      return found({ kind: "resource", address: { mode: "managed", type: first, name: second } }, 2);
    case "template":
    case "lazy":
    case "arg":
      return refused(`The symbol name "${root}" is reserved for later use. Choose another name.`);
    default:
      if (first === undefined) {
        return refused(
          "A reference to a resource type must be followed by at least one attribute access, specifying the resource name.",
        );
      }
      return found({ kind: "resource", address: { mode: "managed", type: root, name: first } }, 1);
  }
}

function subjectRange(traversal: ScopeTraversal, { kind }: Subject, used: number): SourceRange {
  const isRepeated = kind === "resource" || kind === "module";
  const named = used + (isRepeated && traversal.steps[used]?.kind === "index" ? 1 : 0);
  const last = kind === "module" && traversal.steps[named]?.kind === "attribute" ? named : named - 1;
  return rangeOf({ ...traversal, end: (traversal.steps[last] ?? traversal.root).end });
}

function attributeName(step: TraversalStep | undefined): string | undefined {
  return step?.kind === "attribute" ? step.name : undefined;
}

/** The constant key of a reference's first further step, e.g. 0 of `aws_thing.a[0]`. */
export function constantKey(rest: readonly TraversalStep[]): Value | undefined {
  const step = rest[0];
  return step?.kind === "index" ? step.key : undefined;
}

/** Text of a string key, else undefined. */
export function stringKey(key: Value): string | undefined {
  return key.type.kind === "string" ? asString(key) : undefined;
}

const memo = new WeakMap<Expression, readonly ParsedReference[]>();

/** All references of an expression, in source order. Kept: the same expression is asked for again and again. */
export function referencesOf(expression: Expression): readonly ParsedReference[] {
  let references = memo.get(expression);
  if (!references) {
    references = referencesIn(expression).map(parseReference);
    memo.set(expression, references);
  }
  return references;
}

const bodyMemo = new WeakMap<Body, readonly ParsedReference[]>();

/**
 * All references of a body at any depth. Names bound by `dynamic` blocks are not references; a JSON body is read as if
 * every string were a template.
 */
export function referencesOfBody(body: Body): readonly ParsedReference[] {
  let references = bodyMemo.get(body);
  if (!references) {
    references = [...traversalsOfBody(body, new Set())].map(parseReference);
    bodyMemo.set(body, references);
  }
  return references;
}

function* traversalsOfBody(body: Body, bound: ReadonlySet<string>): Generator<ScopeTraversal> {
  for (const attribute of body.attributes.values()) yield* free(attribute.expression, bound);
  if (body.json) yield* free({ ...body.json, kind: "json", value: body.json }, bound);
  for (const block of body.blocks) {
    if (block.type !== "dynamic") {
      yield* traversalsOfBody(block.body, bound);
      continue;
    }
    const iterator = block.body.attributes.get("iterator")?.expression;
    const name = iterator?.kind === "scopeTraversal" ? iterator.root.name : (block.labels[0] ?? "");
    const inner = new Set(bound).add(name);
    const each = block.body.attributes.get("for_each");
    if (each) yield* free(each.expression, bound);
    const labels = block.body.attributes.get("labels");
    if (labels) yield* free(labels.expression, inner);
    for (const content of block.body.blocks) yield* traversalsOfBody(content.body, inner);
  }
}

function* free(expression: Expression, bound: ReadonlySet<string>): Generator<ScopeTraversal> {
  for (const traversal of referencesIn(expression)) if (!bound.has(traversal.root.name)) yield traversal;
}
