/**
 * What a host puts into the environment of a program that it starts as a provider, and what the program answers on the first
 * line of its standard output. Source: github.com/hashicorp/go-plugin, and the magic cookie that Terraform and OpenTofu share.
 */
export type HostOffer =
  /** Nobody who knows the protocol has started this program. */
  | { readonly kind: "by-hand" }
  | { readonly kind: "no-common-version"; readonly offered: string }
  | {
      readonly kind: "hosted";
      readonly version: PluginVersion;
      /** The host's certificate, in PEM; without one the connection is not encrypted. */
      readonly clientCertificate?: string;
      readonly socketFolder?: string;
      /** Whether the host knows of several connections over one; it is told that this side does not. */
      readonly asksForMultiplex: boolean;
    };

export type PluginVersion = 5 | 6;

/** What each version calls its service. */
export const serviceNames = { 5: "tfplugin5.Provider", 6: "tfplugin6.Provider" } as const;

const cookie = {
  name: "TF_PLUGIN_MAGIC_COOKIE",
  value: "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
};

export function readOffer(env: Readonly<Record<string, string | undefined>>): HostOffer {
  if (env[cookie.name] !== cookie.value) return { kind: "by-hand" };
  const offered = env.PLUGIN_PROTOCOL_VERSIONS ?? "";
  const versions = offered.split(",").map((text) => text.trim());
  const version = versions.includes("6") ? 6 : versions.includes("5") ? 5 : undefined;
  if (version === undefined) return { kind: "no-common-version", offered };
  const { PLUGIN_CLIENT_CERT: clientCertificate, PLUGIN_UNIX_SOCKET_DIR: socketFolder } = env;
  return {
    kind: "hosted",
    version,
    ...(clientCertificate ? { clientCertificate } : {}),
    ...(socketFolder ? { socketFolder } : {}),
    asksForMultiplex: env.PLUGIN_MULTIPLEX_GRPC !== undefined && env.PLUGIN_MULTIPLEX_GRPC !== "",
  };
}

export interface HandshakeAnswer {
  readonly version: PluginVersion;
  /** The path of the Unix socket. */
  readonly socket: string;
  /** This side's certificate, in DER. */
  readonly certificate?: Uint8Array;
  readonly answersMultiplex: boolean;
}

/** The line that tells the host where to connect; with the line feed. */
export function handshakeLine({ version, socket, certificate, answersMultiplex }: HandshakeAnswer): string {
  // The host reads base64 without padding.
  const encoded = certificate ? Buffer.from(certificate).toString("base64").replace(/=+$/, "") : "";
  const fields = [coreVersion, version, "unix", socket, "grpc", encoded];
  return `${[...fields, ...(answersMultiplex ? ["false"] : [])].join("|")}\n`;
}

/** Of go-plugin's handshake itself. */
const coreVersion = 1;
