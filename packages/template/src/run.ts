import type { BranchNode, ListNode, PipeNode, StatementNode, TemplateCallNode, TemplateNode } from "./ast.ts";
import { quote } from "@millwright/text/quote";
import { Evaluator } from "./evaluator.ts";
import type { Limits } from "./execute.ts";
import { ExecutionFault } from "./fault.ts";
import type { FunctionTable } from "./function.ts";
import { LocatedFault } from "./located-fault.ts";
import { nodeText } from "./node-text.ts";
import type { Operand } from "./operand.ts";
import {
  elementOf,
  elementsOf,
  integerOf,
  isList,
  isMap,
  isTrue,
  kindOf,
  sortedEntries,
  typeOf,
  unbox,
} from "./operand.ts";
import { display, formatText, pointedTo } from "./print.ts";
import { placeAt } from "./source-place.ts";
import type { Template, TemplateTree } from "./template.ts";
import type { Dependency, MapKey, TemplateValue } from "./value.ts";
import { Channel, SizedInteger } from "./value.ts";
import { Variables } from "./variables.ts";

export type MissingKey = "default" | "zero" | "error";

export interface RunOptions {
  readonly functions: FunctionTable;
  readonly missingKey: MissingKey;
  readonly limits: Limits;
}

/** How a list of actions ended: by its end, or by a jump out of the range around it. */
type Flow = "on" | "break" | "continue";

/** What belongs to one call of a template. */
export interface Frame {
  readonly tree: TemplateTree;
  readonly variables: Variables;
}

export interface RunState {
  readonly frame: Frame | undefined;
  readonly at: TemplateNode | undefined;
  readonly out: string[];
  readonly depth: number;
}

/** One execution of a template with all that it calls. */
export class Run {
  readonly template: Template;
  readonly options: RunOptions;
  readonly used = new Map<string, Dependency>();
  readonly missing = new Map<string, Dependency>();
  /** What messages point to. */
  at: TemplateNode | undefined;
  #frame: Frame | undefined;
  #evaluator: Evaluator;
  #out: string[] = [];
  #length = 0;
  #steps = 0;
  #depth = 0;

  constructor(template: Template, options: RunOptions) {
    this.template = template;
    this.options = options;
    this.#evaluator = new Evaluator(this);
  }

  /** The text of one of the templates; may be called on the way too, for a function that does the same. */
  execute(name: string, data: TemplateValue): string {
    const tree = this.template.trees.get(name);
    if (!tree) {
      const message = `template: no template ${quote(name)} associated with template ${quote(this.template.name)}`;
      throw new LocatedFault(message, message, undefined);
    }
    const outer = this.state();
    const dot: Operand = data ?? undefined;
    this.#frame = { tree, variables: new Variables(dot) };
    this.at = undefined;
    this.#out = [];
    this.#nested(() => this.#list(dot, tree.root));
    const text = this.#out.join("");
    this.restore(outer);
    return text;
  }

  /** What a template that is executed on the way changes; {@link restore} puts it back, also behind a fault. */
  state(): RunState {
    return { frame: this.#frame, at: this.at, out: this.#out, depth: this.#depth };
  }

  restore({ frame, at, out, depth }: RunState): void {
    this.#frame = frame;
    this.at = at;
    this.#out = out;
    this.#depth = depth;
  }

  get variables(): Variables {
    return this.#frame!.variables;
  }

  /** Counts a step; every loop and call takes one. */
  step(): void {
    if (++this.#steps > this.options.limits.steps)
      this.fail(`exceeded the limit of ${this.options.limits.steps} steps`);
  }

  /** Goes one level deeper for the length of `work`. */
  nested<T>(work: () => T): T {
    return this.#nested(work);
  }

  /** Ends the execution at the present node. */
  fail(reason: string): never {
    const { tree } = this.#frame!;
    const { at } = this;
    if (!at) throw new LocatedFault(`template: ${tree.name}: ${reason}`, reason, undefined);
    const text = nodeText(at);
    const message = `template: ${placeAt(tree.source, at.at)}: executing ${quote(tree.name)} at <${text}>: ${reason}`;
    const end = Math.min(tree.source.text.length, at.at + text.length);
    throw new LocatedFault(message, reason, { source: tree.source, start: at.at, end });
  }

  /** Does `work`, and ends the execution at the present node where it cannot be done. */
  attempt<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (error instanceof ExecutionFault) return this.fail(error.message);
      throw error;
    }
  }

  #nested<T>(work: () => T): T {
    const { depth } = this.options.limits;
    if (this.#depth >= depth) this.fail(`exceeded maximum template depth (${depth})`);
    this.#depth++;
    const result = work();
    this.#depth--;
    return result;
  }

