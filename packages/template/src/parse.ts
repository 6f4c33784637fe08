import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { builtinNames } from "./builtin-names.ts";
import type { Delimiters } from "./lexer.ts";
import { Lexer } from "./lexer.ts";
import type { ParseFault } from "./parser.ts";
import { Parser } from "./parser.ts";
import { rangeIn } from "./source-place.ts";
import type { Template, TemplateSource, TemplateTree } from "./template.ts";

export interface ParseOptions {
  /** The template's name, by which messages call it. */
  readonly name: string;
  /** The file that diagnostics point to; the name, where there is none. */
  readonly filename?: string;
  /** An empty one stands for Go's, `{{` and `}}`. */
  readonly delimiters?: Delimiters;
  /** The functions that will be there at the execution, beside the built-in ones. */
  readonly functions?: Iterable<string>;
  /** A template whose definitions are there too, and which the new text may replace where they are empty. */
  readonly base?: Template;
}

export type ParsedTemplate =
  | { readonly ok: true; readonly template: Template }
  | {
      readonly ok: false;
      /** The first fault in Go's words: `template: name:3: unexpected "}" in operand`. */
      readonly error: string;
      readonly diagnostics: readonly Diagnostic[];
    };

/**
 * Reads a template in the language of Go's text/template (https://pkg.go.dev/text/template), as of Go 1.26. Never throws
 * and never hangs: any text gives a template or diagnostics. Every function and variable that is not there is reported;
 * the first fault in the structure ends the reading. Complex constants (`1+2i`), which Go has, are refused.
 */
export function parseTemplate(text: string, options: ParseOptions): ParsedTemplate {
  const { name, base } = options;
  const source: TemplateSource = { name, filename: options.filename ?? name, text };
  const delimiters = { left: options.delimiters?.left || "{{", right: options.delimiters?.right || "}}" };
  const known = new Set([...builtinNames, ...(options.functions ?? [])]);
  const trees = new Map<string, TemplateTree>();
  const faults = new Parser(new Lexer(text, delimiters), { source, name, known, trees }).parse();
  const [first] = faults;
  if (first) return { ok: false, error: goText(source, first), diagnostics: faults.map((f) => diagnose(source, f)) };
  return { ok: true, template: { name, trees: base ? merge(base.trees, trees) : trees } };
}

/** A later definition replaces an earlier one, unless it is empty and the earlier one is not. */
function merge(
  earlier: ReadonlyMap<string, TemplateTree>,
  later: ReadonlyMap<string, TemplateTree>,
): ReadonlyMap<string, TemplateTree> {
  const merged = new Map(earlier);
  for (const [name, tree] of later) if (!merged.has(name) || !isEmptyTree(tree)) merged.set(name, tree);
  return merged;
}

function isEmptyTree({ root }: TemplateTree): boolean {
  return root.nodes.every((node) => node.kind === "text" && node.text.trim() === "");
}

function goText(source: TemplateSource, { line, message }: ParseFault): string {
  return `template: ${source.name}:${line}: ${message}`;
}

function diagnose(source: TemplateSource, { message, advice, start, end }: ParseFault): Diagnostic {
  const sentence = /^\p{Ll}/u.test(message) ? message[0]!.toUpperCase() + message.slice(1) : message;
  return errorDiagnostic("Malformed template", `${sentence}. ${advice}`, {
    code: "template-syntax",
    subject: rangeIn(source, start, end),
  });
}
