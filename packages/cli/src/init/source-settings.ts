import type { Diagnostic } from "@millwright/core/diagnostics";
import { type CliConfig, readCliConfig } from "@millwright/sources/cli-config";
import { Credentials } from "@millwright/sources/credentials";
import { ServiceDiscovery } from "@millwright/sources/discovery";
import { SourceHttp } from "@millwright/sources/http";
import { dataFolder, ProviderFolder } from "@millwright/sources/provider-folder";
import type { ProviderOrigin } from "@millwright/sources/provider-origin";
import type { Session } from "../terraform/session.ts";

/** Where a session's providers and modules come from, as its user has set it. */
export interface SourceSettings {
  readonly config: CliConfig;
  /** What is wrong with the user's settings. */
  readonly diagnostics: readonly Diagnostic[];
  readonly credentials: Credentials;
  readonly discovery: ServiceDiscovery;
  readonly http: SourceHttp;
  /** The folder's `.terraform`. Absolute. */
  readonly data: string;
  /** What is installed of providers for the folder. */
  readonly installed: ProviderFolder;
  /** Where providers are looked for. Made when asked, since local mirrors are looked through. */
  origin(): Promise<ProviderOrigin>;
}

/** The settings of a session, read once. */
export function sourceSettings(session: Session): SourceSettings {
  const known = bySession.get(session);
  if (known) return known;
  const settings = readSettings(session);
  bySession.set(session, settings);
  return settings;
}

const bySession = new WeakMap<Session, SourceSettings>();

function readSettings({ io, folder, log }: Session): SourceSettings {
  const { env, signal } = io;
  const { value: config, diagnostics } = readCliConfig(env, io.cwd);
  const credentials = new Credentials(env, config);
  const http = new SourceHttp({ env, signal, log });
  const discovery = new ServiceDiscovery(http, credentials, config.hosts);
  const data = dataFolder(folder, env);
  return {
    config,
    diagnostics,
    credentials,
    discovery,
    http,
    data,
    installed: new ProviderFolder(`${data}/providers`),
    origin: async () => {
      const { chosenOrigin } = await import("@millwright/sources/chosen-origin");
      return chosenOrigin(config, discovery, { env, folder });
    },
  };
}
