import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, warningDiagnostic } from "@millwright/core/diagnostics";
import { similar } from "@millwright/core/similar";
import type { SourceRange } from "@millwright/core/source";
import type { Attribute, Expression } from "@millwright/hcl/ast";
import { evaluate } from "@millwright/hcl/evaluate";
import { parseExpression } from "@millwright/hcl/parse";
import { emptyScope } from "@millwright/hcl/scope";
import { rangeOf, sourceFile } from "@millwright/hcl/source-file";
import { applyDefaults } from "@millwright/hcl/type-defaults";
import { convert } from "@millwright/value/convert";
import { typeText } from "@millwright/value/friendly";
import { formatPath } from "@millwright/value/path";
import { isPrimitive } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import {
  dynamicValue,
  ephemeral,
  isMarkedDeep,
  isNull,
  mark,
  nullValue,
  sensitive,
  stringValue,
  unknownValue,
} from "@millwright/value/value";
import type { Configuration, Module, Variable } from "./configuration.ts";

/** One value for a root variable, from the place that gave it. Later ones hold over earlier ones. */
export type VariableSource =
  | { readonly kind: "environment"; readonly name: string; readonly text: string }
  | { readonly kind: "command-line"; readonly name: string; readonly text: string }
  | { readonly kind: "prompt"; readonly name: string; readonly text: string }
  | {
      readonly kind: "value";
      readonly name: string;
      readonly value: Value;
      /** Where it was written, and the same in words; without them it comes from a saved plan. */
      readonly written?: { readonly range: SourceRange; readonly from: string };
    }
  | { readonly kind: "file"; readonly filename: string; readonly attributes: ReadonlyMap<string, Attribute> };

export interface CollectedVariables {
  /** As given, before conversion; what a saved plan keeps. */
  readonly given: ReadonlyMap<string, Value>;
  /** Final values of all variables, marked; what expressions see. */
  readonly final: ReadonlyMap<string, Value>;
}

/**
 * The values of a root module's variables: given ones by precedence (the order of `sources`), defaults for the rest.
 * A value for a variable that is not declared is a warning from a file, an error from the command line, and nothing from the
 * environment.
 */
export function collectVariables(root: Module, sources: readonly VariableSource[]): Diagnosed<CollectedVariables> {
  const { value: given, diagnostics: found } = givenVariables(root, sources);
  const diagnostics = [...found];
  const final = new Map<string, Value>();
  for (const variable of root.variables.values()) {
    const entry = given.get(variable.name);
    if (!entry && !variable.default) {
      diagnostics.push(noValue(variable));
      final.set(variable.name, unknownValue(variable.type));
      continue;
    }
    const finished = finishVariable(variable, entry?.value, entry, (expression) => evaluate(expression, emptyScope));
    diagnostics.push(...finished.diagnostics);
    final.set(variable.name, finished.value);
  }
  return { value: { given: new Map([...given].map(([name, { value }]) => [name, value])), final }, diagnostics };
}

export interface GivenVariable {
  readonly value: Value;
  readonly range: SourceRange | undefined;
  readonly from: string;
}

/** What sources give the root's variables, unconverted; `only` leaves all others out, and what is wrong with them. */
export function givenVariables(
  root: Module,
  sources: readonly VariableSource[],
  only?: ReadonlySet<string>,
): Diagnosed<ReadonlyMap<string, GivenVariable>> {
  const diagnostics: Diagnostic[] = [];
  const given = new Map<string, GivenVariable>();
  let undeclaredInFiles = 0;
  for (const source of sources) {
    if (source.kind === "file") {
      for (const [name, attribute] of source.attributes) {
        if (only && !only.has(name)) continue;
        if (!root.variables.has(name)) {
          if (++undeclaredInFiles <= 2)
            diagnostics.push(undeclaredInFile(root, name, source.filename, rangeOf(attribute.nameNode)));
          continue;
        }
        // Strings of JSON are what they are here, not templates.
        const { value, diagnostics: found } = evaluate(attribute.expression);
        diagnostics.push(...found);
        given.set(name, { value, range: rangeOf(attribute.expression), from: source.filename });
      }
      continue;
    }
    if (only && !only.has(source.name)) continue;
    const variable = root.variables.get(source.name);
    if (!variable) {
      if (source.kind === "command-line") diagnostics.push(undeclaredOnCommandLine(root, source.name));
      continue;
    }
    const { value, diagnostics: found } =
      source.kind === "value" ? { value: source.value, diagnostics: [] } : readText(variable, source);
    diagnostics.push(...found);
    const written = source.kind === "value" ? source.written : undefined;
    given.set(source.name, { value, ...(written ?? { range: undefined, from: placeOf(source.kind, source.name) }) });
  }
  if (undeclaredInFiles > 2) diagnostics.push(moreUndeclared(undeclaredInFiles - 2));
  return { value: given, diagnostics };
}

