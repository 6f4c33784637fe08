import { hasErrors } from "@millwright/core/diagnostics";
import type { Expression } from "@millwright/hcl/ast";
import { evaluate } from "@millwright/hcl/evaluate";
import type { Closure, FunctionSpec, Parameter } from "@millwright/hcl/function-spec";
import { closureOf, closureType, FunctionError } from "@millwright/hcl/function-spec";
import { parseTemplate } from "@millwright/hcl/parse";
import type { Lookup } from "@millwright/hcl/scope";
import { sourceFile } from "@millwright/hcl/source-file";
import { convert } from "@millwright/value/convert";
import { dynamicType, stringType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import { asString, isKnown, unknownValue, unmark, withMarks } from "@millwright/value/value";
import { refuse } from "./define.ts";
import type { Environment } from "./environment.ts";
import { fileText } from "./filesystem.ts";
import { renderTemplate, summaryOf } from "./render-template.ts";

/** The functions that templates may call, asked for when one is rendered: the library itself is among them. */
export type FunctionsInTemplates = () => Lookup<FunctionSpec>;

const vars: Parameter = { name: "vars", type: dynamicType };

export function templateFunctions(environment: Environment, functions: FunctionsInTemplates): readonly FunctionSpec[] {
  return environment.dialect === "opentofu"
    ? [nestedTemplatefile(environment, functions), plainTemplatestring(functions)]
    : [
        templatefile(environment, () => withoutTemplates(functions())),
        templatestring(() => withoutTemplates(functions())),
      ];
}

function templatefile(environment: Environment, functions: FunctionsInTemplates): FunctionSpec {
  return {
    name: "templatefile",
    description: "What the template in a file gives with the given variables.",
    parameters: [{ name: "path", type: stringType, allowMarked: true }, vars],
    returnType: dynamicType,
    call: ([path, variables]) => {
      const [bare, marks] = unmark(path!);
      const name = asString(bare);
      const { value, diagnostics } = parseTemplate(sourceFile(name, fileText(environment, name, marks)));
      if (hasErrors(diagnostics)) refuse(summaryOf(diagnostics));
      return withMarks(renderTemplate(value, variables!, functions()), marks);
    },
  };
}

const argumentName = "<templatestring argument>";

/** Terraform's: the template is a reference to a string, not a string written here. */
function templatestring(functions: FunctionsInTemplates): FunctionSpec {
  return {
    name: "templatestring",
    description: "What a template, which is a string from elsewhere, gives with the given variables.",
    parameters: [{ name: "template", type: closureType }, vars],
    returnType: stringType,
    call: ([closure, variables]) => {
      const template = referredTemplate(closureOf(closure!));
      const [bare, marks] = unmark(template);
      if (!isKnown(bare)) return withMarks(unknownValue(stringType), marks);
      const { value, diagnostics } = parseTemplate(sourceFile(argumentName, asString(bare)));
      if (hasErrors(diagnostics)) refuse(`invalid template: ${summaryOf(diagnostics)}`, 0);
      const result = convert(renderTemplate(value, variables!, functions()), stringType);
      return result.ok ? withMarks(result.value, marks) : refuse(`invalid template result: ${result.message}`);
    },
  };
}

/** The string that an expression refers to; refuses expressions that are more, or less, than a reference. */
function referredTemplate({ expression, scope }: Closure): Value {
  const invalid = "invalid template expression: ";
  const only = "templatestring is only for rendering templates retrieved dynamically from elsewhere";
  if (isLiteral(expression)) {
    const advice = "consider using a template string expression instead";
    refuse(`${invalid}${only}, and so does not support providing a literal template; ${advice}`, 0);
  }
  if (expression.kind === "template" || expression.kind === "templateWrap") {
    refuse(`${invalid}${only}; to render an inline template, consider using a plain template string expression`, 0);
  }
  if (!isReference(expression)) {
    refuse(
      `${invalid}must be a direct reference to a single string from elsewhere, containing valid Terraform template syntax`,
      0,
    );
  }
  const { value, diagnostics } = evaluate(expression, scope);
  if (hasErrors(diagnostics)) refuse(invalid + summaryOf(diagnostics), 0);
  const isString = value.type.kind === "string" && value.data !== null;
  if (!isString && !(value.type.kind === "dynamic" && !isKnown(value))) {
    refuse("invalid template value: a string is required", 0);
  }
  return value;
}

function isLiteral(expression: Expression): boolean {
  if (expression.kind === "literal") return expression.value.type.kind === "string";
  return expression.kind === "template" && expression.parts.every((part) => part.kind === "literal");
}

/** A root name with steps, also computed ones. */
function isReference(expression: Expression): boolean {
  switch (expression.kind) {
    case "scopeTraversal":
      return true;
    case "relativeTraversal":
    case "splat":
      return isReference(expression.source);
    case "index":
      return isReference(expression.collection);
    default:
      return false;
  }
}

/** The functions with those replaced that render templates, which Terraform does not let templates call. */
function withoutTemplates(functions: Lookup<FunctionSpec>): Lookup<FunctionSpec> {
  return {
    get: (name) => {
      const spec = functions.get(name);
      if (spec?.name !== "templatefile" && spec?.name !== "templatestring") return spec;
      return {
        ...spec,
        returnType: () => refuse(`cannot recursively call ${spec.name} from inside another template function`),
      };
    },
    keys: () => functions.keys(),
  };
}

/** How deep templates may render templates in OpenTofu. */
const deepest = 1024;

/** OpenTofu's: templates may render further ones, to a depth. What goes too deep is said once, not once a level. */
function nestedTemplatefile(environment: Environment, functions: FunctionsInTemplates): FunctionSpec {
  let depth = 0;
  let isTooDeep = false;
  const spec = templatefile(environment, functions);
  return {
    ...spec,
    call: (args, returnType) => {
      const tooDeep = `maximum recursion depth ${deepest} reached in ${asString(args[0]!)}`;
      if (depth > deepest) {
        isTooDeep = true;
        refuse(tooDeep);
      }
      depth++;
      try {
        return spec.call(args, returnType);
      } catch (error) {
        if (isTooDeep && error instanceof FunctionError) return refuse(tooDeep);
        throw error;
      } finally {
        depth--;
        if (depth === 0) isTooDeep = false;
      }
    },
  };
}

/** OpenTofu's: the template is any string. */
function plainTemplatestring(functions: FunctionsInTemplates): FunctionSpec {
  return {
    name: "templatestring",
    description: "What a template, given as a string, gives with the given variables.",
    parameters: [
      { name: "data", type: stringType, allowMarked: true },
      { ...vars, allowMarked: true },
    ],
    returnType: dynamicType,
    call: ([data, variables]) => {
      const [bare, marks] = unmark(data!);
      const { value, diagnostics } = parseTemplate(sourceFile("NoFileNeeded", asString(bare)));
      if (hasErrors(diagnostics)) refuse(summaryOf(diagnostics));
      return withMarks(renderTemplate(value, variables!, functions()), marks);
    },
  };
}
