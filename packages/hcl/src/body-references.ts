import type { Body, Expression, ScopeTraversal } from "./ast.ts";
import { contentOf, justAttributes } from "./body-content.ts";
import type { BodyContent, BodySchema } from "./body-schema.ts";
import type { DecodeSpec } from "./decode-spec.ts";
import { isBlockSpec, schemaOf, visitSameBody } from "./decode-spec.ts";
import { withDynamic } from "./dynamic.ts";
import { referencesIn } from "./references.ts";
import { rootNameOf } from "./static-expression.ts";

/**
 * The references to root variables that decoding a body by a spec looks at, `dynamic` blocks included. The iterators of
 * such blocks are not among them.
 */
export function referencesInBody(body: Body, spec: DecodeSpec): readonly ScopeTraversal[] {
  const found: ScopeTraversal[] = [];
  collectBody(body, spec, noIterators, found);
  return found;
}

type Names = ReadonlySet<string>;
const noIterators: Names = new Set();

function collectBody(body: Body, spec: DecodeSpec, iterators: Names, found: ScopeTraversal[]): void {
  const { value: content } = contentOf(body, withDynamic(schemaOf(spec)));
  visitSameBody(spec, (part) => {
    if (part.kind === "attribute") collectAttribute(content, part.name, iterators, found);
    else if (part.kind === "expression") collect(part.expression, iterators, found);
    else if (isBlockSpec(part)) {
      const nested = part.kind === "blockAttributes" ? undefined : part.nested;
      for (const block of content.blocks) {
        if (block.type === part.type) collectBlock(block.body, nested, iterators, found);
        else if (block.type === "dynamic" && block.labels[0] === part.type)
          collectDynamic(block.body, part.type, nested, iterators, found);
      }
    }
  });
}

function collectBlock(body: Body, nested: DecodeSpec | undefined, iterators: Names, found: ScopeTraversal[]): void {
  if (nested) return collectBody(body, nested, iterators, found);
  for (const { expression } of justAttributes(body).value.values()) collect(expression, iterators, found);
}

const dynamicSchema: BodySchema = {
  attributes: ["for_each", "iterator", "labels"].map((name) => ({ name, required: false })),
  blocks: [{ type: "content", labelNames: [] }],
};

function collectDynamic(
  body: Body,
  type: string,
  nested: DecodeSpec | undefined,
  outer: Names,
  found: ScopeTraversal[],
): void {
  const { value: content } = contentOf(body, dynamicSchema);
  const named = content.attributes.get("iterator");
  const iterators = new Set([...outer, (named && rootNameOf(named.expression)) ?? type]);
  collectAttribute(content, "for_each", outer, found);
  collectAttribute(content, "labels", iterators, found);
  for (const block of content.blocks) collectBlock(block.body, nested, iterators, found);
}

function collectAttribute({ attributes }: BodyContent, name: string, iterators: Names, found: ScopeTraversal[]): void {
  const attribute = attributes.get(name);
  if (attribute) collect(attribute.expression, iterators, found);
}

function collect(expression: Expression, iterators: Names, found: ScopeTraversal[]): void {
  for (const reference of referencesIn(expression)) if (!iterators.has(reference.root.name)) found.push(reference);
}
