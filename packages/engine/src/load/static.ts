import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import type { SourceRange } from "@millwright/core/source";
import type { Body, Expression } from "@millwright/hcl/ast";
import { decode } from "@millwright/hcl/decode";
import type { DecodeSpec } from "@millwright/hcl/decode-spec";
import { dynamicBlocks } from "@millwright/hcl/dynamic";
import type { FunctionSpec } from "@millwright/hcl/function-spec";
import type { Lookup, Scope } from "@millwright/hcl/scope";
import { rangeOf } from "@millwright/hcl/source-file";
import type { Value } from "@millwright/value/value";
import { dynamicValue, ephemeral, isMarkedDeep, sensitive, unmarkDeep } from "@millwright/value/value";
import { childModule, resourceText, rootModule } from "../addresses.ts";
import type { Configuration, Module } from "../configuration.ts";
import { Evaluator, noInstance } from "../evaluator.ts";
import type { ParsedReference, Subject } from "../references.ts";
import { referencesOf, referencesOfBody } from "../references.ts";
import type { VariableSource } from "../variables.ts";
import { finishVariable, givenVariables } from "../variables.ts";

/** What is known of a run before its configuration is: where values of the root's variables come from, and the place. */
export interface StaticOptions {
  /** Weakest first, as `collectVariables` takes them. */
  readonly variables: readonly VariableSource[];
  /** What `terraform.workspace` gives. */
  readonly workspace: string;
  /** What `path.cwd` gives. */
  readonly cwd: string;
  functions(module: Module, filename: string): Lookup<FunctionSpec>;
}

export const noStaticOptions: StaticOptions = {
  variables: [],
  workspace: "default",
  cwd: ".",
  functions: () => ({ get: () => undefined, keys: () => [] }),
};

/**
 * Values of what must be known before anything is planned: a module's source and version, the arguments of a backend and of
 * the state's encryption, the keys of a provider's configurations. Variables, locals, `path`, `terraform.workspace` and
 * functions may be used there; what comes of resources, data, modules or providers may not.
 *
 * `modules` may still grow while it is in use: a module is asked of only once it and its callers are in it.
 * Source: OpenTofu 1.8, "Early variable/locals evaluation".
 */
export class StaticEvaluator {
  readonly #modules: ReadonlyMap<string, Module>;
  readonly #evaluator: Evaluator;
  readonly #options: StaticOptions;
  readonly #variables = new Map<string, Value>();
  readonly #checked = new Map<string, readonly Diagnostic[]>();

