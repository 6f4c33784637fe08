import { quote, unquote } from "@millwright/text/quote";
import type {
  BranchNode,
  ChainNode,
  CommandNode,
  ListNode,
  OperandNode,
  PipeNode,
  StatementNode,
  TemplateCallNode,
  VariableNode,
} from "./ast.ts";
import type { Lexer } from "./lexer.ts";
import { nodeText } from "./node-text.ts";
import { readCharacter, readNumber } from "./number-literal.ts";
import type { TemplateSource, TemplateTree } from "./template.ts";
import type { Token, TokenKind } from "./tokens.ts";
import { tokenText } from "./tokens.ts";

/** What is wrong in Go's words, what to do, and where it stands (UTF-16 offsets). */
export interface ParseFault {
  readonly message: string;
  readonly advice: string;
  readonly line: number;
  readonly start: number;
  readonly end: number;
}

/** What the parsers of one text share. */
interface Shared {
  readonly source: TemplateSource;
  readonly known: ReadonlySet<string>;
  readonly trees: Map<string, TemplateTree>;
}

/** Actions and parentheses in each other beyond this are refused; the stack has an end. */
const deepest = 400;

/** Nobody reads more than these. */
const mostFaults = 50;

/** Ends the reading; never leaves {@link Parser.parse}. */
class Abort extends Error {
  override readonly name = "Abort";
}

/** `{{end}}` or `{{else}}`, which closes a list. */
type Closing = { readonly kind: "end" } | { readonly kind: "else" };

type Context = "if" | "range" | "with";

/** Reads one tree of a template; for a `define` or `block` in it, another parser goes on with the same tokens. */
export class Parser {
  readonly #lexer: Lexer;
  readonly #shared: Shared;
  readonly #faults: ParseFault[];
  readonly #tokens: (Token | undefined)[] = [undefined, undefined, undefined];
  #name: string;
  #peeked = 0;
  #variables: string[] = ["$"];
  #actionLine = 0;
  #ranges = 0;
  #depth: number;

  constructor(
    lexer: Lexer,
    shared: Shared & { readonly name: string },
    outer?: { faults: ParseFault[]; depth: number },
  ) {
    this.#lexer = lexer;
    this.#shared = shared;
    this.#name = shared.name;
    this.#faults = outer?.faults ?? [];
    this.#depth = outer?.depth ?? 0;
  }

  /** Puts the trees of the whole text into the shared map; the faults, none for a good text. */
  parse(): readonly ParseFault[] {
    try {
      this.#add(this.#topLevel());
    } catch (error) {
      if (!(error instanceof Abort)) throw error;
    }
    return this.#faults;
  }

  #topLevel(): ListNode {
    const root: ListNode = { kind: "list", at: this.#peek().at, nodes: [] };
    while (this.#peek().kind !== "eof") {
      if (this.#peek().kind === "leftDelimiter") {
        const delimiter = this.#next();
        if (this.#nextNonSpace().kind === "define") {
          this.#inner("definition").#definition();
          continue;
        }
        this.#backUpTo(delimiter);
      }
      const node = this.#textOrAction();
      if (node.kind === "end" || node.kind === "else") this.#abort(`unexpected {{${node.kind}}}`, noOpenAction);
      root.nodes.push(node);
    }
    return root;
  }

  #inner(name: string): Parser {
    return new Parser(this.#lexer, { ...this.#shared, name }, { faults: this.#faults, depth: this.#depth });
  }

