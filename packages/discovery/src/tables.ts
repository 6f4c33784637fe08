import type { Row as RowOf } from "@millwright/records/row";
import type { Table } from "@millwright/records/table";
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

export type Row<N extends TableName> = RowOf<Records, N>;

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
