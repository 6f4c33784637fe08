import type { FlagTable } from "./flags.ts";

/** How a client of a server over TLS is told what to trust and to show, where the environment says it by `prefix` as well. */
export function tlsFlags(prefix: "NOMAD" | "VAULT") {
  return {
    "ca-cert": { kind: "string", value: "FILE", help: `A CA certificate to trust. Also ${prefix}_CACERT.` },
    "ca-path": {
      kind: "string",
      value: "FOLDER",
      help: `A folder of CA certificates to trust. Also ${prefix}_CAPATH.`,
    },
    "client-cert": { kind: "string", value: "FILE", help: `The certificate to show. Also ${prefix}_CLIENT_CERT.` },
    "client-key": { kind: "string", value: "FILE", help: `The key of that certificate. Also ${prefix}_CLIENT_KEY.` },
    "tls-server-name": {
      kind: "string",
      value: "NAME",
      help: `The name the server's certificate is for. Also ${prefix}_TLS_SERVER_NAME.`,
    },
    "tls-skip-verify": { kind: "bool", help: `Trust any certificate. Also ${prefix}_SKIP_VERIFY.` },
  } as const satisfies FlagTable;
}
