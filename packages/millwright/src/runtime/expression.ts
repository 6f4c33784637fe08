/** An expression of a stack, as plain data: what the graph is made of, and what a saved plan keeps. */
export type StackExpression =
  | { readonly kind: "literal"; readonly value: string | number | boolean | null }
  /** A number that JSON has no room for, as its digits. */
  | { readonly kind: "number"; readonly text: string }
  | { readonly kind: "reference"; readonly root: string; readonly steps: readonly Step[] }
  | { readonly kind: "access"; readonly source: StackExpression; readonly steps: readonly Step[] }
  | { readonly kind: "template"; readonly parts: readonly StackExpression[] }
  | { readonly kind: "tuple"; readonly elements: readonly StackExpression[] }
  | {
      readonly kind: "object";
      readonly entries: readonly { readonly key: StackExpression; readonly value: StackExpression }[];
    }
  | { readonly kind: "call"; readonly name: string; readonly args: readonly StackExpression[]; readonly at: Frames }
  | {
      readonly kind: "conditional";
      readonly condition: StackExpression;
      readonly whenTrue: StackExpression;
      readonly whenFalse: StackExpression;
    }
  /** `from` is a tuple of what the function number `id` is given, or the one thing. */
  | { readonly kind: "derive"; readonly id: number; readonly from: StackExpression; readonly at: Frames }
  /** An expression in the words of HCL: a type constraint. */
  | { readonly kind: "source"; readonly text: string };

export type Step =
  | { readonly attribute: string }
  | { readonly index: string | number }
  | { readonly key: StackExpression };

/** Where something was written: line and column (both from 1) of the calls that led there, innermost first. */
export type Frames = readonly (readonly [line: number, column: number])[];

/** One block of configuration that a stack made, as HCL has it. */
export interface StackBlock {
  readonly type: string;
  readonly labels: readonly string[];
  readonly attributes: readonly StackAttribute[];
  readonly blocks: readonly StackBlock[];
  readonly at: Frames;
}

export interface StackAttribute {
  readonly name: string;
  readonly expression: StackExpression;
  /** Which argument of the call at `at` it is, and the way into that argument. */
  readonly from: readonly (string | number)[];
}

/** What a stack program made when it ran. */
export interface Graph {
  readonly blocks: readonly StackBlock[];
  readonly notes: readonly string[];
  readonly faults: readonly StackFault[];
}

/** A mistake that was seen while the program ran. */
export interface StackFault {
  readonly summary: string;
  readonly detail: string;
  readonly at: Frames;
}

/** How an expression is said in messages: as HCL would write it, roughly. */
export function describe(expression: StackExpression): string {
  switch (expression.kind) {
    case "reference":
      return expression.root + expression.steps.map(describeStep).join("");
    case "access":
      return describe(expression.source) + expression.steps.map(describeStep).join("");
    case "derive":
      return `derive(${describe(expression.from)}, …)`;
    case "call":
      return `${expression.name}(…)`;
    case "literal":
      return JSON.stringify(expression.value);
    case "template":
      return "a template string";
    default:
      return "a value known later";
  }
}

function describeStep(step: Step): string {
  if ("attribute" in step) return `.${step.attribute}`;
  if ("index" in step) return `[${JSON.stringify(step.index)}]`;
  return `[${describe(step.key)}]`;
}
