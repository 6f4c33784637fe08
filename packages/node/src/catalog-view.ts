import type { CatalogNode, NodeService } from "@millwright/clients/consul-catalog";
import type { HealthCheck } from "@millwright/clients/consul-health";

/** What the catalog has of this node. */
export interface CatalogView {
  /** Undefined where it does not know the node. */
  readonly node: CatalogNode | undefined;
  readonly services: readonly NodeService[];
  readonly checks: readonly HealthCheck[];
}
