import type { Diagnostic } from "@millwright/core/diagnostics";
import type { FlagValues } from "../flags.ts";
import type { CommandIo } from "../io.ts";
import { sourcesIn } from "../views/diagnostics.ts";
import { JsonView } from "../views/json-lines.ts";
import type { GivenFlag, viewFlags } from "./options.ts";
import { type reportingFlags, reportingOf } from "./reporting.ts";
import { type CommandStyle, Session } from "./session.ts";

/** The session of a command that plans or applies, as its flags say; `refused` where they do not go together. */
export function planningSession(
  io: CommandIo,
  style: CommandStyle,
  values: FlagValues<typeof viewFlags & typeof reportingFlags>,
  occurrences: readonly GivenFlag[],
): { readonly session: Session; readonly refused: Diagnostic | undefined } {
  const reporting = reportingOf(io, values, occurrences);
  const refused = "summary" in reporting ? reporting : undefined;
  const session = new Session(io, style, io.cwd, {
    noColor: values["no-color"],
    compactWarnings: values["compact-warnings"],
    ...("summary" in reporting ? {} : { reporting }),
    ...(values.json ? { json: new JsonView(io, sourcesIn(io.cwd)) } : {}),
  });
  return { session, refused };
}
