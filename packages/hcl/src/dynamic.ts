import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import { quote } from "@millwright/text/quote";
import { convert } from "@millwright/value/convert";
import { friendlyName } from "@millwright/value/friendly";
import { elementsOf } from "@millwright/value/operations";
import { stringType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import { asString, dynamicValue, isKnown, objectValue, unmark } from "@millwright/value/value";
import type { Block, Expression, Node } from "./ast.ts";
import { contentOf } from "./body-content.ts";
import type { BlockSchema, BodyContent, BodySchema } from "./body-schema.ts";
import type { ReadContent, ScopedBlock, ScopedBody } from "./decode-content.ts";
import { inherited } from "./decode-content.ts";
import { evaluateInto } from "./evaluate.ts";
import { expressionValues } from "./expression-values.ts";
import type { Scope } from "./scope.ts";
import { childScope } from "./scope.ts";
import { rangeOf } from "./source-file.ts";
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

/** One `dynamic` block on its way to the blocks it stands for. */
class Expansion {
  readonly #dynamic: Block;
  readonly #from: ScopedBody;
  readonly #diagnostics: Diagnostic[];
  readonly #check: CheckForEach | undefined;

  constructor(dynamic: Block, from: ScopedBody, diagnostics: Diagnostic[], check: CheckForEach | undefined) {
    this.#dynamic = dynamic;
    this.#from = from;
    this.#diagnostics = diagnostics;
    this.#check = check;
  }

  blocks(schema: BodySchema): readonly ScopedBlock[] {
    const type = this.#dynamic.labels[0]!;
    const header = schema.blocks.find((candidate) => candidate.type === type);
    if (!header) {
      const at = this.#dynamic.labelNodes[0]!;
      return this.#refuse("Unsupported block type", `Blocks of type ${quote(type)} are not expected here.`, at);
    }
    const { value: content, diagnostics } = contentOf(
      this.#dynamic.body,
      header.labelNames.length > 0 ? withLabels : withoutLabels,
    );
    this.#diagnostics.push(...diagnostics);
    if (hasErrors(diagnostics)) return [];
    const iterator = this.#iteratorName(content, type);
    const each = iterator === undefined ? undefined : this.#forEach(content);
    const body = each && this.#content(content);
    const labels = body && this.#labelExpressions(content, header);
    if (iterator === undefined || !each || !body || !labels) return [];
    const [bare, marks] = unmark(each);
    const rounds = isKnown(bare) ? elementsOf(bare) : [[dynamicValue, dynamicValue] as const];
    const result: ScopedBlock[] = [];
    for (const [key, value] of rounds) {
      const variables = new Map([[iterator, objectValue({ key, value })]]);
      const scope = childScope(this.#from.scope, variables);
      const texts = this.#labelTexts(labels, scope);
      if (!texts) continue;
      const block: Block = {
        ...body,
        type,
        typeNode: this.#dynamic.labelNodes[0]!,
        labels: texts,
        labelNodes: labels,
        header: this.#dynamic.header,
      };
      const unknown = this.#from.unknown || !isKnown(bare);
      result.push({ block, inside: { body: body.body, scope, marks, unknown } });
    }
    return result;
  }

  #iteratorName({ attributes }: BodyContent, type: string): string | undefined {
    const attribute = attributes.get("iterator");
    if (!attribute) return type;
    const name = rootNameOf(attribute.expression);
    if (name !== undefined) return name;
    this.#refuse(
      "Invalid dynamic iterator name",
      "Dynamic iterator must be a single variable name.",
      attribute.expression,
    );
    return undefined;
  }

  #forEach({ attributes }: BodyContent): Value | undefined {
    const { expression } = attributes.get("for_each")!;
    const found: Diagnostic[] = [];
    const value = evaluateInto(expression, this.#from.scope, found);
    if (!hasErrors(found)) found.push(...(this.#check?.(value, expression, this.#from.scope) ?? []));
    this.#diagnostics.push(...found);
    if (hasErrors(found)) return undefined;
    const { kind } = value.type;
    const summary = "Invalid dynamic for_each value";
    if (kind === "string" || kind === "number" || kind === "bool" || kind === "capsule") {
      const name = friendlyName(value.type);
      this.#refuseValue(
        summary,
        `Cannot use a ${name} value in for_each. An iterable collection is required.`,
        expression,
        this.#from.scope,
      );
      return undefined;
    }
    if (value.data !== null) return value;
    this.#refuseValue(summary, "Cannot use a null value in for_each.", expression, this.#from.scope);
    return undefined;
  }

  #content({ blocks, missingItem }: BodyContent): Block | undefined {
    const [first, second] = blocks;
    if (!first) {
      const detail =
        'A dynamic block must have a nested block of type "content" to describe the body of each generated block.';
      this.#refuse("Missing dynamic content block", detail, missingItem);
      return undefined;
    }
    if (!second) return first;
    const detail = "Only one nested content block is allowed for each dynamic block.";
    this.#refuse("Extraneous dynamic content block", detail, second.header);
    return undefined;
  }

  #labelExpressions({ attributes }: BodyContent, { type, labelNames }: BlockSchema): readonly Expression[] | undefined {
    const attribute = attributes.get("labels");
    if (!attribute) return [];
    const expressions = elementsIn(attribute.expression);
    if (!expressions) {
      this.#refuse("Invalid expression", "A static list expression is required.", attribute.expression);
      return undefined;
    }
    const wanted = labelNames.length;
    if (expressions.length === wanted) return expressions;
    const detail = `Blocks of type ${quote(type)} require ${wanted} label(s).`;
    if (expressions.length < wanted) this.#refuse("Insufficient dynamic block labels", detail, attribute.expression);
    else this.#refuse("Extraneous dynamic block label", detail, expressions[wanted]!);
    return undefined;
  }

  /** The labels of one block; undefined where one of them cannot be a label. */
  #labelTexts(expressions: readonly Expression[], scope: Scope): readonly string[] | undefined {
    const texts: string[] = [];
    for (const expression of expressions) {
      const found: Diagnostic[] = [];
      const value = evaluateInto(expression, scope, found);
      this.#diagnostics.push(...found);
      if (hasErrors(found)) return undefined;
      const text = labelText(value);
      if (typeof text !== "string") {
        this.#refuseValue("Invalid dynamic block label", text.fault, expression, scope);
        return undefined;
      }
      texts.push(text);
    }
    return texts;
  }

  #refuse(summary: string, detail: string, at: Node): readonly never[] {
    this.#diagnostics.push(errorDiagnostic(summary, detail, { subject: rangeOf(at) }));
    return [];
  }

  #refuseValue(summary: string, detail: string, expression: Expression, scope: Scope | undefined): void {
    const values = expressionValues(expression, scope);
    const place = { subject: rangeOf(expression), ...(values.length > 0 ? { expressionValues: values } : {}) };
    this.#diagnostics.push(errorDiagnostic(summary, detail, place));
  }
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