  constructor(modules: ReadonlyMap<string, Module>, options: StaticOptions) {
    this.#modules = modules;
    this.#options = options;
    const configuration: Configuration = {
      modules,
      get root() {
        return modules.get("")!;
      },
    };
    this.#evaluator = new Evaluator({
      configuration,
      variables: this.#variables,
      functions: (module, filename) => options.functions(module, filename),
      workspace: options.workspace,
      applying: false,
      cwd: options.cwd,
    });
  }

  /** The value of an expression of a module; `what` names the thing that needs it, e.g. `module.app.source`. */
  evaluate(module: Module, expression: Expression, what: string): Diagnosed<Value> {
    const found = this.#check(module, referencesOf(expression), what, []);
    if (hasErrors(found)) return { value: dynamicValue, diagnostics: found };
    const { value, diagnostics } = this.#evaluator.evaluate(expression, instanceOf(module));
    return { value, diagnostics: [...found, ...diagnostics] };
  }

  /** The same for what is shown to people or kept: a sensitive or ephemeral value is refused. */
  evaluatePlain(module: Module, expression: Expression, what: string): Diagnosed<Value> {
    const { value, diagnostics } = this.evaluate(module, expression, what);
    const kind = [sensitive, ephemeral].find((mark) => isMarkedDeep(value, mark));
    if (kind === undefined) return { value, diagnostics };
    const [summary, word] =
      kind === sensitive
        ? ["Sensitive value not allowed", "Sensitive values, or values derived from sensitive values"]
        : ["Ephemeral value not allowed", "Ephemeral values, or values derived from ephemeral values"];
    const detail = `${word}, cannot be used as ${what}: it is shown and kept. Use a value that is neither.`;
    const error = errorDiagnostic(summary, detail, { subject: rangeOf(expression) });
    return { value: unmarkDeep(value)[0], diagnostics: [...diagnostics, error] };
  }

  /** Decodes a block's body by a spec, `dynamic` blocks included. */
  decode(module: Module, body: Body, spec: DecodeSpec, what: string): Diagnosed<Value> {
    const scope = this.scope(module, body, what);
    if (hasErrors(scope.diagnostics)) return { value: dynamicValue, diagnostics: scope.diagnostics };
    const decoded = decode(body, spec, scope.value, dynamicBlocks());
    return { value: decoded.value, diagnostics: [...scope.diagnostics, ...decoded.diagnostics] };
  }

  /** A scope that holds all that a body refers to, for those who decode it themselves. */
  scope(module: Module, body: Body, what: string): Diagnosed<Scope> {
    const references = referencesOfBody(body);
    const found = this.#check(module, references, what, []);
    if (hasErrors(found)) return { value: {}, diagnostics: found };
    return this.#evaluator.scope(references, instanceOf(module), noInstance, body.file.name);
  }

  #check(
    module: Module,
    references: readonly ParsedReference[],
    what: string,
    way: readonly string[],
  ): readonly Diagnostic[] {
    return references.flatMap((parsed) => {
      if (!parsed.ok) return [errorDiagnostic(parsed.summary, parsed.detail, { subject: parsed.range })];
      const { subject, range } = parsed.reference;
      switch (subject.kind) {
        case "variable":
          return this.#followed(module, `var.${subject.name}`, what, way, range, (on) =>
            this.#variable(module, subject.name, on, range),
          );
        case "local":
          return this.#followed(module, `local.${subject.name}`, what, way, range, (on) => {
            const local = module.locals.get(subject.name);
            if (!local) return [undeclared("local value", `local.${subject.name}`, range)];
            const found = this.#check(module, referencesOf(local.expression), `local.${subject.name}`, on);
            return hasErrors(found) ? found : errorsOf(this.#evaluator.local(instanceOf(module), subject.name));
          });
        case "path":
          return [];
        case "terraform":
          return subject.name === "applying" ? [refused(subject, what, range)] : [];
        default:
          return [refused(subject, what, range)];
      }
    });
  }

  /** Looks behind a name once; where that fails, says also who asked for it. */
  #followed(
    module: Module,
    name: string,
    what: string,
    way: readonly string[],
    subject: SourceRange,
    look: (way: readonly string[]) => readonly Diagnostic[],
  ): readonly Diagnostic[] {
    const id = module.path === "" ? name : `${module.path}:${name}`;
    if (way.includes(id)) {
      const circle = [...way.slice(way.indexOf(id)), id].join(" → ");
      return [errorDiagnostic("Circular reference", `${id} depends on itself: ${circle}.`, { subject })];
    }
    let found = this.#checked.get(id);
    if (!found) this.#checked.set(id, (found = look([...way, id])));
    if (!hasErrors(found)) return found;
    const detail = `${what} depends on ${id}, which is not available before a plan is made.`;
    return [...found, errorDiagnostic("Unable to compute static value", detail, { subject })];
  }

  #variable(module: Module, name: string, way: readonly string[], range: SourceRange): readonly Diagnostic[] {
    const variable = module.variables.get(name);
    if (!variable) return [undeclared("input variable", `var.${name}`, range)];
    if (variable.const === false) {
      const detail = `The variable "${name}" cannot be used where a value is needed before a plan is made, because it is declared with "const = false".`;
      return [errorDiagnostic("Unable to use variable in static context", detail, { subject: range })];
    }
    if (module.path !== "") {
      const { caller, call } = this.#callOf(module);
      const input = call?.inputs.get(name);
      const found = caller && input ? this.#check(caller, referencesOf(input), `${module.path}:var.${name}`, way) : [];
      return hasErrors(found) ? found : errorsOf(this.#evaluator.variable(instanceOf(module), name));
    }
    const { value: given, diagnostics } = givenVariables(module, this.#options.variables, new Set([name]));
    const entry = given.get(name);
    if (!entry && !variable.default) {
      const detail = `Variable "${name}" is required during init: a value is needed before a plan is made, and it has no default. Give one with -var="${name}=…", a .tfvars file or TF_VAR_${name}.`;
      const missing = errorDiagnostic("No value for required variable", detail, { subject: variable.range });
      return [...diagnostics, missing];
    }
    const finished = finishVariable(variable, entry?.value, entry, (e) => this.#evaluator.evaluate(e, rootModule));
    this.#variables.set(name, finished.value);
    return [...diagnostics, ...finished.diagnostics];
  }

  #callOf(module: Module) {
    const path = module.names.slice(0, -1).map((name) => `module.${name}`);
    const caller = this.#modules.get(path.join("."));
    return { caller, call: caller?.calls.get(module.names.at(-1)!) };
  }
}

function errorsOf({ diagnostics }: Diagnosed<Value>): readonly Diagnostic[] {
  return diagnostics.filter(({ severity }) => severity === "error");
}

function instanceOf(module: Module) {
  return module.names.reduce((parent, name) => childModule(parent, name, undefined), rootModule);
}

function undeclared(kind: string, name: string, subject: SourceRange): Diagnostic {
  return errorDiagnostic(`Reference to undeclared ${kind}`, `${name} has not been declared in this module.`, {
    subject,
  });
}

function refused(subject: Subject, what: string, range: SourceRange): Diagnostic {
  const detail = `Unable to use ${subjectText(subject)} in static context, which is required by ${what}: that is needed before anything is planned. Only variables, locals, path.*, terraform.workspace and functions can be used there.`;
  const summary =
    subject.kind === "module" ? "Module output not supported in static context" : "Dynamic value in static context";
  return errorDiagnostic(summary, detail, { subject: range });
}

function subjectText(subject: Subject): string {
  switch (subject.kind) {
    case "resource":
      return resourceText(subject.address);
    case "module":
      return `module.${subject.name}${subject.output === undefined ? "" : `.${subject.output}`}`;
    case "self":
      return "self";
    case "variable":
      return `var.${subject.name}`;
    default:
      return `${subject.kind}.${subject.name}`;
  }
}
