import {
  type CheckRecord,
  checkTable,
  type NodeRecord,
  nodeTable,
  type ServiceRecord,
  serviceTable,
} from "./catalog-records.ts";
import { type EventRecord, eventTable } from "./event-records.ts";
import { decodeRecord, encodeRecord, type KvRecord } from "./kv-record.ts";
import {
  type DownRecord,
  downTable,
  type LiveRecord,
  liveTable,
  type NodeTokenRecord,
  nodeTokenTable,
} from "./membership-records.ts";
import {
  type DelayRecord,
  delayTable,
  type LifeRecord,
  lifeTable,
  type LockRecord,
  lockTable,
  type SessionRecord,
  sessionTable,
} from "./session-records.ts";
import type { Table } from "./table.ts";

/** What the server keeps, table by table: one record is one key of the store. */
export interface Records {
  readonly kv: KvRecord;
  readonly node: NodeRecord;
  readonly service: ServiceRecord;
  readonly check: CheckRecord;
  readonly nodetoken: NodeTokenRecord;
  readonly live: LiveRecord;
  readonly down: DownRecord;
  readonly session: SessionRecord;
  readonly life: LifeRecord;
  readonly lock: LockRecord;
  readonly delay: DelayRecord;
  readonly event: EventRecord;
}

export type TableName = keyof Records;

/** A record as the state holds it; `created` and `modified` are revisions of the store. Never changed in place. */
export type Row<N extends TableName> = Records[N] & {
  readonly key: string;
  readonly created: number;
  readonly modified: number;
};

/** Every table. To add one: its record above, its row here. State, archives, tombstones and sweeps then know it. */
export const tables: { readonly [N in TableName]: Table<Records[N]> } = {
  kv: { encode: encodeRecord, decode: decodeRecord, leased: false, watched: true, lists: () => [] },
  node: nodeTable,
  service: serviceTable,
  check: checkTable,
  nodetoken: nodeTokenTable,
  live: liveTable,
  down: downTable,
  session: sessionTable,
  life: lifeTable,
  lock: lockTable,
  delay: delayTable,
  event: eventTable,
};

export const tableNames = Object.keys(tables) as readonly TableName[];

export function isTableName(text: string): text is TableName {
  return Object.hasOwn(tables, text);
}
