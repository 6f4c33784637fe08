import { readdirSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { systemClock } from "@millwright/core/ports";
import { parseProviderSource, providerSourceText } from "@millwright/engine/addresses";
import { readLockFile } from "@millwright/engine/lock-file";
import { filesBelow } from "@millwright/engine/node-files";
import type { ProviderOffer } from "@millwright/engine/ports";
import { readReattach } from "@millwright/plugin/host/reattach";
import { attachedOffer, pluginOffer } from "./plugin-offer.ts";
import { providerLog } from "./provider-log.ts";
import type { Session } from "./session.ts";

/**
 * The providers that are programs: those that an init has put into the folder's `.terraform/providers`, at the versions that its lock
 * file pins, and above them those that somebody has started and that TF_REATTACH_PROVIDERS leads to. By source.
 */
export function installedOffers(session: Session): Diagnosed<ReadonlyMap<string, ProviderOffer>> {
  const { io, folder } = session;
  const log = providerLog(
    io.env,
    (text) => void io.stderr(text),
    () => new Date(systemClock.now()),
  );
  const offers = new Map<string, ProviderOffer>();
  for (const { source, version } of readLockFile(filesBelow(folder)).value) {
    const program = programOf(session, providerSourceText(source), version, source.type);
    if (!program) continue;
    const setting = { env: io.env, cwd: folder, log };
    offers.set(providerSourceText(source), pluginOffer({ source, version, command: [program] }, setting));
  }
  const diagnostics: Diagnostic[] = [];
  const reattach = readReattach(io.env.TF_REATTACH_PROVIDERS);
  if (!reattach.ok) diagnostics.push(errorDiagnostic("Invalid TF_REATTACH_PROVIDERS", reattach.problem));
  for (const [text, target] of reattach.ok ? reattach.targets : []) {
    const source = parseProviderSource(text);
    if (source) offers.set(providerSourceText(source), attachedOffer(source, target));
    else
      diagnostics.push(
        errorDiagnostic("Invalid TF_REATTACH_PROVIDERS", `${JSON.stringify(text)} is no provider source.`),
      );
  }
  return { value: offers, diagnostics };
}

function programOf({ folder, io }: Session, source: string, version: string, type: string): string | undefined {
  const data = io.env.TF_DATA_DIR || ".terraform";
  const root = isAbsolute(data) ? data : join(folder, data);
  const place = join(root, "providers", source, version, `${process.platform}_${goArchitecture()}`);
  const isProgram = (name: string) => new RegExp(`^terraform-provider-${type}([_.]|$)`).test(name);
  const name = namesIn(place).find(isProgram);
  return name === undefined ? undefined : join(place, name);
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function goArchitecture(): string {
  return process.arch === "x64" ? "amd64" : process.arch;
}
