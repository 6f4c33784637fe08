import type { Rows } from "@millwright/records/rows";
import { folded, joined, topicOf } from "@millwright/records/table";
import { checkLists, nodeLists, serviceKey, serviceLists } from "./catalog-records.ts";
import type { Records } from "./tables.ts";

/** What queries of the catalog wait for, beside the lists of single tables. */
export const catalogTopics = {
  /** A node and the services on it. */
  node: (node: string) => joined("catalog", "node", folded(node)),
  /** The instances of a service and their nodes. */
  service: (service: string) => joined("catalog", "service", folded(service)),
  /** The instances of a service, their nodes, and the checks of both. */
  health: (service: string) => joined("catalog", "health", folded(service)),
} as const;

/**
 * The topics that rise with this one, by what the rows are like now: what joins several tables depends on which services
 * are on which node.
 */
export function catalogTopicsBeside(topic: string, rows: Rows<Records>): readonly string[] {
  const [table, list, first = "", second = ""] = topic.split("/").map(unescaped);
  switch (`${table}/${list}`) {
    case nodeOfName:
      return [
        catalogTopics.node(first),
        ...servicesOn(first, rows).flatMap((name) => [catalogTopics.service(name), catalogTopics.health(name)]),
      ];
    case serviceOf:
      return [catalogTopics.service(first), catalogTopics.health(first)];
    case serviceOn:
      return [catalogTopics.node(first)];
    case checkGeneral:
      return servicesOn(first, rows).map(catalogTopics.health);
    case checkInstance: {
      const instance = rows.get("service", serviceKey(first, second));
      return instance ? [catalogTopics.health(instance.name)] : [];
    }
    default:
      return [];
  }
}

const nodeOfName = kindOf("node", nodeLists.name(""));
const serviceOf = kindOf("service", serviceLists.of(""));
const serviceOn = kindOf("service", serviceLists.on(""));
const checkGeneral = kindOf("check", checkLists.general(""));
const checkInstance = kindOf("check", checkLists.instance("", ""));

function kindOf(table: string, list: string): string {
  return topicOf(table, list).split("/").slice(0, 2).join("/");
}

function servicesOn(node: string, rows: Rows<Records>): string[] {
  const names = new Set<string>();
  for (const { name } of rows.list("service", serviceLists.on(node))) names.add(folded(name));
  return [...names];
}

function unescaped(name: string): string {
  return name.replaceAll("%2F", "/").replaceAll("%25", "%");
}
