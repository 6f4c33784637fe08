import { readFileSync } from "node:fs";
import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { messageOf } from "@millwright/core/errors";
import { badAddress } from "./options.ts";
import type { Session } from "./session.ts";

/** The addresses that a flag gives, and those in the files that its other form names: one a line, `#` begins a remark. */
export function addressesOf(
  session: Session,
  flag: "target" | "exclude",
  given: readonly string[],
  files: readonly string[],
): Diagnosed<readonly string[]> {
  const diagnostics: Diagnostic[] = [];
  const all = [...given];
  for (const name of files) {
    const lines = linesOf(session, flag, name);
    if (typeof lines === "string") {
      const addresses = lines
        .split("\n")
        .map((line) => line.replace(/^\s*#.*$/, "").trim())
        .filter((line) => line !== "");
      const wrong = badAddress(`${flag}-file`, addresses);
      if (wrong) diagnostics.push({ ...wrong, detail: `In ${name}: ${wrong.detail}` });
      all.push(...addresses);
    } else diagnostics.push(lines);
  }
  return { value: all, diagnostics };
}

function linesOf(session: Session, flag: string, name: string): string | Diagnostic {
  try {
    return readFileSync(session.path(name), "utf8");
  } catch (error) {
    return errorDiagnostic(`Unable to read -${flag}-file`, `The file ${name} cannot be read: ${messageOf(error)}.`);
  }
}
