import type { Diagnostic } from "@millwright/core/diagnostics";
import { systemChance } from "@millwright/core/ports";
import { parseProviderSource, providerSourceText } from "@millwright/engine/addresses";
import type { Plan } from "@millwright/engine/plan";
import type { ProviderOffer, ProviderRegistry } from "@millwright/engine/ports";
import { builtinProviders } from "@millwright/providers/registry";
import { folderProviders } from "./folder-providers.ts";
import { installedOffers } from "./installed-offers.ts";
import type { Session } from "./session.ts";

/** The providers that are part of the program, loaded when they are first used. */
export function builtinRegistry(): ProviderRegistry {
  return registry(builtinOffers());
}

/** Which provider serves what in a session, and what is wrong with those that the folder brings. */
export interface SessionProviders {
  readonly registry: ProviderRegistry;
  /** Sources of which the folder neither installs nor locks anything: they are given from outside. */
  readonly unmanaged: ReadonlySet<string>;
  readonly diagnostics: readonly Diagnostic[];
}

/** The providers of a session: those written in its folder, those installed for it, and those built in. They are looked for once. */
export function providersOf(session: Session): Promise<SessionProviders> {
  const known = bySession.get(session);
  if (known) return known;
  const found = findProviders(session);
  bySession.set(session, found);
  return found;
}

const bySession = new WeakMap<Session, Promise<SessionProviders>>();

async function findProviders(session: Session): Promise<SessionProviders> {
  const written = await folderProviders(session.folder);
  const installed = installedOffers(session);
  return {
    registry: registry(
      new Map([...builtinOffers(), ...remoteStateOffer(session), ...installed.value.offers, ...written.value]),
    ),
    unmanaged: installed.value.unmanaged,
    diagnostics: [...written.diagnostics, ...installed.diagnostics],
  };
}

/** Terraform's own provider, which reads the states of other configurations from wherever they are kept. */
function remoteStateOffer(session: Session): [string, ProviderOffer][] {
  const known = builtinOffers().get(terraformSource);
  if (!known) return [];
  const start = async () => {
    const [{ terraformProvider }, { remoteStatesOf }] = await Promise.all([
      import("@millwright/providers/terraform"),
      import("./backend/remote-states.ts"),
    ]);
    return terraformProvider(systemChance, remoteStatesOf(session)).start();
  };
  return [[terraformSource, { ...known, start }]];
}

const terraformSource = "terraform.io/builtin/terraform";

function builtinOffers(): ReadonlyMap<string, ProviderOffer> {
  const offers = new Map<string, ProviderOffer>();
  for (const { address, version, load } of builtinProviders) {
    const source = parseProviderSource(address);
    if (source) offers.set(address, { source, version, origin: "built-in", start: load });
  }
  return offers;
}

function registry(offers: ReadonlyMap<string, ProviderOffer>): ProviderRegistry {
  return {
    find: (source) => offers.get(providerSourceText(source)),
    known: () => [...offers.values()].map((offer) => offer.source),
  };
}

/** The versions of the providers that a plan has something of, by source. */
export function providerVersions(plan: Plan, registry: ProviderRegistry): ReadonlyMap<string, string> {
  const versions = new Map<string, string>();
  for (const { provider } of plan.changes) {
    const offer = registry.find(provider.source);
    if (offer) versions.set(providerSourceText(provider.source), offer.version);
  }
  return versions;
}
