import { folded, joined, jsonTable } from "@millwright/records/table";

/** Which node a token stands for; the record's key is the token's SHA-256 in hex. */
export interface NodeTokenRecord {
  readonly node: string;
  readonly nodeId: string;
}

export const nodeTokenTable = jsonTable<NodeTokenRecord>({
  fields: { node: true, nodeId: true },
  watched: false,
  lists: ({ node }) => [tokensOf(node)],
});

/** The list of a node's tokens. */
export function tokensOf(node: string): string {
  return joined("of", folded(node));
}

/** That a node is alive, for as long as the lease under its record lasts; the record's key is the node's folded name. */
export interface LiveRecord {
  readonly node: string;
  readonly nodeId: string;
  /** The lease, so that any server can renew it. */
  readonly lease: string;
}

export const liveTable = jsonTable<LiveRecord>({
  fields: { node: true, nodeId: true, lease: true },
  leased: true,
  lists: () => [],
});

/** Since when a node is not alive, in milliseconds since 1970; the record's key is the node's folded name. */
export interface DownRecord {
  readonly since: number;
}

export const downTable = jsonTable<DownRecord>({ fields: { since: true }, watched: false, lists: () => [] });
