import type { Attribute, Block, Node } from "./ast.ts";

/** What is asked of a body: which arguments it may or must have, and which types of block with how many labels. */
export interface BodySchema {
  readonly attributes: readonly AttributeSchema[];
  readonly blocks: readonly BlockSchema[];
}

export interface AttributeSchema {
  readonly name: string;
  readonly required: boolean;
}

export interface BlockSchema {
  readonly type: string;
  /** A name for each label, as diagnostics call it. */
  readonly labelNames: readonly string[];
}

/** What was found of a schema in a body. Blocks are in source order. */
export interface BodyContent {
  readonly attributes: ReadonlyMap<string, Attribute>;
  readonly blocks: readonly Block[];
  /** Where something missing is reported. */
  readonly missingItem: Node;
}
