import type { NumberNode, OperandNode } from "./ast.ts";
import type { Evaluator } from "./evaluator.ts";
import { parameterTypeName } from "./function.ts";
import { nodeText } from "./node-text.ts";
import type { Operand } from "./operand.ts";
import { Boxed, elementsOf, isList, typeOf, unbox } from "./operand.ts";
import type { Run } from "./run.ts";
import type { ParameterType } from "./value.ts";
import { SizedInteger } from "./value.ts";

/** Evaluates arguments for parameters of a type. */
export class Arguments {
  readonly #run: Run;
  readonly #evaluator: Evaluator;

  constructor(run: Run, evaluator: Evaluator) {
    this.#run = run;
    this.#evaluator = evaluator;
  }

  evaluate(dot: Operand, type: ParameterType, node: OperandNode): Operand {
    this.#run.at = node;
    const call = { dot, operands: [], final: undefined };
    switch (node.kind) {
      case "dot":
        return this.check(dot, type);
      case "nil":
        if (!canBeNil(type)) this.#run.fail(`cannot assign nil to ${parameterTypeName(type)}`);
        return nilOf(type);
      case "field":
        return this.check(this.#evaluator.field(dot, node, { ...call, operands: [node] }), type);
      case "variable":
        return this.check(this.#evaluator.variable(node, call), type);
      case "pipe":
        return this.check(
          this.#run.nested(() => this.#evaluator.pipeline(dot, node)),
          type,
        );
      case "identifier":
        return this.check(this.#evaluator.function(node.name, node, { ...call, at: node }), type);
      case "chain":
        return this.check(this.#evaluator.chain(node, call), type);
      default:
        return this.#constant(type, node);
    }
  }

  /** The value where a parameter of the type can take it. */
  check(value: Operand, type: ParameterType): Operand {
    if (value === undefined) {
      if (!canBeNil(type)) this.#run.fail(`invalid value; expected ${parameterTypeName(type)}`);
      return nilOf(type);
    }
    if (type === "value" || type === "any" || isAssignable(value, type)) return value;
    const inner = unbox(value);
    if (inner !== undefined && isAssignable(inner, type)) return inner;
    const given = typeOf(inner ?? value);
    return this.#run.fail(`wrong type for value; expected ${parameterTypeName(type)}; got ${given}`);
  }

  #constant(type: ParameterType, node: Extract<OperandNode, { kind: "bool" | "number" | "string" }>): Operand {
    switch (type) {
      case "any":
      case "value":
        return node.kind === "bool" ? node.value : node.kind === "string" ? node.text : this.#evaluator.constant(node);
      case "bool":
        return node.kind === "bool" ? node.value : this.#expected("bool", node);
      case "string":
        return node.kind === "string" ? node.text : this.#expected("string", node);
      case "float64":
        return node.kind === "number" && node.float !== undefined ? node.float : this.#expected("float", node);
      case "int":
        return this.#integer(node);
      case "int64":
        return new SizedInteger(this.#integer(node), "int64");
      default:
        return this.#run.fail(`can't handle ${nodeText(node)} for arg of type ${parameterTypeName(type)}`);
    }
  }

  #integer(node: NumberNode | OperandNode): bigint {
    return node.kind === "number" && node.integer !== undefined ? node.integer : this.#expected("integer", node);
  }

  #expected(wanted: string, node: OperandNode): never {
    return this.#run.fail(`expected ${wanted}; found ${nodeText(node)}`);
  }
}

function canBeNil(type: ParameterType): boolean {
  return type === "any" || type === "value" || /^(?:\[\]|map\[)/.test(type);
}

function nilOf(type: ParameterType): Operand {
  if (type === "value") return undefined;
  if (type === "any") return new Boxed(null);
  return type.startsWith("map") ? {} : [];
}

function isAssignable(value: Operand, type: ParameterType): boolean {
  if (typeOf(value) === type) return true;
  if (value instanceof Boxed || !isList(value)) return false;
  if (type === "[]interface {}") return true;
  return type === "[]string" && elementsOf(value).every((element) => typeof element === "string");
}