function moreUndeclared(count: number): Diagnostic {
  return warningDiagnostic(
    "Values for undeclared variables",
    `In addition to the other similar warnings shown, ${count} other variable(s) defined without being declared.`,
  );
}

function noValue(variable: Variable): Diagnostic {
  return errorDiagnostic(
    "No value for required variable",
    `The root module input variable "${variable.name}" is not set, and has no default value. Use a -var or -var-file command line argument to provide a value for this variable.`,
    { subject: variable.range },
  );
}

function placeOf(kind: "environment" | "command-line" | "prompt" | "value", name: string): string {
  if (kind === "environment") return `the environment variable TF_VAR_${name}`;
  if (kind === "command-line") return `the -var="${name}=..." argument`;
  return kind === "prompt" ? "the prompt" : "the saved plan";
}

// Text is itself for strings, and an expression for everything else, so that lists and objects can be given too.
function readText(
  variable: Variable,
  source: { readonly kind: "environment" | "command-line" | "prompt"; readonly text: string },
): Diagnosed<Value> {
  if (!variable.typeGiven || isPrimitive(variable.type)) return { value: stringValue(source.text), diagnostics: [] };
  const filename = `<value for var.${variable.name}>`;
  const parsed = parseExpression(sourceFile(filename, source.text));
  if (parsed.diagnostics.some((d) => d.severity === "error"))
    return { value: dynamicValue, diagnostics: parsed.diagnostics };
  const result = evaluate(parsed.value, emptyScope);
  return { value: result.value, diagnostics: [...parsed.diagnostics, ...result.diagnostics] };
}

function undeclaredInFile(root: Module, name: string, filename: string, subject: SourceRange): Diagnostic {
  const near = similar(name, root.variables.keys());
  const hint = near
    ? ` Did you mean "${near}"?`
    : ` If you meant to use this value, add a "variable" block to the configuration.`;
  return warningDiagnostic(
    "Value for undeclared variable",
    `The root module does not declare a variable named "${name}" but a value was found in file "${filename}".${hint}\n\nTo silence these warnings, use TF_VAR_... environment variables to provide certain "global" settings to all configurations in your organization. To reduce the verbosity of these warnings, use the -compact-warnings option.`,
    { subject },
  );
}

function undeclaredOnCommandLine(root: Module, name: string): Diagnostic {
  const near = similar(name, root.variables.keys());
  return errorDiagnostic(
    "Value for undeclared variable",
    `A variable named "${name}" was assigned on the command line, but the root module does not declare a variable of that name. ${
      near ? `Did you mean "${near}"?` : 'To use this value, add a "variable" block to the configuration.'
    }`,
  );
}

/**
 * A variable's final value from what was given (nothing: its default): converted to its type, with the type's own defaults,
 * and marked. `input` is where the value was written, for diagnostics.
 */
