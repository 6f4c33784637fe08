import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import { systemClock } from "@millwright/core/ports";
import { inClear, type Sealing } from "@millwright/engine/backend/sealing";
import type { Body } from "@millwright/hcl/ast";
import { parseFile } from "@millwright/hcl/parse";
import { parseJsonFile } from "@millwright/hcl/parse-json";
import { sourceFile } from "@millwright/hcl/source-file";
import type { Sealed } from "@millwright/backends/encryption";
import type { GivenFlag } from "../options.ts";
import type { Session } from "../session.ts";
import { rootSettings } from "./configured.ts";

/**
 * How what is written is encrypted, as the folder's `encryption` block and TF_ENCRYPTION say; undefined where that cannot be
 * told, which was reported. A session has one for each kind of file.
 */
export function sealingOf(
  session: Session,
  occurrences: readonly GivenFlag[],
  what: Sealed,
): Promise<Sealing | undefined> {
  let known = bySession.get(session);
  if (!known) bySession.set(session, (known = new Map()));
  let sealing = known.get(what);
  if (!sealing) known.set(what, (sealing = makeFor(session, occurrences, what)));
  return sealing;
}

const bySession = new WeakMap<Session, Map<Sealed, Promise<Sealing | undefined>>>();

async function makeFor(
  session: Session,
  occurrences: readonly GivenFlag[],
  what: Sealed,
): Promise<Sealing | undefined> {
  const fromEnvironment = session.io.env.TF_ENCRYPTION?.trim() ?? "";
  const settings = rootSettings(session, occurrences, fromEnvironment === "" ? "where it says so" : "always");
  const block = settings.value?.module.encryption;
  if (!settings.value || (!block && fromEnvironment === "")) return inClear;
  const { module, evaluator } = settings.value;
  const bodies: Body[] = block ? [block.body] : [];
  if (fromEnvironment !== "") {
    const body = await environmentBody(session, fromEnvironment);
    if (!body) return undefined;
    bodies.push(body);
  }
  const { makeSealing } = await import("@millwright/backends/encryption");
  const made = makeSealing({
    bodies,
    what,
    evaluate: (expression, name) => evaluator.evaluate(module, expression, name),
    ports: { folder: session.folder, env: session.io.env, clock: systemClock },
  });
  return (await session.report(made.diagnostics)) ? made.value : undefined;
}

async function environmentBody(session: Session, text: string): Promise<Body | undefined> {
  const file = sourceFile("TF_ENCRYPTION", text);
  const { value, diagnostics } = text.startsWith("{") ? parseJsonFile(file) : parseFile(file);
  if (!hasErrors(diagnostics)) return value;
  const why = diagnostics.map(({ detail }) => detail).join(" ");
  await session.report([errorDiagnostic("Invalid TF_ENCRYPTION", `It cannot be read as an encryption block: ${why}`)]);
  return undefined;
}
