import type { Diagnostic } from "@millwright/core/diagnostics";
import type { Marks } from "@millwright/value/value";
import { noMarks } from "@millwright/value/value";
import type { Attribute, Block, Body, Node } from "./ast.ts";
import { contentOf } from "./body-content.ts";
import type { BodySchema } from "./body-schema.ts";
import type { Scope } from "./scope.ts";

/** A body and what holds of all that is evaluated in it. */
export interface ScopedBody {
  readonly body: Body;
  readonly scope: Scope | undefined;
  /** Marks for every value of the body: those of what decided that it is there. */
  readonly marks: Marks;
  /** Whether it is not known how often the body is there: nothing in it is known then. */
  readonly unknown: boolean;
}

/** A block with the scope of its body. */
export interface ScopedBlock {
  readonly block: Block;
  readonly inside: ScopedBody;
}

/** What was found of a schema, ready to be evaluated. */
export interface ScopedContent {
  readonly attributes: ReadonlyMap<string, Attribute>;
  readonly blocks: readonly ScopedBlock[];
  readonly missingItem: Node;
}

/** How the content of bodies is found while decoding: {@link asWritten}, or with `dynamic` blocks expanded. */
export type ReadContent = (from: ScopedBody, schema: BodySchema, diagnostics: Diagnostic[]) => ScopedContent;

/** The content that stands in the body. */
export const asWritten: ReadContent = (from, schema, diagnostics) => {
  const { value, diagnostics: found } = contentOf(from.body, schema);
  diagnostics.push(...found);
  const { attributes, blocks, missingItem } = value;
  return {
    attributes,
    blocks: blocks.length === 0 ? noBlocks : blocks.map((block) => inherited(block, from)),
    missingItem,
  };
};

const noBlocks: readonly ScopedBlock[] = [];

/** A block that stands in a body: all that holds of the body but its marks, which its value gets once, as a whole, holds of it. */
export function inherited(block: Block, { scope, unknown }: ScopedBody): ScopedBlock {
  return { block, inside: { body: block.body, scope, marks: noMarks, unknown } };
}
