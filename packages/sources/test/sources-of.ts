import { type CliConfig, emptyCliConfig } from "../src/cli-config.ts";
import { Credentials } from "../src/credentials.ts";
import { ServiceDiscovery } from "../src/discovery.ts";
import { SourceHttp } from "../src/http.ts";
import type { FakeRegistry } from "./fake-registry.ts";

/** What asks a fake registry, as a user with these settings would. */
export function sourcesOf(
  registry: FakeRegistry,
  config: Partial<CliConfig> = {},
  env: Readonly<Record<string, string>> = {},
): { readonly http: SourceHttp; readonly discovery: ServiceDiscovery } {
  const settings = { ...emptyCliConfig, ...config };
  const around = { HOME: "/nonexistent", TF_REGISTRY_DISCOVERY_RETRY: "0", ...env };
  const authorities = [registry.certificate];
  const http = new SourceHttp({ env: around, signal: new AbortController().signal, authorities });
  const discovery = new ServiceDiscovery(http, new Credentials(around, settings), settings.hosts);
  return { http, discovery };
}
