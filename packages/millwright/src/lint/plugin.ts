import { decisionsByReference } from "./decisions.ts";
import type { LintNode } from "./lint-node.ts";

/** What a rule is given, as far as this one needs it; ESLint and the linters that take its plugins have more. */
export interface RuleContext {
  report(problem: { readonly node: LintNode; readonly message: string }): void;
}

export interface Rule {
  readonly meta: {
    readonly type: "problem";
    readonly docs: { readonly description: string };
    readonly schema: readonly never[];
  };
  create(context: RuleContext): { Program(program: LintNode): void };
}

/**
 * Refuses `===`, other comparisons and conditions on references in stacks: JavaScript would decide them when planning,
 * before the value is known. `plan` refuses them too where it comes by them; this shows them while they are written.
 */
const noDecisionByReference: Rule = {
  meta: {
    type: "problem",
    docs: { description: "Refuse comparisons and conditions on references, whose values are known later" },
    schema: [],
  },
  create: (context) => ({
    Program(program) {
      for (const problem of decisionsByReference(program)) context.report(problem);
    },
  }),
};

/** An ESLint plugin: `plugins: { millwright }`, `rules: { "millwright/no-decision-by-reference": "error" }`. */
export const meta = { name: "millwright", version: "0.1.0" } as const;
export const rules: Readonly<Record<string, Rule>> = { "no-decision-by-reference": noDecisionByReference };
