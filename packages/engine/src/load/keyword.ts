import type { Expression } from "@millwright/hcl/ast";
import { quotedText } from "./constants.ts";

/** The word that an argument such as `when = destroy` is; quoted it counts too. Undefined for anything else. */
export function keywordOf(expression: Expression): string | undefined {
  const isWord = expression.kind === "scopeTraversal" && expression.steps.length === 0;
  return isWord ? expression.root.name : quotedText(expression);
}
