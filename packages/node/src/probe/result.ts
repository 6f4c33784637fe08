import type { CheckStatus } from "../check-definition.ts";

/** What a probe found out. */
export interface ProbeResult {
  readonly status: CheckStatus;
  readonly output: string;
}

/** What every probe may use. */
export interface ProbeContext {
  /** Ends the probe; its result is then not looked at. */
  readonly signal: AbortSignal;
  /** Bytes of output that are kept. */
  readonly outputMaxSize: number;
}

/** Why a connection did not come about, in words that people know from Consul. */
export function connectionFault(error: NodeJS.ErrnoException, address: string): string {
  const why = connectionFaults[error.code ?? ""];
  return why === undefined ? error.message : `dial tcp ${address}: ${why}`;
}

const connectionFaults: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connect: connection refused",
  ECONNRESET: "read: connection reset by peer",
  EHOSTUNREACH: "connect: no route to host",
  ENETUNREACH: "connect: network is unreachable",
  ENOTFOUND: "lookup: no such host",
  EAI_AGAIN: "lookup: temporary failure in name resolution",
  ETIMEDOUT: "i/o timeout",
};
