import { closeSync, openSync, writeSync } from "node:fs";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { Diagnostic } from "@millwright/core/diagnostics";
import type { FlagTable, FlagValues } from "../flags.ts";
import type { CommandIo } from "../io.ts";
import { sourcesIn } from "../views/diagnostics.ts";
import { JsonView } from "../views/json-lines.ts";
import type { GivenFlag } from "./options.ts";

/** How plan, apply, destroy and refresh tell what they do. */
export const reportingFlags = {
  "json-into": {
    kind: "string",
    value: "FILE",
    help: "Write the lines that -json prints into this file, beside what is printed for people.",
  },
  concise: { kind: "bool", help: "Leave out what is only said of progress." },
  "show-sensitive": { kind: "bool", help: "Show sensitive values." },
  "consolidate-warnings": {
    kind: "bool",
    help: "Whether warnings of one kind are shown as one (default true).",
  },
  "consolidate-errors": { kind: "bool", help: "Show errors of one kind as one." },
  deprecation: {
    kind: "string",
    value: "module:all|local|none",
    help: "Whose deprecated variables and outputs are told of: all modules', those of modules in folders beside, none (default module:all).",
  },
} as const satisfies FlagTable;

/** What those flags come to, for a session. */
export interface Reporting {
  readonly concise: boolean;
  readonly showSensitive: boolean;
  readonly consolidate: { readonly warnings: boolean; readonly errors: boolean };
  /** The modules whose deprecated variables and outputs are told of. */
  readonly deprecation: "all" | "local" | "none";
  /** Is told everything that people are told, as JSON. */
  readonly also: JsonView | undefined;
}

export const usualReporting: Reporting = {
  concise: false,
  showSensitive: false,
  consolidate: { warnings: true, errors: false },
  deprecation: "all",
  also: undefined,
};

type Values = FlagValues<typeof reportingFlags> & { readonly json: boolean };

/** Reads the flags; a file that cannot be written is a diagnostic. */
export function reportingOf(io: CommandIo, values: Values, occurrences: readonly GivenFlag[]): Reporting | Diagnostic {
  const path = values["json-into"];
  if (path !== undefined && values.json) {
    const detail =
      "With -json the lines are printed, and with -json-into=FILE they go into a file: give one of the two.";
    return errorDiagnostic("Incompatible options", detail);
  }
  const deprecation = /^module:(all|local|none)$/.exec(values.deprecation ?? "module:all")?.[1];
  if (deprecation === undefined) {
    const detail = `-deprecation is module:all, module:local or module:none, and ${JSON.stringify(values.deprecation)} is none of these.`;
    return errorDiagnostic("Invalid value for -deprecation", detail);
  }
  const last = occurrences.filter(({ name }) => name === "consolidate-warnings").at(-1);
  const common = {
    concise: values.concise,
    showSensitive: values["show-sensitive"],
    consolidate: { warnings: last?.value !== false, errors: values["consolidate-errors"] },
    deprecation: deprecation as Reporting["deprecation"],
  };
  if (path === undefined) return { ...common, also: undefined };
  try {
    return { ...common, also: fileView(io, path) };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return errorDiagnostic("Cannot write the file of -json-into", `${path} cannot be written: ${why}.`);
  }
}

/** Whether something is told of at all. */
export function isWanted({ code }: Diagnostic, { deprecation }: Reporting): boolean {
  if (code === "deprecated") return deprecation !== "none";
  return code !== "deprecated-elsewhere" || deprecation === "all";
}

// Each line is in the file when it has been told: whoever reads along sees it at once.
function fileView(io: CommandIo, path: string): JsonView {
  const file = openSync(path.startsWith("/") ? path : `${io.cwd}/${path}`, "w", 0o600);
  process.once("exit", () => closeSync(file));
  const write = (text: string | Uint8Array) => {
    writeSync(file, typeof text === "string" ? Buffer.from(text) : text);
    return Promise.resolve();
  };
  return new JsonView({ ...io, stdout: write }, sourcesIn(io.cwd));
}

// What came of conditions is told one by one: each says something else.
const told: ReadonlySet<string | undefined> = new Set(["check-failed", "check-later"]);

/**
 * Diagnostics of one severity, those of one summary as the first of them, which says how many more there are. What has no
 * place in a file stays as it is, and so do the answers of conditions.
 */
export function consolidated(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const counts = new Map<string, number>();
  for (const { summary, subject, code } of diagnostics)
    if (subject && !told.has(code)) counts.set(summary, (counts.get(summary) ?? 0) + 1);
  const said = new Set<string>();
  return diagnostics.flatMap((diagnostic) => {
    const { summary, detail, severity, subject, code } = diagnostic;
    const more = (counts.get(summary) ?? 1) - 1;
    if (!subject || told.has(code) || more <= 0) return [diagnostic];
    if (said.has(summary)) return [];
    said.add(summary);
    const note = `(and ${more === 1 ? "one" : more} more similar ${severity}${more === 1 ? "" : "s"} elsewhere)`;
    return [{ ...diagnostic, detail: detail === "" ? note : `${detail}\n\n${note}` }];
  });
}
