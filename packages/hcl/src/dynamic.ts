import type { Diagnostic } from "@millwright/core/diagnostics";
import { hasErrors } from "@millwright/core/diagnostics";
import { quote } from "@millwright/text/quote";
import { convert } from "@millwright/value/convert";
import { friendlyName } from "@millwright/value/friendly";
import { elementsOf } from "@millwright/value/operations";
import { isPrimitive, stringType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import { asString, dynamicValue, isKnown, objectValue, unmark } from "@millwright/value/value";
import type { Block, Expression, Node } from "./ast.ts";
import { contentOf } from "./body-content.ts";
import type { BlockSchema, BodyContent, BodySchema } from "./body-schema.ts";
import type { Context } from "./context.ts";
import { failedSince, inScope, refuse } from "./context.ts";
import type { ReadContent, ScopedBlock, ScopedBody } from "./decode-content.ts";
import { inherited } from "./decode-content.ts";
import { contextFor } from "./evaluate.ts";
import type { Scope } from "./scope.ts";
import { childScope } from "./scope.ts";
import { elementsIn, rootNameOf } from "./static-expression.ts";

/** A host's own rule for what `for_each` may be; what it returns is added to the diagnostics, and an error ends the block. */
export type CheckForEach = (value: Value, expression: Expression, scope: Scope | undefined) => readonly Diagnostic[];

/**
 * Finds content with `dynamic` blocks replaced by the blocks they stand for, as ext/dynblock of hashicorp/hcl does:
 *
 *     dynamic "type" { for_each = …  iterator = name  labels = [ … ]  content { … } }
 *
 * A block for each element, in which `name` (by default the type) is an object of `key` and `value`. Where `for_each` is
 * unknown there is one block that is unknown. Marks of `for_each` go to all that is in the blocks.
 */
export function dynamicBlocks(check?: CheckForEach): ReadContent {
  return (from, schema, diagnostics) => {
    const { value, diagnostics: found } = contentOf(from.body, withDynamic(schema));
    diagnostics.push(...found);
    const { attributes, blocks, missingItem } = value;
    const expanded = blocks.flatMap((block) => {
      if (block.type !== "dynamic") return inherited(block, from);
      return new Expansion(block, from, diagnostics, check).blocks(schema);
    });
    return { attributes, blocks: expanded, missingItem };
  };
}

/** The schema that a body with `dynamic` blocks meets. */
export function withDynamic(schema: BodySchema): BodySchema {
  const known = extended.get(schema);
  if (known) return known;
  const made = { attributes: schema.attributes, blocks: [...schema.blocks, dynamicHeader] };
  extended.set(schema, made);
  return made;
}

const extended = new WeakMap<BodySchema, BodySchema>();
const dynamicHeader: BlockSchema = { type: "dynamic", labelNames: ["type"] };
const contentHeader: BlockSchema = { type: "content", labelNames: [] };
const withoutLabels: BodySchema = {
  attributes: [
    { name: "for_each", required: true },
    { name: "iterator", required: false },
  ],
  blocks: [contentHeader],
};
const withLabels: BodySchema = {
  attributes: [...withoutLabels.attributes, { name: "labels", required: true }],
  blocks: withoutLabels.blocks,
};

/** What a `dynamic` block says. */
interface Plan {
  readonly forEach: Value;
  readonly iterator: string;
  readonly labels: readonly Expression[];
  readonly content: Block;
}

/** One `dynamic` block on its way to the blocks it stands for. */
class Expansion {
  readonly #dynamic: Block;
  readonly #from: ScopedBody;
  readonly #context: Context;
  readonly #check: CheckForEach | undefined;

  constructor(dynamic: Block, from: ScopedBody, diagnostics: Diagnostic[], check: CheckForEach | undefined) {
    this.#dynamic = dynamic;
    this.#from = from;
    this.#context = contextFor(from.scope, diagnostics);
    this.#check = check;
  }

  blocks(schema: BodySchema): readonly ScopedBlock[] {
    const plan = this.#plan(schema);
    if (!plan) return [];
    const { iterator, labels, content } = plan;
    const [forEach, marks] = unmark(plan.forEach);
    const known = isKnown(forEach);
    const unknown = this.#from.unknown || !known;
    const blocks: ScopedBlock[] = [];
    for (const [key, value] of known ? elementsOf(forEach) : [oneUnknown]) {
      const scope = childScope(this.#from.scope, new Map([[iterator, objectValue({ key, value })]]));
      const texts = this.#labelTexts(labels, inScope(this.#context, scope));
      if (!texts) continue;
      const block = this.#block(content, texts, labels);
      blocks.push({ block, inside: { body: content.body, scope, marks, unknown } });
    }
    return blocks;
  }

  #block(content: Block, labels: readonly string[], labelNodes: readonly Node[]): Block {
    const { header, labels: types, labelNodes: typeNodes } = this.#dynamic;
    return { ...content, header, type: types[0]!, typeNode: typeNodes[0]!, labels, labelNodes };
  }

  /** What the block says; undefined where some of it is wrong. */
  #plan(schema: BodySchema): Plan | undefined {
    const type = this.#dynamic.labels[0]!;
    const header = schema.blocks.find((candidate) => candidate.type === type);
    if (!header) {
      const subject = this.#dynamic.labelNodes[0]!;
      refuse(this.#context, "Unsupported block type", `Blocks of type ${quote(type)} are not expected here.`, {
        subject,
      });
      return undefined;
    }
    const inner = header.labelNames.length > 0 ? withLabels : withoutLabels;
    const { value: found, diagnostics } = contentOf(this.#dynamic.body, inner);
    this.#context.diagnostics.push(...diagnostics);
    if (hasErrors(diagnostics)) return undefined;
    const iterator = this.#iteratorName(found, type);
    const forEach = iterator === undefined ? undefined : this.#forEach(found);
    const content = forEach && this.#content(found);
    const labels = content && this.#labelExpressions(found, header);
    return iterator !== undefined && forEach && content && labels ? { forEach, iterator, labels, content } : undefined;
  }

  #iteratorName({ attributes }: BodyContent, type: string): string | undefined {
    const attribute = attributes.get("iterator");
    if (!attribute) return type;
    const name = rootNameOf(attribute.expression);
    if (name !== undefined) return name;
    const detail = "Dynamic iterator must be a single variable name.";
    refuse(this.#context, "Invalid dynamic iterator name", detail, { subject: attribute.expression });
    return undefined;
  }

  #forEach({ attributes }: BodyContent): Value | undefined {
    const { expression } = attributes.get("for_each")!;
    const { diagnostics, scope } = this.#context;
    const before = diagnostics.length;
    const value = this.#context.evaluate(expression, this.#context);
    if (failedSince(this.#context, before)) return undefined;
    diagnostics.push(...(this.#check?.(value, expression, scope) ?? []));
    if (failedSince(this.#context, before)) return undefined;
    const fault = forEachFault(value);
    if (fault === undefined) return value;
    refuse(this.#context, "Invalid dynamic for_each value", fault, { subject: expression, expression });
    return undefined;
  }

  #content({ blocks, missingItem }: BodyContent): Block | undefined {
    const [first, second] = blocks;
    if (first && !second) return first;
    if (second) {
      const detail = "Only one nested content block is allowed for each dynamic block.";
      refuse(this.#context, "Extraneous dynamic content block", detail, { subject: second.header });
      return undefined;
    }
    const detail =
      'A dynamic block must have a nested block of type "content" to describe the body of each generated block.';
    refuse(this.#context, "Missing dynamic content block", detail, { subject: missingItem });
    return undefined;
  }

  #labelExpressions({ attributes }: BodyContent, { type, labelNames }: BlockSchema): readonly Expression[] | undefined {
    const attribute = attributes.get("labels");
    if (!attribute) return [];
    const expressions = elementsIn(attribute.expression);
    if (!expressions) {
      refuse(this.#context, "Invalid expression", "A static list expression is required.", {
        subject: attribute.expression,
      });
      return undefined;
    }
    const wanted = labelNames.length;
    if (expressions.length === wanted) return expressions;
    const extra = expressions[wanted];
    const summary = extra ? "Extraneous dynamic block label" : "Insufficient dynamic block labels";
    const detail = `Blocks of type ${quote(type)} require ${wanted} label(s).`;
    refuse(this.#context, summary, detail, { subject: extra ?? attribute.expression });
    return undefined;
  }

  /** The labels of one block; undefined where one of them cannot be a label. */
  #labelTexts(expressions: readonly Expression[], context: Context): readonly string[] | undefined {
    const texts: string[] = [];
    for (const expression of expressions) {
      const before = context.diagnostics.length;
      const value = context.evaluate(expression, context);
      if (failedSince(context, before)) return undefined;
      const text = labelText(value);
      if (typeof text !== "string") {
        refuse(context, "Invalid dynamic block label", text.fault, { subject: expression, expression });
        return undefined;
      }
      texts.push(text);
    }
    return texts;
  }
}

/** Stands for the elements of what is not known yet. */
const oneUnknown = [dynamicValue, dynamicValue] as const;

function forEachFault({ type, data }: Value): string | undefined {
  if (isPrimitive(type) || type.kind === "capsule") {
    return `Cannot use a ${friendlyName(type)} value in for_each. An iterable collection is required.`;
  }
  return data === null ? "Cannot use a null value in for_each." : undefined;
}

function labelText(value: Value): string | { readonly fault: string } {
  const converted = convert(value, stringType);
  if (!converted.ok) return { fault: `Cannot use this value as a dynamic block label: ${converted.message}.` };
  if (converted.value.data === null) return { fault: "Cannot use a null value as a dynamic block label." };
  if (!isKnown(converted.value)) {
    return { fault: "This value is not yet known. Dynamic block labels must be immediately-known values." };
  }
  if (converted.value.marks.size > 0) {
    return { fault: "This value is sensitive or otherwise marked. Block labels are shown, so use one that is not." };
  }
  return asString(converted.value);
}
