import type { Diagnostic } from "@millwright/core/diagnostics";
import { hasErrors } from "@millwright/core/diagnostics";
import { formatRange } from "@millwright/core/source";
import { evaluate } from "@millwright/hcl/evaluate";
import type { FunctionSpec } from "@millwright/hcl/function-spec";
import { closureOf, closureType } from "@millwright/hcl/function-spec";
import { boolType, dynamicType } from "@millwright/value/types";
import { boolValue, dynamicValue, isWhollyKnown, unknownValue } from "@millwright/value/value";
import { notNull, refuse } from "./define.ts";

const can: FunctionSpec = {
  name: "can",
  description: "Whether an expression can be evaluated without an error.",
  parameters: [{ name: "expression", type: closureType }],
  returnType: boolType,
  refineResult: notNull,
  call: ([closure]) => {
    const { expression, scope } = closureOf(closure!);
    const { value, diagnostics } = evaluate(expression, scope);
    if (hasErrors(diagnostics)) return boolValue(false);
    // What succeeds with values that are not known yet may still fail with what they turn out to be.
    return isWhollyKnown(value) ? boolValue(true) : unknownValue(boolType);
  },
};

const tryFunction: FunctionSpec = {
  name: "try",
  description: "The value of the first of the given expressions that can be evaluated without an error.",
  parameters: [],
  variadic: { name: "expressions", type: closureType },
  returnType: dynamicType,
  call: (closures) => {
    if (closures.length === 0) refuse("at least one argument is required");
    const failures: Diagnostic[] = [];
    for (const closure of closures) {
      const { expression, scope } = closureOf(closure);
      const { value, diagnostics } = evaluate(expression, scope);
      if (!hasErrors(diagnostics)) return isWhollyKnown(value) ? value : dynamicValue;
      failures.push(...diagnostics);
    }
    const reasons = failures.map(({ summary, subject, detail }) => {
      return `- ${summary}${subject ? ` (at ${formatRange(subject)})` : ""}\n  ${detail}\n`;
    });
    refuse(`no expression succeeded:\n${reasons.join("")}\nAt least one expression must produce a successful result`);
  },
};

/** Functions that evaluate their arguments themselves. */
export const attemptFunctions: readonly FunctionSpec[] = [can, tryFunction];
