import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, warningDiagnostic } from "@millwright/core/diagnostics";
import type { Attribute, Expression, Node, ScopeTraversal } from "@millwright/hcl/ast";
import { evaluate } from "@millwright/hcl/evaluate";
import { parseTraversal } from "@millwright/hcl/parse";
import { emptyScope } from "@millwright/hcl/scope";
import { rangeOf, sourceFile } from "@millwright/hcl/source-file";
import { convert } from "@millwright/value/convert";
import { boolType, stringType } from "@millwright/value/types";
import { isNull, type Value } from "@millwright/value/value";

/** Reads arguments that must be known while a configuration is loaded. What is wrong goes to `diagnostics`. */
export class Constants {
  readonly diagnostics: Diagnostic[];

  constructor(diagnostics: Diagnostic[]) {
    this.diagnostics = diagnostics;
  }

  /** A text without references; undefined where it is left out or wrong. */
  text(attribute: Attribute | undefined): string | undefined {
    const value = this.#constant(attribute, stringType, "a string");
    return typeof value?.data === "string" ? value.data : undefined;
  }

  flag(attribute: Attribute | undefined): boolean | undefined {
    const value = this.#constant(attribute, boolType, "true or false");
    return typeof value?.data === "boolean" ? value.data : undefined;
  }

  #constant(attribute: Attribute | undefined, type: typeof stringType, wanted: string): Value | undefined {
    if (!attribute) return undefined;
    const { value, diagnostics } = evaluate(attribute.expression, emptyScope);
    if (diagnostics.some((d) => d.severity === "error")) {
      this.diagnostics.push(...diagnostics);
      return undefined;
    }
    const converted = convert(value, type);
    if (converted.ok && !isNull(converted.value)) return converted.value;
    this.diagnostics.push(
      errorDiagnostic(
        "Unsuitable value type",
        `The argument "${attribute.name}" must be ${wanted}, written out: it is needed before anything is evaluated.`,
        {
          subject: rangeOf(attribute.expression),
        },
      ),
    );
    return undefined;
  }

  /**
   * A list of references, as `depends_on` and `ignore_changes` hold them. The quoted form of old configurations is read
   * with a warning.
   */
  traversals(attribute: Attribute | undefined): ScopeTraversal[] {
    if (!attribute) return [];
    const { expression } = attribute;
    const elements = listElements(expression);
    if (!elements) {
      this.diagnostics.push(
        errorDiagnostic(
          "Invalid expression",
          `A static list of references is required for "${attribute.name}", such as [aws_instance.a].`,
          {
            subject: rangeOf(expression),
          },
        ),
      );
      return [];
    }
    return elements.flatMap((element) => this.traversal(element) ?? []);
  }

  traversal(expression: Expression): ScopeTraversal | undefined {
    const direct = staticTraversal(expression);
    if (direct) return direct;
    const quoted = quotedText(expression);
    if (quoted !== undefined) {
      const parsed = parseTraversal(
        sourceFile(expression.file.name, quoted, expression.file.position(expression.start + 1)),
      );
      if (parsed.value && !parsed.diagnostics.some((d) => d.severity === "error")) {
        if (expression.kind !== "json") {
          this.diagnostics.push(
            warningDiagnostic(
              "Quoted references are deprecated",
              "In this context, references are expected literally rather than in quotes. Old configurations have them quoted, which still works; remove the quotes to silence this warning.",
              { subject: rangeOf(expression) },
            ),
          );
        }
        return parsed.value;
      }
    }
    this.diagnostics.push(
      errorDiagnostic(
        "Invalid expression",
        "A single static reference is required: only attribute access and indexing with constant keys. No calculations, function calls or templates are allowed here.",
        {
          subject: rangeOf(expression),
        },
      ),
    );
    return undefined;
  }
}

/** The elements of a list that is written out, in native or JSON syntax. */
export function listElements(expression: Expression): readonly Expression[] | undefined {
  if (expression.kind === "tuple") return expression.elements;
  if (expression.kind === "json" && expression.value.kind === "jsonArray") {
    return expression.value.elements.map((value) => ({ kind: "json", value, ...placeOf(value) }));
  }
  return undefined;
}

function placeOf({ file, start, end }: Node): Node {
  return { file, start, end };
}

function staticTraversal(expression: Expression): ScopeTraversal | undefined {
  if (expression.kind === "scopeTraversal") return expression;
  if (expression.kind === "templateWrap") return staticTraversal(expression.wrapped);
  // Where a name is meant, null, true and false are names like others: there is a provider "null".
  const [start, steps] =
    expression.kind === "relativeTraversal" ? [expression.source, expression.steps] : [expression, []];
  const name = start.kind === "literal" ? start.file.text.slice(start.start, start.end) : "";
  if (!/^(null|true|false)$/.test(name)) return undefined;
  return { kind: "scopeTraversal", root: { name, ...placeOf(start) }, steps, ...placeOf(expression) };
}

/** The text of a quoted string without interpolation. */
export function quotedText(expression: Expression): string | undefined {
  if (expression.kind === "json" && expression.value.kind === "jsonString") return expression.value.text;
  const part = expression.kind === "template" && expression.parts.length === 1 ? expression.parts[0] : expression;
  if (part?.kind === "literal" && typeof part.value.data === "string") return part.value.data;
  return undefined;
}
