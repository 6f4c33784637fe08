import type { Diagnostic } from "@millwright/core/diagnostics";
import { warningDiagnostic } from "@millwright/core/diagnostics";
import { similar } from "@millwright/core/similar";
import type { Expression, ObjectItem } from "@millwright/hcl/ast";
import { rangeOf } from "@millwright/hcl/source-file";
import type { Type } from "@millwright/value/types";
import { quotedText } from "./constants.ts";

/**
 * Attributes of objects that are written out as a value of a type which has them not, so that they come to nothing: most
 * likely misspelt. `what` is whose type it is, such as "this variable".
 */
export function droppedAttributes(expression: Expression, type: Type, what: string): Diagnostic[] {
  if (expression.kind === "tuple")
    return expression.elements.flatMap((element, i) => {
      const inner = type.kind === "tuple" ? type.elements[i] : elementOf(type);
      return inner ? droppedAttributes(element, inner, `${what}, element ${i}`) : [];
    });
  if (expression.kind !== "object") return [];
  return expression.items.flatMap((item) => {
    const name = nameOf(item);
    if (name === undefined) return [];
    const inner = type.kind === "object" ? type.attributes.get(name) : elementOf(type);
    if (inner) return droppedAttributes(item.value, inner, `${what}, attribute ${name}`);
    return type.kind === "object" ? [dropped(item, name, type.attributes.keys(), what)] : [];
  });
}

function dropped(item: ObjectItem, name: string, known: Iterable<string>, what: string): Diagnostic {
  const near = similar(name, known);
  const hint = near === undefined ? "" : ` Did you mean "${near}"?`;
  const detail = `The object type for ${what} does not include an attribute named "${name}", so this definition is unused.${hint}`;
  return warningDiagnostic("Object attribute is ignored", detail, { subject: rangeOf(item.key) });
}

function nameOf({ key }: ObjectItem): string | undefined {
  return key.name ?? quotedText(key.expression);
}

function elementOf(type: Type): Type | undefined {
  return type.kind === "list" || type.kind === "set" || type.kind === "map" ? type.element : undefined;
}
