import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import type { Chance, Clock } from "@millwright/core/ports";
import type { Provider } from "@millwright/provider/protocol";
import type { CallName } from "../wire/calls.ts";
import type { ProtocolVersion } from "../wire/schema-messages.ts";
import { toDiagnosticMessages } from "../wire/diagnostics.ts";
import { ownCertificate } from "../own-certificate.ts";
import { handshakeLine, type HostOffer, readOffer } from "./handshake.ts";
import { type PluginServer, type PluginServerOptions, startPluginServer } from "./plugin-server.ts";
import { type ProviderCalls, providerCalls } from "./provider-calls.ts";

/** What is served: something that makes a provider. */
export interface Servable {
  start(): Provider | Promise<Provider>;
}

/** What serving needs of its process. */
export interface ServeProcess {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What the host reads first goes here, and nothing else does. */
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly clock: Clock;
  readonly chance: Chance;
  /** Aborted when this program should end, as when the one that started it is gone. */
  readonly end: AbortSignal;
  /** Each request as it comes, for who compares hosts. */
  readonly onRequest?: (call: CallName, bytes: Uint8Array) => void;
}

/** Loads what is served; where it cannot be, the diagnostics say why. */
export type Load = () => Promise<Diagnosed<Servable | undefined>>;

/**
 * Serves a provider to the host that started this program (Terraform, OpenTofu, Millwright), until that asks it to end.
 * Gives the exit code. The host is answered before the provider is loaded: its first call waits, and is told what is wrong.
 * Source: github.com/hashicorp/go-plugin.
 */
export async function servePlugin(load: Load, process: ServeProcess): Promise<number> {
  const offer = readOffer(process.env);
  if (offer.kind !== "hosted") {
    process.stderr(refusal(offer));
    return 1;
  }
  const { clientCertificate = "" } = offer;
  const own = clientCertificate === "" ? undefined : ownCertificate(process.clock.now(), process.chance);
  const served = loadProvider(load);
  const shutdown = Promise.withResolvers<void>();
  const trust = own && { own: await own, clientCertificate };
  const server = await listen(process, served, {
    version: offer.version,
    onShutdown: shutdown.resolve,
    ...(trust ? { trust } : {}),
    ...(offer.socketFolder ? { socketFolder: offer.socketFolder } : {}),
  });
  const { version, asksForMultiplex: answersMultiplex } = offer;
  const certificate = trust ? { certificate: trust.own.certificate.raw } : {};
  try {
    process.stdout(handshakeLine({ version, socket: server.socket, answersMultiplex, ...certificate }));
    await Promise.race([shutdown.promise, aborted(process.end)]);
    return 0;
  } finally {
    // Also where the host is gone already, and nobody reads the line.
    await end(server, served);
  }
}

/**
 * Serves a provider to hosts that are told where it is: any number of runs, until this program is ended. What a person needs
 * to know goes to standard output. Source: the environment variable TF_REATTACH_PROVIDERS of Terraform and OpenTofu.
 */
export async function serveReattached(
  load: Load,
  about: { readonly source: string; readonly pid: number },
  process: ServeProcess,
): Promise<number> {
  const served = loadProvider(load);
  const server = await listen(process, served, { version: 6, onShutdown: () => undefined });
  const reattach = {
    [about.source]: {
      Protocol: "grpc",
      ProtocolVersion: 6,
      Pid: about.pid,
      Test: true,
      Addr: { Network: "unix", String: server.socket },
    },
  };
  process.stdout(
    `The provider runs, as ${about.source}. Where Terraform, OpenTofu or Millwright is to use it:\n\nexport TF_REATTACH_PROVIDERS='${JSON.stringify(reattach)}'\n\n^C ends it.\n`,
  );
  await aborted(process.end);
  await end(server, served);
  return 0;
}

/** The provider on its way, and its calls. */
interface Served {
  readonly provider: Promise<Provider | undefined>;
  calls(version: ProtocolVersion): Promise<ProviderCalls>;
}

function loadProvider(load: Load): Served {
  const loaded = load();
  const provider = loaded.then(({ value }) => value?.start());
  // Who calls is told of a failure; until somebody does, it is nobody's.
  provider.catch(() => undefined);
  return {
    provider,
    calls: async (version) => {
      const started = await provider;
      return started ? providerCalls(started, version) : callsOfNone((await loaded).diagnostics);
    },
  };
}

/** Where there is no provider, the first thing that a host asks is answered with the reason. */
function callsOfNone(diagnostics: readonly Diagnostic[]): ProviderCalls {
  const said = diagnostics.map(({ severity, summary, detail, subject }) => ({
    severity,
    summary,
    detail: subject ? `${subject.filename}, line ${subject.start.line}: ${detail}` : detail,
  }));
  return { getProviderSchema: async () => ({ diagnostics: toDiagnosticMessages(said) }) };
}

type ListenOptions = Pick<PluginServerOptions, "version" | "trust" | "socketFolder" | "onShutdown">;

function listen(process: ServeProcess, served: Served, options: ListenOptions): Promise<PluginServer> {
  const calls = served.calls(options.version);
  calls.catch(() => undefined);
  return startPluginServer({
    ...options,
    calls,
    clock: process.clock,
    ...(process.onRequest ? { onRequest: process.onRequest } : {}),
    onBug: (call, error) => process.stderr(`This is a bug of the provider, met in ${call}:\n${stackOf(error)}\n`),
  });
}

async function end(server: PluginServer, { provider }: Served): Promise<void> {
  const started = await provider.catch(() => undefined);
  await server.close();
  await started?.close();
}

function refusal(offer: Exclude<HostOffer, { kind: "hosted" }>): string {
  if (offer.kind === "by-hand") return byHand;
  return `This provider speaks versions 5 and 6 of the plugin protocol, and was offered ${offer.offered || "none"}. Use a newer Terraform or OpenTofu.\n`;
}

const byHand = `This program is a provider. It is not started by hand: Terraform, OpenTofu and
Millwright start it when a configuration needs it. To have it run beside them,
start it with the argument -debug.
`;

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
