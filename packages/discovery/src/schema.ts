import { nothingDerived } from "@millwright/records/row";
import type { Schema } from "@millwright/records/schema";
import { catalogTopicsBeside } from "./catalog-topics.ts";
import { type Records, tables } from "./tables.ts";

/** How the discovery server keeps its records. A key of the key-value store has an index of its own, also when it is gone. */
export const schema: Schema<Records> = {
  root: "discovery/",
  tables,
  remembered: "kv",
  topicsBeside: catalogTopicsBeside,
  derive: nothingDerived,
};
