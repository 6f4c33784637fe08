/** Numbers of record types that are answered or told apart (RFC 1035, 3596, 2782, 6891, 1995). */
export const recordTypes = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  IXFR: 251,
  AXFR: 252,
  ANY: 255,
} as const;

export const recordClasses = { IN: 1, ANY: 255 } as const;

/** How an answer ends. `badVersion` takes more than the header's four bits, the rest goes into OPT (RFC 6891). */
export const rcodes = {
  noError: 0,
  formatError: 1,
  serverFailure: 2,
  nameError: 3,
  notImplemented: 4,
  refused: 5,
  badVersion: 16,
} as const;

export type Rcode = (typeof rcodes)[keyof typeof rcodes];

/** A domain name with dots between its labels and none at its end; empty for the root. */
export type DomainName = string;

/** One record of an answer, in class IN. `ttl` in seconds. */
export interface DnsRecord {
  readonly name: DomainName;
  readonly ttl: number;
  readonly data: RecordData;
}

export type RecordData =
  /** 4 bytes. */
  | { readonly type: "A"; readonly bytes: Uint8Array }
  /** 16 bytes. */
  | { readonly type: "AAAA"; readonly bytes: Uint8Array }
  | { readonly type: "CNAME" | "NS" | "PTR"; readonly target: DomainName }
  | SrvData
  | { readonly type: "TXT"; readonly text: string }
  | SoaData;

export interface SrvData {
  readonly type: "SRV";
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: DomainName;
}

export interface SoaData {
  readonly type: "SOA";
  readonly primary: DomainName;
  readonly mailbox: DomainName;
  readonly serial: number;
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  /** Seconds that an answer without records may be kept. */
  readonly minimum: number;
}

/** Whether a name can be written: labels of 1 to 63 bytes, 255 bytes in all. */
export function isWritable(name: DomainName): boolean {
  if (Buffer.byteLength(name) > 253) return false;
  return name.split(".").every((label) => label !== "" && Buffer.byteLength(label) <= 63);
}
