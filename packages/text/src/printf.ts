import { assertNever } from "@millwright/core/errors";
import type { Directive } from "./printf-directive.ts";
import { parseDirective, plainDirective } from "./printf-directive.ts";
import { formatBigFloat, formatBigInteger, formatDouble, formatInteger } from "./printf-number.ts";
import { formatText, pad } from "./printf-text.ts";
import type { PrintfValue } from "./printf-value.ts";
import { typeName } from "./printf-value.ts";

/**
 * Go's `fmt.Sprintf`: verbs `v T t d b o O x X c q U e E f F g G s %`, flags `+ - # 0` and space, width, precision,
 * `*`, and argument indexes (`%[2]d`). Never fails: what does not fit is said in the text as Go does (`%!d(string=x)`).
 * Map entries come in the order of their keys. (https://pkg.go.dev/fmt)
 */
export function sprintf(format: string, args: readonly PrintfValue[]): string {
  let result = "";
  let next = 0;
  let reordered = false;
  let offset = 0;
  for (;;) {
    const percent = format.indexOf("%", offset);
    result += format.slice(offset, percent < 0 ? undefined : percent);
    if (percent < 0) break;
    const parsed = parseDirective(format, percent, args, next);
    reordered ||= parsed.reordered;
    next = parsed.next;
    offset = parsed.end;
    result += parsed.complaints.join("");
    if (parsed.kind === "noVerb") result += "%!(NOVERB)";
    else if (parsed.directive.verb === "%") result += "%";
    else if (parsed.kind === "badIndex") result += `%!${parsed.directive.verb}(BADINDEX)`;
    else if (next >= args.length) result += `%!${parsed.directive.verb}(MISSING)`;
    else result += formatValue(parsed.directive, args[next++]!);
  }
  return reordered || next >= args.length ? result : result + extra(args.slice(next));
}

/** One value by one directive, as {@link sprintf} puts it in. */
export function formatValue(directive: Directive, value: PrintfValue): string {
  return formatAt(directive, value, 0);
}

function extra(args: readonly PrintfValue[]): string {
  const shown = args.map((arg) =>
    arg.kind === "nil" ? "<nil>" : `${typeName(arg)}=${formatValue({ ...plainDirective, verb: "v" }, arg)}`,
  );
  return `%!(EXTRA ${shown.join(", ")})`;
}

function formatAt(directive: Directive, value: PrintfValue, depth: number): string {
  const { verb } = directive;
  if (verb === "T" && depth === 0) return formatType(directive, value);
  switch (value.kind) {
    case "nil":
      if (depth > 0) return directive.goSyntax ? "interface {}(nil)" : "<nil>";
      return verb === "v" ? pad(directive, "<nil>") : badVerb(directive, value);
    case "bool":
      return verb === "t" || verb === "v" ? pad(directive, String(value.value)) : badVerb(directive, value);
    case "integer":
      return formatInteger(directive, value.value) ?? badVerb(directive, value);
    case "float":
      return formatDouble(directive, value.value) ?? badVerb(directive, value);
    case "bigInteger":
      return formatBigInteger(directive, value.value);
    case "bigFloat":
      return formatBigFloat(directive, value.value);
    case "string":
      return formatText(directive, value.value) ?? badVerb(directive, value);
    case "list": {
      const elements = value.elements.map((element) => formatAt(directive, element, depth + 1));
      return directive.goSyntax ? `${typeName(value)}{${elements.join(", ")}}` : `[${elements.join(" ")}]`;
    }
    case "map":
      return formatMap(directive, value, depth);
    case "struct":
      return formatStruct(directive, value, depth);
    default:
      return assertNever(value);
  }
}

function formatType(directive: Directive, value: PrintfValue): string {
  return value.kind === "nil" ? pad(directive, "<nil>") : formatText({ ...directive, verb: "s" }, typeName(value))!;
}

function formatMap(directive: Directive, value: Extract<PrintfValue, { kind: "map" }>, depth: number): string {
  const sorted = [...value.entries].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const entries = sorted.map(([key, element]) => {
    const keyText = formatAt(directive, { kind: "string", value: key }, depth + 1);
    return `${keyText}:${formatAt(directive, element, depth + 1)}`;
  });
  return directive.goSyntax ? `${typeName(value)}{${entries.join(", ")}}` : `map[${entries.join(" ")}]`;
}

/** `{a 1}`, with names for `%+v`, and as Go would write it for `%#v`. A pointer inside something else is an address in Go. */
function formatStruct(directive: Directive, value: Extract<PrintfValue, { kind: "struct" }>, depth: number): string {
  const { fields, type, isPointer } = value;
  const pointer = isPointer ? "&" : "";
  const isNamed = directive.goSyntax || directive.detailed;
  const shown = fields.map(([name, field]) => {
    const text = formatAt(directive, field, depth + 1);
    return isNamed ? `${name}:${text}` : text;
  });
  if (directive.goSyntax) return `${pointer}${type.replace(/^\*/, "")}{${shown.join(", ")}}`;
  return `${pointer}{${shown.join(" ")}}`;
}

/** Go's complaint in the text, with the value as `%v` by the same flags. */
function badVerb(directive: Directive, value: PrintfValue): string {
  if (value.kind === "nil") return `%!${directive.verb}(<nil>)`;
  return `%!${directive.verb}(${typeName(value)}=${formatValue({ ...directive, verb: "v" }, value)})`;
}