export function finishVariable(
  variable: Variable,
  given: Value | undefined,
  input: Expression | { readonly range: SourceRange | undefined; readonly from: string } | undefined,
  evaluateDefault: (expression: Expression) => Diagnosed<Value>,
): Diagnosed<Value> {
  const diagnostics: Diagnostic[] = [];
  let value = given;
  if (value === undefined || (isNull(value) && !variable.nullable)) {
    if (variable.default) {
      const result = evaluateDefault(variable.default);
      diagnostics.push(...result.diagnostics);
      value = result.value;
      if (isNull(value) && !variable.nullable) {
        const detail = `A null default value is not valid when nullable=false, as it is for var.${variable.name}. Leave "default" out to make a value required.`;
        diagnostics.push(
          errorDiagnostic("Invalid default value for variable", detail, place(variable.default, variable)),
        );
      }
    } else if (value !== undefined) {
      diagnostics.push(
        errorDiagnostic(
          "Required variable not set",
          `The given value is not suitable for var.${variable.name} defined at ${rangeText(variable.range)}: required variable may not be set to null.`,
          place(input, variable),
        ),
      );
      return { value: unknownValue(variable.type), diagnostics };
    } else value = nullValue(variable.type);
  }
  if (variable.typeDefaults !== undefined && !isNull(value)) value = applyDefaults(value, variable.typeDefaults);
  const converted = convert(value, variable.type);
  if (!converted.ok) {
    const at = converted.path.length === 0 ? "" : `${formatPath(converted.path)}: `;
    const [source, summary] = describeSource(given, input);
    const unfit =
      given === undefined
        ? `This default value is not compatible with the variable's type constraint`
        : `${source} is not suitable for var.${variable.name} declared at ${rangeText(variable.range)}`;
    diagnostics.push(
      errorDiagnostic(
        summary,
        `${unfit}: ${at}${converted.message}. The type of var.${variable.name} is ${typeText(variable.type)}.`,
        place(given === undefined ? (variable.default ?? input) : input, variable),
      ),
    );
    return { value: unknownValue(variable.type), diagnostics };
  }
  if (!variable.ephemeral && isMarkedDeep(converted.value, ephemeral)) {
    diagnostics.push(
      errorDiagnostic(
        "Ephemeral value not allowed",
        `This input variable is not declared as accepting ephemeral values, so it cannot be set to a result derived from an ephemeral value. Declare variable "${variable.name}" with "ephemeral = true" to let it take them.`,
        place(input, variable),
      ),
    );
  }
  return { value: mark(converted.value, ...marksOf(variable)), diagnostics };
}

/** The root's variables as values that are not known yet, marked as they will be. */
export function unknownVariables(root: Module): ReadonlyMap<string, Value> {
  return new Map(
    [...root.variables.values()].map((variable) => [
      variable.name,
      mark(unknownValue(variable.type), ...marksOf(variable)),
    ]),
  );
}

function marksOf({ sensitive: secret, ephemeral: passing }: Variable) {
  return [...(secret ? [sensitive] : []), ...(passing ? [ephemeral] : [])];
}

/** Every default value of a configuration that its variable's own type does not take. */
export function unsuitableDefaults(configuration: Configuration): Diagnostic[] {
  const withDefault = [...configuration.modules.values()].flatMap((module) =>
    [...module.variables.values()].filter((variable) => variable.default !== undefined),
  );
  return withDefault.flatMap((variable) => {
    const { diagnostics } = finishVariable(variable, undefined, undefined, (e) => evaluate(e, emptyScope));
    return diagnostics.filter(({ severity }) => severity === "error");
  });
}

function describeSource(
  given: Value | undefined,
  input: Expression | { readonly from: string } | undefined,
): readonly [string, string] {
  if (given === undefined) return [`The default value`, "Invalid default value for variable"];
  if (input && "from" in input) return [`The value from ${input.from}`, "Invalid value for input variable"];
  return ["The given value", "Invalid value for input variable"];
}

function place(
  input: Expression | { readonly range: SourceRange | undefined } | undefined,
  variable: Variable,
): { readonly subject: SourceRange } {
  if (!input) return { subject: variable.range };
  if ("range" in input) return { subject: input.range ?? variable.range };
  return { subject: rangeOf(input) };
}

function rangeText(range: SourceRange): string {
  return `${range.filename}:${range.start.line},${range.start.column}`;
}
