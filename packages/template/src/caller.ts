import type { Arguments } from "./arguments.ts";
import type { TemplateNode } from "./ast.ts";
import type { BuiltinName } from "./builtin-names.ts";
import { builtinNames } from "./builtin-names.ts";
import type { Builtin } from "./builtins.ts";
import { builtins } from "./builtins.ts";
import type { Call } from "./evaluator.ts";
import { ExecutionFault } from "./fault.ts";
import { parameterTypeName } from "./function.ts";
import { LocatedFault } from "./located-fault.ts";
import { nodeText } from "./node-text.ts";
import { quote } from "@millwright/text/quote";
import type { Operand } from "./operand.ts";
import { isTrue, kindOf, operandOf, typeOf, unbox, valueOf } from "./operand.ts";
import type { Run } from "./run.ts";
import type { ParameterType } from "./value.ts";
import { FunctionValue } from "./value.ts";

/** A call, and the node that messages about its failure point to. */
type PlacedCall = Call & { readonly at: TemplateNode };

interface Signature {
  readonly parameters: readonly ParameterType[];
  readonly variadic?: ParameterType | undefined;
}

/** Calls functions: checks their number of arguments, evaluates these, and hands them over. */
export class Caller {
  readonly #run: Run;
  readonly #arguments: Arguments;

  constructor(run: Run, args: Arguments) {
    this.#run = run;
    this.#arguments = args;
  }

  byName(name: string, call: PlacedCall): Operand {
    const own = this.#run.options.functions.get(name);
    if (own) return this.method(own, name, call);
    if (!isBuiltin(name)) return this.#run.fail(`${quote(name)} is not a defined function`);
    if (name === "and" || name === "or") return this.#andOr(name, call);
    const builtin: Builtin = name === "call" ? this.#callBuiltin(call) : builtins[name];
    return this.#finish(name, call, this.#evaluate(name, builtin, call), builtin.call);
  }

  /** Calls a function of the table, or a method. */
  method(callee: FunctionValue, name: string, call: PlacedCall): Operand {
    const args = this.#evaluate(name, callee, call);
    return this.#finish(name, call, args, (operands) => this.#invoke(callee, operands.map(valueOf)));
  }

  #finish(
    name: string,
    call: PlacedCall,
    args: readonly Operand[],
    work: (args: readonly Operand[]) => Operand,
  ): Operand {
    this.#run.step();
    const result = this.#guarded(name, call.at, () => work(args));
    const { text } = this.#run.options.limits;
    if (typeof result === "string" && result.length > text) {
      this.#run.at = call.at;
      this.#run.fail(`error calling ${name}: the result exceeds the limit of ${text} characters`);
    }
    return result;
  }

  /** What goes wrong in a function is said with its name, also what goes wrong in a template that it executes. */
  #guarded(name: string, at: TemplateNode, work: () => Operand): Operand {
    const before = this.#run.state();
    try {
      return work();
    } catch (error) {
      const isFault = error instanceof ExecutionFault || error instanceof LocatedFault;
      if (!isFault && !isOverlong(error)) throw error;
      this.#run.restore(before);
      this.#run.at = at;
      const reason = isFault ? error.message : "the result exceeds the limit of what a text can hold";
      return this.#run.fail(`error calling ${name}: ${reason}`);
    }
  }

  #invoke(callee: FunctionValue, args: Parameters<FunctionValue["call"]>[0]): Operand {
    const result = callee.call(args, this.#run);
    switch (result.kind) {
      case "failure":
        throw new ExecutionFault(result.message);
      case "missing":
        this.#run.used.set(result.dependency.id, result.dependency);
        this.#run.missing.set(result.dependency.id, result.dependency);
        return operandOf(result.placeholder);
      case "value":
        if (result.dependency) this.#run.used.set(result.dependency.id, result.dependency);
        return operandOf(result.value);
    }
  }

  #andOr(name: "and" | "or", call: PlacedCall): Operand {
    this.#checkCount(name, { parameters: ["value"], variadic: "value" }, call);
    let value: Operand;
    for (const node of call.operands.slice(1)) {
      value = this.#arguments.evaluate(call.dot, "value", node);
      if (isTrue(value) === (name === "or")) return value;
    }
    return call.final ? call.final.value : value;
  }

  #callBuiltin({ operands, final }: PlacedCall): Builtin {
    const callee = operands[1];
    const name = callee ? nodeText(callee) : formatCallee(final?.value);
    return {
      parameters: ["value"],
      variadic: "value",
      call: ([given, ...args]) => {
        const value = unbox(given);
        if (value === undefined) throw new ExecutionFault("call of nil");
        if (!(value instanceof FunctionValue))
          throw new ExecutionFault(`non-function ${name} of type ${typeOf(value)}`);
        return this.#invoke(value, prepareArguments(name, value, args).map(valueOf));
      },
    };
  }

  #evaluate(name: string, signature: Signature, call: PlacedCall): readonly Operand[] {
    this.#checkCount(name, signature, call);
    const { parameters, variadic } = signature;
    const nodes = call.operands.slice(1);
    const args = nodes.map((node, i) => this.#arguments.evaluate(call.dot, parameters[i] ?? variadic!, node));
    if (!call.final) return args;
    return [...args, this.#arguments.check(call.final.value, parameters[nodes.length] ?? variadic!)];
  }

  #checkCount(name: string, { parameters, variadic }: Signature, { operands, final }: PlacedCall): void {
    const given = Math.max(operands.length - 1, 0);
    const count = given + (final ? 1 : 0);
    const wanted = parameters.length;
    if (variadic !== undefined) {
      if (count < wanted) this.#run.fail(`wrong number of args for ${name}: want at least ${wanted} got ${given}`);
    } else if (count !== wanted) {
      this.#run.fail(`wrong number of args for ${name}: want ${wanted} got ${count}`);
    }
  }
}

function isBuiltin(name: string): name is BuiltinName {
  return builtinNames.some((builtin) => builtin === name);
}

/** JavaScript has an end of its own for how long a text can be. */
function isOverlong(error: unknown): boolean {
  return error instanceof RangeError && error.message === "Invalid string length";
}

function formatCallee(callee: Operand): string {
  return typeof callee === "string" ? callee : `<${typeOf(callee)} Value>`;
}

function prepareArguments(name: string, callee: FunctionValue, args: readonly Operand[]): readonly Operand[] {
  const { parameters, variadic } = callee;
  const wanted = parameters.length;
  if (variadic === undefined ? args.length !== wanted : args.length < wanted) {
    const atLeast = variadic === undefined ? "" : "at least ";
    throw new ExecutionFault(`wrong number of args for ${name}: got ${args.length} want ${atLeast}${wanted}`);
  }
  return args.map((given, i) => {
    const type = parameters[i] ?? variadic!;
    const value = unbox(given);
    if (type === "any" || type === "value") return value;
    const typeText = parameterTypeName(type);
    if (value === undefined) throw new ExecutionFault(`arg ${i}: value is nil; should be of type ${typeText}`);
    if (typeOf(value) === type) return value;
    if (type === "int" && (kindOf(value) === "int" || kindOf(value) === "uint")) return value;
    throw new ExecutionFault(`arg ${i}: value has type ${typeOf(value)}; should be ${typeText}`);
  });
}
