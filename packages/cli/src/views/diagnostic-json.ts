import type { Diagnostic } from "@millwright/core/diagnostics";
import type { SourceRange } from "@millwright/core/source";
import { headerAround, type SourceText } from "./diagnostics.ts";

type Plain = Readonly<Record<string, unknown>>;

/**
 * A diagnostic in the JSON form that `validate -json` and the streaming UI share.
 * Source: Terraform's documentation of `validate -json`, format version 1.0.
 */
export function diagnosticPlain(diagnostic: Diagnostic, sources: SourceText): Plain {
  const { severity, summary, detail, subject, address } = diagnostic;
  const where = subject ? { range: rangePlain(subject), snippet: snippetPlain(diagnostic, subject, sources) } : {};
  return { severity, summary, detail, ...(address === undefined ? {} : { address }), ...where };
}

function rangePlain({ filename, start, end }: SourceRange): Plain {
  // Readers of this form take the end to be behind the start.
  const empty = start.byte === end.byte;
  const last = empty ? { ...end, column: end.column + 1, byte: end.byte + 1 } : end;
  return { filename, start: positionPlain(start), end: positionPlain(last) };
}

function positionPlain({ line, column, byte }: SourceRange["start"]): Plain {
  return { line, column, byte };
}

function snippetPlain(diagnostic: Diagnostic, subject: SourceRange, sources: SourceText): Plain | null {
  const text = sources(subject.filename);
  if (text === undefined) return null;
  const around = diagnostic.context ?? subject;
  const first = Math.min(around.start.line, subject.start.line);
  const last = Math.max(around.end.line, subject.end.line);
  const bytes = Buffer.from(text, "utf8");
  const lines = text.split("\n");
  const code = lines
    .slice(first - 1, last)
    .map((line) => line.replace(/\r$/, ""))
    .join("\n");
  const startOfCode = Buffer.byteLength(
    lines
      .slice(0, first - 1)
      .map((line) => `${line}\n`)
      .join(""),
  );
  const most = Buffer.byteLength(code);
  const from = Math.min(Math.max(0, Math.min(subject.start.byte, bytes.length) - startOfCode), most);
  const to = Math.min(Math.max(from, subject.end.byte - startOfCode), most);
  return {
    context: headerAround(text, subject) ?? null,
    code,
    start_line: first,
    highlight_start_offset: from,
    highlight_end_offset: to === from ? Math.min(from + 1, most) : to,
    ...evaluationPlain(diagnostic.expressionValues ?? []),
  };
}

// The lines are sentences, "var.x is a string" or "while calling upper(str)"; the form has a place for each kind.
function evaluationPlain(lines: readonly string[]): Plain {
  const called = lines.map((line) => /^while calling ([\w:]+)\(/.exec(line)?.[1]).find((name) => name !== undefined);
  const values = lines.flatMap((line) => {
    const at = line.search(/ (is|will be|has) /);
    return at < 0 ? [] : [{ traversal: line.slice(0, at), statement: line.slice(at + 1) }];
  });
  return { values, ...(called === undefined ? {} : { function_call: { called_as: called } }) };
}
