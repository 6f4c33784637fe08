import type { Diagnostic } from "@millwright/core/diagnostics";
import type { Value } from "@millwright/value/value";
import type { SourceFile } from "./source-file.ts";

/**
 * The tree to evaluate (the lossless one, to edit and format, is another). Nodes are plain, immutable records; `start` and
 * `end` are UTF-16 offsets into `file.text`, turned into lines, grapheme columns and bytes on demand by `rangeOf(node)`.
 * The native, the JSON and the HCL 1 reader all give this tree.
 */
export interface Node {
  readonly file: SourceFile;
  readonly start: number;
  readonly end: number;
}

/** What a file or a block holds, in source order. */
export interface Body extends Node {
  readonly attributes: ReadonlyMap<string, Attribute>;
  readonly blocks: readonly Block[];
  /** Where something missing from this body is reported: the empty stretch where the body begins; in JSON where it ends. */
  readonly missingItem: Node;
  /**
   * A JSON body is read by what the schema asks for: its properties (or those of the objects in it, where it is an array) may be
   * attributes or blocks. Native bodies have none.
   */
  readonly json?: JsonNode;
  /**
   * Set by the HCL 1 reader, whose language does not tell `x = { … }` from `x { … }`, nor labels from blocks within: a schema that
   * asks for the other form gets it.
   */
  readonly interchangeable?: true;
  /** Set where another schema has taken its part of the body already (the first that did): what a misspelt name may have meant. */
  readonly takenBy?: {
    readonly attributes: readonly { readonly name: string }[];
    readonly blocks: readonly { readonly type: string }[];
  };
}

export interface Attribute extends Node {
  readonly name: string;
  readonly nameNode: Node;
  readonly expression: Expression;
}

export interface Block extends Node {
  readonly type: string;
  readonly typeNode: Node;
  readonly labels: readonly string[];
  readonly labelNodes: readonly Node[];
  /** The header alone, as diagnostics show it. */
  readonly header: Node;
  readonly openBrace: Node;
  readonly closeBrace: Node;
  readonly body: Body;
}

export type Expression =
  | Literal
  | Template
  | TemplateWrap
  | TemplateJoin
  | ScopeTraversal
  | RelativeTraversal
  | FunctionCall
  | Conditional
  | Index
  | Splat
  | SplatItem
  | TupleConstructor
  | ObjectConstructor
  | For
  | Unary
  | Binary
  | Parenthesized
  | JsonExpression
  | InvalidExpression;

/** `1`, `true`, `null`, or the literal text inside a template. */
export interface Literal extends Node {
  readonly kind: "literal";
  readonly value: Value;
}

/** `"a ${b} c"`: its parts joined as strings. A quoted string without interpolation has at most one literal part. */
export interface Template extends Node {
  readonly kind: "template";
  readonly parts: readonly Expression[];
}

/** `"${b}"`: one interpolation and nothing else, which keeps the value's type. */
export interface TemplateWrap extends Node {
  readonly kind: "templateWrap";
  readonly wrapped: Expression;
}

/** The strings of a tuple, joined: what a `%{ for }` directive becomes around its `For`. */
export interface TemplateJoin extends Node {
  readonly kind: "templateJoin";
  readonly tuple: Expression;
}

/** `a.b[0]`: a root name and steps that are all constant. */
export interface ScopeTraversal extends Node {
  readonly kind: "scopeTraversal";
  readonly root: RootStep;
  readonly steps: readonly TraversalStep[];
}

/** `f().b[0]`: constant steps from any expression. */
export interface RelativeTraversal extends Node {
  readonly kind: "relativeTraversal";
  readonly source: Expression;
  readonly steps: readonly TraversalStep[];
}

export interface RootStep extends Node {
  readonly name: string;
}

/** `.name`, or `[key]` and the legacy `.0` with a constant string or number key. */
export type TraversalStep =
  | (Node & { readonly kind: "attribute"; readonly name: string })
  | (Node & { readonly kind: "index"; readonly key: Value });

/** `name(args...)`; `name` holds the namespaces too, joined by `::`. */
export interface FunctionCall extends Node {
  readonly kind: "call";
  readonly name: string;
  readonly nameNode: Node;
  readonly args: readonly Expression[];
  /** Whether the last argument is followed by `...`. */
  readonly expandFinal: boolean;
  readonly openParen: Node;
  readonly closeParen: Node;
}

