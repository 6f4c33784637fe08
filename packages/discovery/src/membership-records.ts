import { folded, jsonTable } from "./table.ts";

/** Which node a token stands for; the record's key is the token's SHA-256 in hex. */
export interface NodeTokenRecord {
  readonly node: string;
  readonly nodeId: string;
}

export const nodeTokenTable = jsonTable<NodeTokenRecord>({
  fields: { node: true, nodeId: true },
  watched: false,
  lists: ({ node }) => [`node/${folded(node)}`],
});

/** That a node is alive, for as long as the lease under its record lasts; the record's key is the node's folded name. */
export interface LiveRecord {
  readonly node: string;
  readonly nodeId: string;
}

export const liveTable = jsonTable<LiveRecord>({
  fields: { node: true, nodeId: true },
  leased: true,
  lists: () => [],
});
