import { encodeTombstone } from "@millwright/records/tombstone";
import type { Store } from "@millwright/store/contract";
import { type CheckStatus, checkKey, nodeKey } from "../src/catalog-records.ts";
import { layout } from "../src/layout.ts";
import { tables } from "../src/tables.ts";

/** Puts a node with a passing `serfHealth` into the first generation of a store, apart from any server. */
export async function addNode(store: Store, name: string): Promise<void> {
  const node = { name, id: "", address: "127.0.0.1", taggedAddresses: null, meta: null };
  const key = layout.record(1, "node", nodeKey(name));
  await store.txn({ then: [{ op: "put", key, value: tables.node.encode(node) }] });
  await setCheck(store, name, "serfHealth", "passing");
}

/** Takes a node out, without its checks. */
export function removeNode(store: Store, name: string): Promise<void> {
  return remove(store, layout.record(1, "node", nodeKey(name)), ["node"]);
}

// As a server does: what leaves a list is told by a tombstone.
async function remove(store: Store, key: string, topics: readonly string[]): Promise<void> {
  const value = encodeTombstone({ at: Date.now(), keys: [], prefixes: [], topics });
  await store.txn({
    then: [
      { op: "delete", key },
      { op: "put", key: layout.dead(1, `l/${key}`), value },
    ],
  });
}

/** Gives a node's check a status; removes it where that is undefined. */
export async function setCheck(
  store: Store,
  node: string,
  checkId: string,
  status: CheckStatus | undefined,
): Promise<void> {
  const key = layout.record(1, "check", checkKey(node, checkId));
  if (!status) return remove(store, key, ["check"]);
  const check = {
    node,
    checkId,
    name: checkId,
    status,
    notes: "",
    output: "",
    serviceId: "",
    serviceName: "",
    serviceTags: [],
    type: "",
    interval: "",
    timeout: "",
    exposedPort: 0,
    definition: {},
  };
  await store.txn({ then: [{ op: "put", key, value: tables.check.encode(check) }] });
}