/** `condition ? whenTrue : whenFalse`, and a template's `%{ if }`. */
export interface Conditional extends Node {
  readonly kind: "conditional";
  readonly condition: Expression;
  readonly whenTrue: Expression;
  readonly whenFalse: Expression;
}

/** `collection[key]` with a key that must be computed. */
export interface Index extends Node {
  readonly kind: "index";
  readonly collection: Expression;
  readonly key: Expression;
  readonly brackets: Node;
}

/** `source[*].each…` (full) or `source.*.each…` (attribute-only): `each` is evaluated with {@link SplatItem} as each element. */
export interface Splat extends Node {
  readonly kind: "splat";
  readonly source: Expression;
  readonly each: Expression;
  readonly item: SplatItem;
  readonly marker: Node;
}

/** The element a {@link Splat} is at; the splat's `each` holds exactly this object where the element is used. */
export interface SplatItem extends Node {
  readonly kind: "splatItem";
}

export interface TupleConstructor extends Node {
  readonly kind: "tuple";
  readonly elements: readonly Expression[];
  readonly open: Node;
}

export interface ObjectConstructor extends Node {
  readonly kind: "object";
  readonly items: readonly ObjectItem[];
  readonly open: Node;
}

export interface ObjectItem {
  readonly key: ObjectKey;
  readonly value: Expression;
}

/** `name`, `"text ${x}"` or `(expression)` before `=` or `:`. A bare name is a string, not a reference. */
export interface ObjectKey extends Node {
  readonly expression: Expression;
  /** Set where the key is a bare name (or keyword) without parentheses. */
  readonly name?: string;
}

/** `[for k, v in collection : value if condition]` or `{for … : key => value...}`. */
export interface For extends Node {
  readonly kind: "for";
  readonly keyName?: string;
  readonly valueName: string;
  readonly collection: Expression;
  /** Set for the object form. */
  readonly key?: Expression;
  readonly value: Expression;
  readonly condition?: Expression;
  /** Whether values of one key are grouped into tuples (`...`). */
  readonly group: boolean;
  readonly open: Node;
  readonly close: Node;
}

export interface Unary extends Node {
  readonly kind: "unary";
  readonly operator: "-" | "!";
  readonly operand: Expression;
  readonly symbol: Node;
}

export type BinaryOperator = "||" | "&&" | "==" | "!=" | "<" | ">" | "<=" | ">=" | "+" | "-" | "*" | "/" | "%";

export interface Binary extends Node {
  readonly kind: "binary";
  readonly operator: BinaryOperator;
  readonly left: Expression;
  readonly right: Expression;
  readonly symbol: Node;
}

export interface Parenthesized extends Node {
  readonly kind: "parenthesized";
  readonly inner: Expression;
}

/** A value of a JSON file: strings are templates (`template`), all else is itself. */
export interface JsonExpression extends Node {
  readonly kind: "json";
  readonly value: JsonNode;
}

/** Something that could not be read; it evaluates to an unknown value of unknown type, without a diagnostic that was said already. */
export interface InvalidExpression extends Node {
  readonly kind: "invalid";
  /** What is wrong, where nobody said it yet, as of a template in JSON, which is read when it is used: evaluation says it. */
  readonly diagnostics?: readonly Diagnostic[];
}

export type JsonNode = JsonObjectNode | JsonArrayNode | JsonStringNode | JsonNumberNode | JsonBoolNode | JsonNullNode;

export interface JsonObjectNode extends Node {
  readonly kind: "jsonObject";
  readonly properties: readonly JsonProperty[];
  readonly open: Node;
  readonly close: Node;
}

export interface JsonProperty extends Node {
  readonly name: string;
  readonly nameNode: Node;
  /** The name read as a template, which it is inside of an expression's object; read once, when first asked for. */
  readonly nameTemplate: () => Expression;
  readonly value: JsonNode;
}

export interface JsonArrayNode extends Node {
  readonly kind: "jsonArray";
  readonly elements: readonly JsonNode[];
  readonly open: Node;
}

export interface JsonStringNode extends Node {
  readonly kind: "jsonString";
  readonly text: string;
  /** The text read as a template, with positions inside the string; read once, when first asked for. */
  readonly template: () => Expression;
}

export interface JsonNumberNode extends Node {
  readonly kind: "jsonNumber";
  readonly value: Value;
}

export interface JsonBoolNode extends Node {
  readonly kind: "jsonBool";
  readonly value: boolean;
}

export interface JsonNullNode extends Node {
  readonly kind: "jsonNull";
}
