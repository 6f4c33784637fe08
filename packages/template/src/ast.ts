/** The tree of a template. `at` is the UTF-16 offset into the source that messages about a node show. */

export interface ListNode {
  readonly kind: "list";
  readonly at: number;
  readonly nodes: StatementNode[];
}

export interface TextNode {
  readonly kind: "text";
  readonly at: number;
  readonly text: string;
}

export interface ActionNode {
  readonly kind: "action";
  readonly at: number;
  readonly pipe: PipeNode;
}

export interface BranchNode {
  readonly kind: "if" | "range" | "with";
  readonly at: number;
  readonly pipe: PipeNode;
  readonly body: ListNode;
  readonly otherwise: ListNode | undefined;
}

export interface TemplateCallNode {
  readonly kind: "template";
  readonly at: number;
  readonly name: string;
  readonly pipe: PipeNode | undefined;
}

export interface JumpNode {
  readonly kind: "break" | "continue";
  readonly at: number;
}

export type StatementNode = TextNode | ActionNode | BranchNode | TemplateCallNode | JumpNode;

export interface PipeNode {
  readonly kind: "pipe";
  readonly at: number;
  readonly variables: readonly VariableNode[];
  /** `=`, which sets variables that are there, against `:=`, which makes new ones. */
  readonly isAssignment: boolean;
  readonly commands: readonly CommandNode[];
}

export interface CommandNode {
  readonly kind: "command";
  readonly at: number;
  /** One at least: the first is what is evaluated or called. */
  readonly operands: readonly OperandNode[];
}

/** `$x` and the fields behind it; the first identifier is the variable's name with its dollar. */
export interface VariableNode {
  readonly kind: "variable";
  readonly at: number;
  readonly identifiers: readonly string[];
}

export interface FieldNode {
  readonly kind: "field";
  readonly at: number;
  readonly identifiers: readonly string[];
}

/** Fields of something that is neither dot nor a variable: `(pipeline).Field`, `function.Field`. */
export interface ChainNode {
  readonly kind: "chain";
  readonly at: number;
  readonly receiver: OperandNode;
  readonly fields: readonly string[];
}

export interface IdentifierNode {
  readonly kind: "identifier";
  readonly at: number;
  readonly name: string;
}

export interface DotNode {
  readonly kind: "dot";
  readonly at: number;
}

export interface NilNode {
  readonly kind: "nil";
  readonly at: number;
}

export interface BoolNode {
  readonly kind: "bool";
  readonly at: number;
  readonly value: boolean;
}

export interface StringNode {
  readonly kind: "string";
  readonly at: number;
  /** As it stands in the source, with its quotes. */
  readonly literal: string;
  readonly text: string;
}

export interface NumberNode {
  readonly kind: "number";
  readonly at: number;
  /** As it stands in the source. */
  readonly literal: string;
  /** Undefined where the number is no such type's: 1.5 no integer, -1 no unsigned one. */
  readonly integer: bigint | undefined;
  readonly unsigned: bigint | undefined;
  readonly float: number | undefined;
}

export type OperandNode =
  | PipeNode
  | VariableNode
  | FieldNode
  | ChainNode
  | IdentifierNode
  | DotNode
  | NilNode
  | BoolNode
  | StringNode
  | NumberNode;

export type TemplateNode = ListNode | StatementNode | CommandNode | OperandNode;
