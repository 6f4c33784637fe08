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

/** The version of Consul whose API is followed: what clients read to decide what they may ask for. */
export const consulVersion = "1.16.4";
