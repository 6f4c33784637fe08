import type { ProtocolVersion } from "../wire/schema-messages.ts";

/** What a program says on its first line: how to reach it, and in which version it speaks. */
export interface Handshake {
  readonly version: ProtocolVersion;
  readonly address: PluginAddress;
  /** Its certificate in DER; undefined where the connection is not encrypted. */
  readonly certificate: Uint8Array | undefined;
}

export type PluginAddress =
  | { readonly network: "unix"; readonly path: string }
  | { readonly network: "tcp"; readonly host: string; readonly port: number };

/** Why a line is no handshake: a phrase that goes on after "it". */
export interface NoHandshake {
  readonly why: string;
}

/**
 * Reads the line `CORE|VERSION|NETWORK|ADDRESS|grpc|CERTIFICATE` that a plugin program writes first.
 * Source: go-plugin's client and server.
 */
export function readHandshake(line: string): Handshake | NoHandshake {
  const [core, version, network, address, protocol, certificate] = line.trim().split("|");
  if (address === undefined) {
    const shown = line.trim().slice(0, 200);
    return { why: `wrote ${JSON.stringify(shown)} first, which is not how a provider begins` };
  }
  if (core !== "1") return { why: `speaks version ${core} of the plugin system, and this program version 1` };
  if (version !== "5" && version !== "6")
    return { why: `speaks version ${version} of the provider protocol, and this program versions 5 and 6` };
  if (protocol !== "grpc")
    return {
      why: `wants to be called by ${protocol || "net/rpc"}, as providers before protocol 5; a newer one is needed`,
    };
  const place = readAddress(network ?? "", address);
  if (!place) return { why: `listens at ${network} ${address}, which is no address this program can reach` };
  return {
    version: version === "5" ? 5 : 6,
    address: place,
    // Shorter than this there is no certificate: some servers put a word there.
    certificate: certificate && certificate.length > 50 ? Buffer.from(certificate, "base64") : undefined,
  };
}

/** A place in the words of Go: `unix` and a path, or `tcp` and `HOST:PORT`. */
export function readAddress(network: string, text: string): PluginAddress | undefined {
  if (network === "unix") return text === "" ? undefined : { network, path: text };
  if (network !== "tcp") return undefined;
  const found = /^\[?([^\]]*?)\]?:(\d{1,5})$/.exec(text);
  return found ? { network, host: found[1] || "127.0.0.1", port: Number(found[2]) } : undefined;
}

/** The address as gRPC wants it. */
export function grpcTarget(address: PluginAddress): string {
  if (address.network === "unix") return `unix:${address.path}`;
  return address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
