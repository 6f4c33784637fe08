import { assertNever } from "@millwright/core/errors";
import { quote } from "@millwright/text/quote";
import { Arguments } from "./arguments.ts";
import type {
  ChainNode,
  CommandNode,
  FieldNode,
  NumberNode,
  OperandNode,
  PipeNode,
  TemplateNode,
  VariableNode,
} from "./ast.ts";
import { Caller } from "./caller.ts";
import { nodeText } from "./node-text.ts";
import type { Operand } from "./operand.ts";
import { Boxed, elementOf, isMap, keyTypeOf, mapGet, operandOf, typeOf, unbox } from "./operand.ts";
import type { Run } from "./run.ts";
import { Struct, TypedMap } from "./value.ts";

/** What a pipeline's earlier commands hand to the next one as its last argument; `noFinal` for the first. */
export type Final = { readonly value: Operand } | undefined;

/** What a function or method is called with. The first operand is the function itself. */
export interface Call {
  readonly dot: Operand;
  readonly operands: readonly OperandNode[];
  readonly final: Final;
}

/** Evaluates pipelines and what they are made of. */
export class Evaluator {
  readonly #run: Run;
  readonly #caller: Caller;

  constructor(run: Run) {
    this.#run = run;
    this.#caller = new Caller(run, new Arguments(run, this));
  }

  /** The value of a pipeline; what it declares is declared. */
  pipeline(dot: Operand, pipe: PipeNode): Operand {
    this.#run.at = pipe;
    this.#run.step();
    let final: Final;
    for (const command of pipe.commands) {
      const value = this.#command(dot, command, final);
      final = { value: value instanceof Boxed ? unbox(value) : value };
    }
    const value = final?.value;
    for (const { identifiers } of pipe.variables) {
      const name = identifiers[0]!;
      if (!pipe.isAssignment) this.#run.variables.declare(name, value);
      else if (!this.#run.variables.set(name, value)) this.#run.fail(`undefined variable: ${name}`);
    }
    return value;
  }

  field(dot: Operand, node: FieldNode, call: Call): Operand {
    this.#run.at = node;
    return this.#fields(dot, node, node.identifiers, call);
  }

  variable(node: VariableNode, call: Call): Operand {
    this.#run.at = node;
    const [name, ...fields] = node.identifiers;
    if (!this.#run.variables.has(name!)) this.#run.fail(`undefined variable: ${name}`);
    const value = this.#run.variables.get(name!);
    if (fields.length > 0) return this.#fields(value, node, fields, call);
    this.#refuseArguments(call);
    return value;
  }

  chain(node: ChainNode, call: Call): Operand {
    this.#run.at = node;
    const receiver = this.#receiver(call.dot, node.receiver);
    return this.#fields(receiver, node, node.fields, call);
  }

  function(name: string, node: TemplateNode, call: Call & { readonly at: TemplateNode }): Operand {
    this.#run.at = node;
    return this.#caller.byName(name, call);
  }

  /** A number whose type its own form decides. */
  constant(node: NumberNode): Operand {
    this.#run.at = node;
    const { literal, float, integer } = node;
    const isWhole = /^0[xX]/.test(literal)
      ? !/[pP]/.test(literal)
      : literal.startsWith("'") || !/[.eEpP]/.test(literal);
    if (!isWhole && float !== undefined) return float;
    return integer ?? this.#run.fail(`${literal} overflows int`);
  }

  #command(dot: Operand, command: CommandNode, final: Final): Operand {
    const first = command.operands[0]!;
    const call = { dot, operands: command.operands, final };
    switch (first.kind) {
      case "field":
        return this.field(dot, first, call);
      case "chain":
        return this.chain(first, call);
      case "identifier":
        return this.function(first.name, first, { ...call, at: command });
      case "pipe":
        this.#refuseArguments(call);
        return this.#run.nested(() => this.pipeline(dot, first));
      case "variable":
        return this.variable(first, call);
    }
    this.#run.at = first;
    this.#refuseArguments(call);
    switch (first.kind) {
      case "bool":
        return first.value;
      case "dot":
        return dot;
      case "nil":
        return this.#run.fail("nil is not a command");
      case "number":
        return this.constant(first);
      case "string":
        return first.text;
      default:
        return assertNever(first);
    }
  }

  #receiver(dot: Operand, node: OperandNode): Operand {
    this.#run.at = node;
    if (node.kind === "pipe") return this.#run.nested(() => this.pipeline(dot, node));
    if (node.kind !== "identifier") return this.#run.fail(`can't evaluate command ${quote(nodeText(node))}`);
    return this.function(node.name, node, { dot, operands: [], final: undefined, at: node });
  }

  #refuseArguments({ operands, final }: Call): void {
    if (operands.length <= 1 && !final) return;
    this.#run.fail(`can't give argument to non-function ${nodeText(operands[0]!)}`);
  }

  #fields(receiver: Operand, node: TemplateNode, names: readonly string[], call: Call): Operand {
    const plain = { dot: call.dot, operands: [], final: undefined };
    let value = receiver;
    for (const [i, name] of names.entries()) {
      value = this.#field(value, name, node, i === names.length - 1 ? call : plain);
    }
    return value;
  }

  #field(receiver: Operand, name: string, node: TemplateNode, call: Call): Operand {
    const run = this.#run;
    run.step();
    if (receiver === undefined) {
      if (run.options.missingKey === "error") run.fail(`nil data; no entry for key ${quote(name)}`);
      return undefined;
    }
    const type = typeOf(receiver);
    const value = unbox(receiver);
    if (value === undefined) return run.fail(`nil pointer evaluating ${type}.${name}`);
    const hasArguments = call.operands.length > 1 || call.final !== undefined;
    if (value instanceof Struct) {
      if (Object.hasOwn(value.methods, name)) {
        return this.#caller.method(value.methods[name]!, name, { ...call, at: node });
      }
      if (Object.hasOwn(value.fields, name)) {
        if (hasArguments) run.fail(`${name} has arguments but cannot be invoked as function`);
        return operandOf(value.fields[name]!);
      }
    } else if (isMap(value) && /^(?:string|interface \{\})$/.test(keyTypeOf(value))) {
      if (hasArguments) run.fail(`${name} is not a method but has arguments`);
      const found = mapGet(value, name);
      if (found !== undefined) return elementOf(value, found);
      if (run.options.missingKey === "error") run.fail(`map has no entry for key ${quote(name)}`);
      if (run.options.missingKey === "default") return undefined;
      return value instanceof TypedMap ? operandOf(value.zero) : new Boxed(null);
    }
    return run.fail(`can't evaluate field ${name} in type ${type}`);
  }
}