  #definition(): void {
    const context = "define clause";
    this.#name = this.#templateName(this.#nextNonSpace(), context);
    this.#expect("rightDelimiter", context);
    this.#add(this.#listUntilEnd(context));
  }

  #listUntilEnd(context: string): ListNode {
    const { list, closing } = this.#list();
    if (closing.kind !== "end") this.#abort(`unexpected {{else}} in ${context}`, "A definition has no else.");
    return list;
  }

  #add(root: ListNode): void {
    const { trees, source } = this.#shared;
    const earlier = trees.get(this.#name);
    if (!earlier || isEmpty(earlier.root)) trees.set(this.#name, { name: this.#name, source, root });
    else if (!isEmpty(root)) {
      const message = `template: multiple definition of template ${quote(this.#name)}`;
      this.#abort(message, "Give one of them another name.");
    }
  }

  #list(): { readonly list: ListNode; readonly closing: Closing } {
    const list: ListNode = { kind: "list", at: this.#peekNonSpace().at, nodes: [] };
    while (this.#peekNonSpace().kind !== "eof") {
      const node = this.#textOrAction();
      if (node.kind === "end" || node.kind === "else") return { list, closing: node };
      list.nodes.push(node);
    }
    return this.#abort("unexpected EOF", "An action is still open here: close it with an end.");
  }

  #textOrAction(): StatementNode | Closing {
    const token = this.#nextNonSpace();
    if (token.kind === "text") return { kind: "text", at: token.at, text: token.value };
    if (token.kind !== "leftDelimiter") return this.#unexpected(token, "input");
    this.#actionLine = token.line;
    const node = this.#nested(() => this.#action());
    this.#actionLine = 0;
    return node;
  }

  #action(): StatementNode | Closing {
    const token = this.#nextNonSpace();
    switch (token.kind) {
      case "block":
        return this.#block();
      case "break":
      case "continue":
        return this.#jump(token.kind, token);
      case "else":
        return this.#else();
      case "end":
        this.#expect("rightDelimiter", "end");
        return { kind: "end" };
      case "if":
      case "range":
      case "with":
        return this.#branch(token.kind);
      case "template":
        return this.#template();
    }
    this.#backUp();
    return { kind: "action", at: this.#peek().at, pipe: this.#pipeline("command", "rightDelimiter") };
  }

  #jump(kind: "break" | "continue", { at }: Token): StatementNode {
    const token = this.#nextNonSpace();
    if (token.kind !== "rightDelimiter") this.#unexpected(token, `{{${kind}}}`);
    if (this.#ranges === 0) this.#abort(`{{${kind}}} outside {{range}}`, "It belongs into the body of a range.");
    return { kind, at };
  }

  #else(): Closing {
    const { kind } = this.#peekNonSpace();
    // What follows is read as an action in the list behind the else.
    if (kind !== "if" && kind !== "with") this.#expect("rightDelimiter", "else");
    return { kind: "else" };
  }

  #branch(kind: Context): BranchNode {
    const variables = this.#variables.length;
    const pipe = this.#pipeline(kind, "rightDelimiter");
    if (kind === "range") this.#ranges++;
    const { list: body, closing } = this.#list();
    if (kind === "range") this.#ranges--;
    const otherwise = closing.kind === "else" ? this.#elseList(kind) : undefined;
    this.#variables.length = variables;
    return { kind, at: pipe.at, pipe, body, otherwise };
  }

  #elseList(kind: Context): ListNode {
    const token = this.#peek();
    if (kind !== "range" && token.kind === kind) {
      // The end of the inner action is the outer one's too.
      this.#next();
      return { kind: "list", at: token.at, nodes: [this.#nested(() => this.#branch(kind))] };
    }
    const { list, closing } = this.#list();
    if (closing.kind !== "end") this.#abort("expected end; found {{else}}", "An action has one else at most.");
    return list;
  }

  #block(): TemplateCallNode {
    const context = "block clause";
    const token = this.#nextNonSpace();
    const name = this.#templateName(token, context);
    const pipe = this.#pipeline(context, "rightDelimiter");
    const block = this.#inner(name);
    block.#add(block.#listUntilEnd(context));
    return { kind: "template", at: token.at, name, pipe };
  }

  #template(): TemplateCallNode {
    const context = "template clause";
    const token = this.#nextNonSpace();
    const name = this.#templateName(token, context);
    if (this.#nextNonSpace().kind === "rightDelimiter")
      return { kind: "template", at: token.at, name, pipe: undefined };
    this.#backUp();
    return { kind: "template", at: token.at, name, pipe: this.#pipeline(context, "rightDelimiter") };
  }

  #templateName(token: Token, context: string): string {
    if (token.kind !== "string" && token.kind !== "rawString") this.#unexpected(token, context);
    return this.#unquote(token);
  }

  #unquote({ value }: Token): string {
    return unquote(value) ?? this.#abort("invalid syntax", "The string holds an escape that is none.");
  }

  #pipeline(context: string, end: TokenKind): PipeNode {
    const { at } = this.#peekNonSpace();
    const { variables, isAssignment } = this.#declarations(context);
    const commands: CommandNode[] = [];
    for (;;) {
      const token = this.#nextNonSpace();
      if (token.kind === end) break;
      if (!operandStarts.has(token.kind)) this.#unexpected(token, context);
      this.#backUp();
      commands.push(this.#command());
    }
    this.#checkPipeline(commands, context);
    return { kind: "pipe", at, variables, isAssignment, commands };
  }

  #declarations(context: string): Pick<PipeNode, "variables" | "isAssignment"> {
    const variables: VariableNode[] = [];
    for (;;) {
      const token = this.#peekNonSpace();
      if (token.kind !== "variable") return { variables, isAssignment: false };
      this.#next();
      const behind = this.#peek();
      const next = this.#peekNonSpace();
      const isComma = next.kind === "character" && next.value === ",";
      if (next.kind !== "assign" && next.kind !== "declare" && !isComma) {
        // The variable is an operand.
        if (behind.kind === "space") this.#backUpOver(token, behind);
        else this.#backUpTo(token);
        return { variables, isAssignment: false };
      }
      this.#nextNonSpace();
      variables.push(variableNode(token.at, token.value));
      this.#variables.push(token.value);
      if (!isComma) return { variables, isAssignment: next.kind === "assign" };
      if (context !== "range" || variables.length > 1) {
        this.#abort(`too many declarations in ${context}`, "Only a range has two variables.");
      }
      const { kind } = this.#peekNonSpace();
      if (kind !== "variable" && kind !== "rightDelimiter" && kind !== "rightParenthesis") {
        this.#abort("range can only initialize variables", "Behind the comma goes a second variable.");
      }
    }
  }

  #checkPipeline(commands: readonly CommandNode[], context: string): void {
    if (commands.length === 0) this.#abort(`missing value for ${context}`, "Say what it works on.");
    for (const [i, { operands }] of commands.entries()) {
      if (i === 0 || !nonExecutable.has(operands[0]!.kind)) continue;
      const message = `non executable command in pipeline stage ${i + 1}`;
      this.#abort(message, "Behind a | goes a function, which takes what stands before it.");
    }
  }

  #command(): CommandNode {
    const { at } = this.#peekNonSpace();
    const operands: OperandNode[] = [];
    for (;;) {
      this.#peekNonSpace();
      const operand = this.#operand();
      if (operand) operands.push(operand);
      const token = this.#next();
      if (token.kind === "space") continue;
      if (token.kind === "rightDelimiter" || token.kind === "rightParenthesis") this.#backUp();
      else if (token.kind !== "pipe") this.#unexpected(token, "operand");
      break;
    }
    if (operands.length === 0) this.#abort("empty command", "Put a value or a function between the | signs.");
    return { kind: "command", at, operands };
  }

  /** Undefined where the next token begins none. */
  #operand(): OperandNode | undefined {
    const term = this.#term();
    if (!term || this.#peek().kind !== "field") return term;
    const { at } = this.#peek();
    const fields: string[] = [];
    while (this.#peek().kind === "field") fields.push(this.#next().value.slice(1));
    switch (term.kind) {
      case "field":
      case "variable":
        return { ...term, at, identifiers: [...term.identifiers, ...fields] };
      case "bool":
      case "string":
      case "number":
      case "nil":
      case "dot":
        return this.#abort(`unexpected . after term ${quote(nodeText(term))}`, "It has no fields.");
      default:
        return { kind: "chain", at, receiver: term, fields } satisfies ChainNode;
    }
  }

  #term(): OperandNode | undefined {
    const token = this.#nextNonSpace();
    const { at, value } = token;
    switch (token.kind) {
      case "identifier":
        this.#checkFunction(token);
        return { kind: "identifier", at, name: value };
      case "dot":
      case "nil":
        return { kind: token.kind, at };
      case "variable":
        this.#checkVariable(token);
        return variableNode(at, value);
      case "field":
        return { kind: "field", at, identifiers: [value.slice(1)] };
      case "bool":
        return { kind: "bool", at, value: value === "true" };
      case "charConstant":
      case "complex":
      case "number":
        return this.#number(token);
      case "leftParenthesis":
        return this.#nested(() => this.#pipeline("parenthesized pipeline", "rightParenthesis"));
      case "string":
      case "rawString":
        return { kind: "string", at, literal: value, text: this.#unquote(token) };
    }
    this.#backUp();
    return undefined;
  }

  #number(token: Token): OperandNode {
    const { at, value } = token;
    const read = token.kind === "charConstant" ? readCharacter(value) : readNumber(value);
    if (!read.ok) return this.#abort(read.error, "Write an integer or a float, such as 12, 0x1f or 1.5e3.");
    return { kind: "number", at, literal: value, ...read.constant };
  }

  #checkFunction(token: Token): void {
    if (this.#shared.known.has(token.value)) return;
    this.#report(
      `function ${quote(token.value)} not defined`,
      "Look at its spelling: no function has that name.",
      token,
    );
  }

  #checkVariable(token: Token): void {
    if (this.#variables.includes(token.value)) return;
    const advice = "A variable is known from where it is declared with := to the end of the action around that.";
    this.#report(`undefined variable ${quote(token.value)}`, advice, token);
  }

  #nested<T>(read: () => T): T {
    if (this.#depth >= deepest) this.#abort("max expression depth exceeded", `More than ${deepest} are in each other.`);
    this.#depth++;
    const node = read();
    this.#depth--;
    return node;
  }

  #expect(kind: TokenKind, context: string): Token {
    const token = this.#nextNonSpace();
    return token.kind === kind ? token : this.#unexpected(token, context);
  }

  #unexpected(token: Token, context: string): never {
    if (token.kind !== "error") {
      return this.#abort(`unexpected ${tokenText(token)} in ${context}`, "Something is missing before it.", token);
    }
    const started = `action started at ${this.#shared.source.name}:${this.#actionLine}`;
    const isElsewhere = this.#actionLine !== 0 && this.#actionLine !== token.line;
    const extra = isElsewhere ? (token.value.endsWith(" action") ? ` ${started.slice(7)}` : ` in ${started}`) : "";
    return this.#abort(token.value + extra, "Look for a mark that is missing or one too many.", token);
  }

  #abort(message: string, advice: string, token?: Token): never {
    this.#report(message, advice, token);
    throw new Abort(message);
  }

  #report(message: string, advice: string, token: Token | undefined): void {
    const latest = this.#tokens[0];
    const place = token ?? latest;
    const start = place?.at ?? 0;
    const end = start + (place && place.kind !== "error" && place.kind !== "eof" ? place.value.length : 0);
    if (this.#faults.length >= mostFaults) return;
    this.#faults.push({ message, advice, line: latest?.line ?? 1, start, end });
  }

  #next(): Token {
    if (this.#peeked > 0) this.#peeked--;
    else this.#tokens[0] = this.#lexer.next();
    return this.#tokens[this.#peeked]!;
  }

  #peek(): Token {
    if (this.#peeked > 0) return this.#tokens[this.#peeked - 1]!;
    this.#peeked = 1;
    this.#tokens[0] = this.#lexer.next();
    return this.#tokens[0];
  }

  #nextNonSpace(): Token {
    let token = this.#next();
    while (token.kind === "space") token = this.#next();
    return token;
  }

  #peekNonSpace(): Token {
    const token = this.#nextNonSpace();
    this.#backUp();
    return token;
  }

  #backUp(): void {
    this.#peeked++;
  }

  /** Back to `token` and the one behind it, which was the last one read. */
  #backUpTo(token: Token): void {
    this.#tokens[1] = token;
    this.#peeked = 2;
  }

  /** Back to `token`, a space behind it, and the one behind that, which was the last one read. */
  #backUpOver(token: Token, space: Token): void {
    this.#tokens[1] = space;
    this.#tokens[2] = token;
    this.#peeked = 3;
  }
}

const noOpenAction = "No action is open here that it could belong to.";

const nonExecutable: ReadonlySet<string> = new Set(["bool", "dot", "nil", "number", "string"]);

const operandStarts: ReadonlySet<TokenKind> = new Set<TokenKind>([
  "bool",
  "charConstant",
  "complex",
  "dot",
  "field",
  "identifier",
  "number",
  "nil",
  "rawString",
  "string",
  "variable",
  "leftParenthesis",
]);

function variableNode(at: number, name: string): VariableNode {
  return { kind: "variable", at, identifiers: [name] };
}

/** Whether a list has nothing but white space. */
function isEmpty({ nodes }: ListNode): boolean {
  return nodes.every((node) => node.kind === "text" && node.text.trim() === "");
}
