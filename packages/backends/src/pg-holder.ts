import type { LockInfo } from "@millwright/engine/backend/lock-info";

/** Who holds an advisory lock: a session of ours says so by its name; of another its process id is known. */
export interface PgHolder {
  readonly holder: LockInfo | undefined;
  readonly why?: string;
  readonly session?: { readonly pid: number; readonly info: LockInfo | undefined };
}

/** The name that a session goes by while it holds a state: at most 63 bytes, which PostgreSQL keeps. */
export function sessionName({ ID, Operation }: LockInfo): string {
  return `millwright ${ID} ${Operation.replace(/^OperationType/, "")}`.slice(0, 63);
}

/** Reads a row of `pg_stat_activity`. */
export function holderInfo(row: Readonly<Record<string, unknown>> | undefined, path: string): PgHolder {
  if (!row) return { holder: undefined, why: "a session of PostgreSQL that has just ended" };
  const pid = Number(row.pid);
  const started = row.backend_start instanceof Date ? row.backend_start.toISOString() : "";
  const from = `${row.usename}@${row.client ?? "this machine"}`;
  const match = /^millwright (\S+) ?(.*)$/.exec(String(row.application_name));
  const info: LockInfo | undefined = match
    ? {
        ID: match[1]!,
        Operation: /^[A-Z]/.test(match[2]!) ? `OperationType${match[2]}` : match[2]!,
        Info: `PostgreSQL session ${pid}`,
        Who: from,
        Version: "",
        Created: started,
        Path: path,
      }
    : undefined;
  const why = `a session of PostgreSQL (process ${pid}, ${from}, since ${started}), most likely Terraform's; to end it: force-unlock ${pid}`;
  return { holder: info, why, session: { pid, info } };
}
