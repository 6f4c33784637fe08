import { createHash } from "node:crypto";
import type { LockInfo } from "@millwright/engine/backend/lock-info";
import type { BusyPart, PartsHold, PartsTry, WantedParts } from "@millwright/engine/backend/parts-hold";
import { holderInfo } from "./pg-holder.ts";

/** What the parts of a state need of the connection that holds them. */
export interface PgAsking {
  readonly table: string;
  readonly place: string;
  readonly lost: AbortSignal;
  ask(
    verb: "read" | "write",
    sql: string,
    values?: readonly unknown[],
  ): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

/** A state that is shared: `id` is its row's. */
export interface PgSharing {
  readonly session: PgAsking;
  readonly workspace: string;
  readonly id: string;
  readonly info: LockInfo;
}

interface HeldPart {
  readonly part: string;
  readonly key: number;
  readonly own: boolean;
}

/**
 * A state shared by PostgreSQL's advisory locks: the row's id is held together with others, which keeps out whoever wants it
 * alone; and each part by a lock of two numbers, the state's and a hash of its name, which live apart from those of one number.
 * All end with the session, by which the state is written too: who has lost the locks can write no more.
 */
export class PgPartsHold implements PartsHold {
  readonly info: LockInfo;
  readonly lost: AbortSignal;
  readonly #sharing: PgSharing;
  #held: readonly HeldPart[] = [];

  constructor(sharing: PgSharing) {
    this.#sharing = sharing;
    this.info = sharing.info;
    this.lost = sharing.session.lost;
  }

  async hold({ changed, read }: WantedParts): Promise<PartsTry> {
    const wanted = [
      ...changed.map((part) => ({ part, key: keyOf(part), own: true })),
      ...read.map((part) => ({ part, key: keyOf(part), own: false })),
    ];
    const rows = await this.#sharing.session.ask(
      "write",
      `SELECT part, CASE WHEN own THEN pg_try_advisory_lock($1::int, key) ELSE pg_try_advisory_lock_shared($1::int, key) END AS got
       FROM unnest($2::text[], $3::int[], $4::bool[]) AS wanted (part, key, own)`,
      [this.#state, wanted.map(({ part }) => part), wanted.map(({ key }) => key), wanted.map(({ own }) => own)],
    );
    const got = new Set(rows.filter((row) => row.got === true).map(({ part }) => String(part)));
    const held = wanted.filter(({ part }) => got.has(part));
    const missing = wanted.filter(({ part }) => !got.has(part));
    if (missing.length === 0) {
      this.#held = [...this.#held, ...held];
      return { kind: "held" };
    }
    await this.#unlock(held);
    return { kind: "busy", busy: await this.#holders(missing) };
  }

  async letGo(): Promise<void> {
    await this.#unlock(this.#held);
    this.#held = [];
  }

  async replace(expected: Uint8Array, bytes: Uint8Array): Promise<boolean> {
    const { session, workspace } = this.#sharing;
    const rows = await session.ask(
      "write",
      `UPDATE ${session.table} SET data = $2 WHERE name = $1 AND data = $3 RETURNING id`,
      [workspace, Buffer.from(bytes).toString("utf8"), Buffer.from(expected).toString("utf8")],
    );
    return rows.length > 0;
  }

  async release(): Promise<void> {
    await this.letGo();
    await this.#sharing.session.ask("write", "SELECT pg_advisory_unlock_shared($1::bigint)", [this.#sharing.id]);
  }

  get #state(): number {
    return Number(BigInt.asIntN(32, BigInt(this.#sharing.id)));
  }

  async #unlock(held: readonly HeldPart[]): Promise<void> {
    if (held.length === 0) return;
    await this.#sharing.session.ask(
      "write",
      `SELECT CASE WHEN own THEN pg_advisory_unlock($1::int, key) ELSE pg_advisory_unlock_shared($1::int, key) END
       FROM unnest($2::int[], $3::bool[]) AS held (key, own)`,
      [this.#state, held.map(({ key }) => key), held.map(({ own }) => own)],
    );
  }

  async #holders(parts: readonly HeldPart[]): Promise<readonly BusyPart[]> {
    const { session, workspace } = this.#sharing;
    const rows = await session.ask(
      "read",
      `SELECT l.objid::bigint AS key, a.pid, a.usename, host(a.client_addr) AS client, a.application_name, a.backend_start
       FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
       WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.pid <> pg_backend_pid()
         AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
         AND l.classid::bigint = $1::bigint AND l.objid::bigint = ANY ($2::bigint[])`,
      [this.#state >>> 0, parts.map(({ key }) => key >>> 0)],
    );
    const byKey = new Map(rows.map((row) => [Number(row.key), row]));
    return parts.map(({ part, key }) => {
      const { holder, why } = holderInfo(byKey.get(key >>> 0), `${session.place}/${workspace}`);
      return { part, holder, ...(why === undefined ? {} : { why }) };
    });
  }
}

function keyOf(part: string): number {
  return createHash("sha256").update(part).digest().readInt32BE(0);
}
