/** What this server says of itself. */
export interface NodeIdentity {
  readonly datacenter: string;
  readonly nodeName: string;
  /** A UUID that stays with the data folder. */
  readonly nodeId: string;
  /** Under which others reach it; an IP address. */
  readonly address: string;
  readonly serverPort: number;
  /** Of this program. */
  readonly version: string;
}
