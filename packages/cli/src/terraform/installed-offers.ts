import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { OperationalError } from "@millwright/core/errors";
import type { ProviderSource } from "@millwright/engine/addresses";
import { parseProviderSource, providerSourceText } from "@millwright/engine/addresses";
import type { ProviderOffer } from "@millwright/engine/ports";
import { pluginErrors } from "@millwright/plugin/host/errors";
import { readReattach } from "@millwright/plugin/host/reattach";
import { programIn } from "@millwright/sources/provider-folder";
import { readLocks } from "../init/folder-locks.ts";
import { sourceSettings } from "../init/source-settings.ts";
import { attachedOffer, pluginOffer } from "./plugin-offer.ts";
import { debugLog } from "./debug-log.ts";
import type { Session } from "./session.ts";

/** Providers that are programs, and which of them nobody has installed. */
export interface InstalledOffers {
  readonly offers: ReadonlyMap<string, ProviderOffer>;
  /** Those that are given from outside: being developed, or run by somebody else. No lock file holds for them. */
  readonly unmanaged: ReadonlySet<string>;
}

/**
 * The providers that are programs: those that an init has put into the folder's `.terraform/providers`, at the versions that its lock
 * file pins; above them those that somebody has started and that TF_REATTACH_PROVIDERS leads to; and above all those that the
 * user's `dev_overrides` name. By source.
 */
export function installedOffers(session: Session): Diagnosed<InstalledOffers> {
  const { io, folder } = session;
  const log = debugLog("provider", io.env, (text) => void io.stderr(text));
  const setting = { env: io.env, cwd: folder, log };
  const { installed, config } = sourceSettings(session);
  const offers = new Map<string, ProviderOffer>();
  for (const [text, { source, version }] of readLocks(folder).value) {
    const program = programIn(installed.packagePath(source, version), source);
    if (program) offers.set(text, pluginOffer({ source, version, command: [program] }, setting));
  }
  const attached = attachedOffers(io.env.TF_REATTACH_PROVIDERS);
  const diagnostics = [...attached.diagnostics];
  const developed = new Map<string, ProviderOffer>();
  for (const [text, place] of config.devOverrides) {
    const source = parseProviderSource(text)!;
    const program = programIn(place, source);
    const offer = program
      ? pluginOffer({ source, version: "0.0.0", command: [program] }, setting)
      : offerWithoutProgram(source, place);
    developed.set(text, offer);
  }
  const unmanaged = new Set([...attached.value.keys(), ...developed.keys()]);
  return { value: { offers: new Map([...offers, ...attached.value, ...developed]), unmanaged }, diagnostics };
}

function attachedOffers(text: string | undefined): Diagnosed<ReadonlyMap<string, ProviderOffer>> {
  const reattach = readReattach(text);
  if (!reattach.ok)
    return { value: new Map(), diagnostics: [errorDiagnostic("Invalid TF_REATTACH_PROVIDERS", reattach.problem)] };
  const offers = new Map<string, ProviderOffer>();
  const diagnostics: Diagnostic[] = [];
  for (const [name, target] of reattach.targets) {
    const source = parseProviderSource(name);
    if (source) offers.set(providerSourceText(source), attachedOffer(source, target));
    else
      diagnostics.push(
        errorDiagnostic("Invalid TF_REATTACH_PROVIDERS", `${JSON.stringify(name)} is no provider source.`),
      );
  }
  return { value: offers, diagnostics };
}

// The settings are those of all folders: an override that this one does not need is in nobody's way.
function offerWithoutProgram(source: ProviderSource, folder: string): ProviderOffer {
  const why = `the dev_overrides of your settings say that it is in ${folder}, and there is no program terraform-provider-${source.type} there. Build it there, or remove the line`;
  return {
    source,
    version: "0.0.0",
    origin: "installed",
    start: () => Promise.reject(new OperationalError(pluginErrors.notStarted, why)),
  };
}
