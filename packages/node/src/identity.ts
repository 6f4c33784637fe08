/** Who a node is. */
export interface NodeIdentity {
  readonly name: string;
  /** A UUID that stays with the data folder. */
  readonly id: string;
  readonly datacenter: string;
  /** Under which others reach this node; an IP address. */
  readonly address: string;
  /** Of this program. */
  readonly version: string;
  readonly meta?: Readonly<Record<string, string>>;
  /** Whether it is a server's own node. */
  readonly server: boolean;
  readonly httpPort?: number | undefined;
  readonly dnsPort?: number | undefined;
}
