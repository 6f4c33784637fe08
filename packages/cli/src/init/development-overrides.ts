import type { Diagnostic } from "@millwright/core/diagnostics";
import { warningDiagnostic } from "@millwright/core/diagnostics";
import { parseProviderSource, providerSourceShort } from "@millwright/engine/addresses";
import type { Session } from "../terraform/session.ts";
import { sourceSettings } from "./source-settings.ts";

const summary = "Provider development overrides are in effect";

/** The warning that providers which are being developed stand in the place of released ones. */
export function developmentOverrides(session: Session): Diagnostic[] {
  return warning(
    session,
    "They may behave as no released version does, and what is applied may leave a state that no released version can read.",
  );
}

/** The same, for those who run init. */
export function overridesAtInit(session: Session): Diagnostic[] {
  return warning(session, "Nothing has to be installed for them, so init is not needed for their sake.");
}

function warning(session: Session, consequence: string): Diagnostic[] {
  const { devOverrides } = sourceSettings(session).config;
  if (devOverrides.size === 0) return [];
  const lines = [...devOverrides].map(
    ([text, folder]) => ` - ${providerSourceShort(parseProviderSource(text)!)} in ${folder}\n`,
  );
  const detail = `Your settings name these folders in dev_overrides:\n${lines.join("")}\n${consequence}`;
  return [warningDiagnostic(summary, detail)];
}