  #list(dot: Operand, list: ListNode): Flow {
    this.at = list;
    for (const node of list.nodes) {
      const flow = this.#statement(dot, node);
      if (flow !== "on") return flow;
    }
    return "on";
  }

  #statement(dot: Operand, node: StatementNode): Flow {
    this.at = node;
    this.step();
    switch (node.kind) {
      case "text":
        this.#write(node.text);
        return "on";
      case "action":
        this.#action(dot, node, node.pipe);
        return "on";
      case "if":
      case "with":
        return this.#nested(() => this.#ifOrWith(dot, node));
      case "range":
        return this.#nested(() => this.#range(dot, node));
      case "template":
        this.#nested(() => this.#call(dot, node));
        return "on";
      case "break":
      case "continue":
        return node.kind;
    }
  }

  #action(dot: Operand, node: StatementNode, pipe: PipeNode): void {
    const value = this.#evaluator.pipeline(dot, pipe);
    if (pipe.variables.length > 0) return;
    this.at = node;
    const kind = kindOf(value);
    if (kind === "chan" || kind === "func") this.fail(`can't print ${nodeText(node)} of type ${typeOf(value)}`);
    this.#write(this.attempt(() => display(value)));
  }

  #write(text: string): void {
    const { limits } = this.options;
    this.#length += text.length;
    if (this.#length > limits.text) this.fail(`the text exceeds the limit of ${limits.text} characters`);
    this.#out.push(text);
  }

  #ifOrWith(dot: Operand, { kind, pipe, body, otherwise }: BranchNode): Flow {
    const mark = this.variables.mark();
    const value = this.#evaluator.pipeline(dot, pipe);
    let flow: Flow = "on";
    if (isTrue(value)) flow = this.#list(kind === "with" ? value : dot, body);
    else if (otherwise) flow = this.#list(dot, otherwise);
    this.variables.release(mark);
    return flow;
  }

  #range(dot: Operand, node: BranchNode): Flow {
    const mark = this.variables.mark();
    const value = unbox(this.#evaluator.pipeline(dot, node.pipe));
    const innerMark = this.variables.mark();
    let isEmpty = true;
    let flow: Flow = "on";
    for (const [index, element] of this.#elements(value, node)) {
      isEmpty = false;
      this.step();
      this.#setRangeVariables(node.pipe, index, element);
      const ended = this.#list(element, node.body);
      this.variables.release(innerMark);
      if (ended === "break") break;
    }
    if (isEmpty && node.otherwise) flow = this.#list(dot, node.otherwise);
    this.variables.release(mark);
    return flow;
  }

  #setRangeVariables({ variables, isAssignment }: PipeNode, index: Operand, element: Operand): void {
    const [first, second] = variables;
    if (!first) return;
    if (isAssignment) {
      this.#assign(first.identifiers[0]!, second ? index : element);
      if (second) this.#assign(second.identifiers[0]!, element);
      return;
    }
    this.variables.setTop(1, element);
    if (second) this.variables.setTop(2, index);
  }

  #assign(name: string, value: Operand): void {
    if (!this.variables.set(name, value)) this.fail(`undefined variable: ${name}`);
  }

  *#elements(value: ReturnType<typeof unbox>, node: BranchNode): Generator<readonly [Operand, Operand]> {
    const integer = integerOf(value);
    if (integer !== undefined) {
      if (node.pipe.variables.length > 1) this.fail(`can't use ${integer} to iterate over more than one variable`);
      for (let i = 0n; i < integer; i++)
        yield [undefined, value instanceof SizedInteger ? new SizedInteger(i, value.type) : i];
    } else if (isList(value)) {
      for (const [i, element] of elementsOf(value).entries()) yield [BigInt(i), elementOf(value, element)];
    } else if (isMap(value)) {
      for (const [key, element] of sortedEntries(value)) yield [key satisfies MapKey, elementOf(value, element)];
    } else if (value instanceof Channel) {
      let i = 0n;
      for (let next = value.values.next(); !next.done; next = value.values.next()) yield [i++, next.value ?? undefined];
    } else if (value !== undefined) {
      this.fail(`range can't iterate over ${this.attempt(() => formatText("%v", [pointedTo(value)]))}`);
    }
  }

  #call(dot: Operand, node: TemplateCallNode): void {
    const tree = this.template.trees.get(node.name);
    if (!tree) return this.fail(`template ${quote(node.name)} not defined`);
    const inner = node.pipe ? this.#evaluator.pipeline(dot, node.pipe) : undefined;
    const outer = this.#frame;
    this.#frame = { tree, variables: new Variables(inner) };
    this.#list(inner, tree.root);
    this.#frame = outer;
  }
}
