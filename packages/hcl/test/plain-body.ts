import { BigFloat } from "@millwright/value/number";
import type { Body, Expression } from "../src/ast.ts";

/** A body as plain data, to compare. Only for what HCL 1 has: literals, lists and objects. */
export interface PlainBody {
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly blocks: readonly (PlainBody & { readonly header: readonly string[] })[];
}

export function plainBody(body: Body): PlainBody {
  const attributes = [...body.attributes.values()].map(({ name, expression }) => [name, plainValue(expression)]);
  const blocks = body.blocks.map((block) => ({ header: [block.type, ...block.labels], ...plainBody(block.body) }));
  return { attributes: Object.fromEntries(attributes), blocks };
}

/** Integers and fractions as their text where they are no safe integers. */
export function plainValue(expression: Expression): unknown {
  switch (expression.kind) {
    case "literal": {
      const { data } = expression.value;
      return data instanceof BigFloat ? (data.toSafeInteger() ?? data.toText()) : data;
    }
    case "tuple":
      return expression.elements.map(plainValue);
    case "object":
      return Object.fromEntries(
        expression.items.map(({ key, value }) => [String(plainValue(key.expression)), plainValue(value)]),
      );
    default:
      throw new Error(`HCL 1 has no ${expression.kind}`);
  }
}
