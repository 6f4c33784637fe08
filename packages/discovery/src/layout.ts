import { Layout } from "@millwright/records/layout";
import { schema } from "./schema.ts";

/**
 * Where the discovery server keeps what in its store: below `discovery/`, as every schema's records stand. The leases named
 * `leader` are `sessions` (who ends sessions) and `nodes` (who says which nodes are not alive).
 */
export const layout = new Layout(schema);
