import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { invariant } from "@millwright/core/errors";
import pg from "pg";
import type { EngineReply, HeldLease } from "../src/engine.ts";
import type { OpenedEngine } from "./open-engine.ts";
import type { PostgresServer } from "./postgres-server.ts";

/** A login as a holder has it, with the lease that it hangs on. */
export interface LeasedLogin {
  readonly username: string;
  readonly password: string;
  readonly lease: HeldLease;
  readonly expires: number;
}

/** Reads credentials, as the server does: the lease first, then the login. */
export async function lend(database: OpenedEngine, path: string): Promise<LeasedLogin> {
  const reply = await database.call("read", path);
  invariant(reply.kind === "lease", `a lease was expected, and there came ${JSON.stringify(reply)}`);
  const { internal, ttl } = reply.grant;
  const expires = database.time.now + (ttl || 3_600) * 1_000;
  const { username, password } = await reply.make(expires);
  return {
    username: String(username),
    password: String(password),
    lease: { id: `${path}/1`, path, internal: JSON.parse(JSON.stringify(internal)) },
    expires,
  };
}

/** What was leased without the login ever having been made. */
export function leaseOf(reply: EngineReply): HeldLease {
  invariant(reply.kind === "lease", "a lease was expected");
  return { id: "creds/x/1", path: "creds/x", internal: reply.grant.internal };
}

/** Runs SQL as a login. Rejects with PostgreSQL's own words. */
export async function as(
  server: PostgresServer,
  { username, password }: Pick<LeasedLogin, "username" | "password">,
  sql: string,
): Promise<readonly Record<string, unknown>[]> {
  const { host, port, database } = server;
  const client = new pg.Client({ host, port, database, user: username, password });
  await client.connect();
  try {
    const { rows } = await client.query(sql);
    return rows;
  } finally {
    await client.end();
  }
}

/** Runs psql's own client as a login; resolves to what it prints. */
export async function psql(
  server: PostgresServer,
  { username, password }: Pick<LeasedLogin, "username" | "password">,
  command: string,
): Promise<string> {
  const { host, port, database } = server;
  const args = [
    "--no-psqlrc",
    "-h",
    host,
    "-p",
    String(port),
    "-U",
    username,
    "-d",
    database,
    "-v",
    "ON_ERROR_STOP=1",
    "-c",
    command,
  ];
  const env = { PATH: process.env["PATH"], PGPASSWORD: password, LC_ALL: "C", TZ: "UTC" };
  const { stdout } = await promisify(execFile)("psql", args, { env });
  return stdout;
}

export async function roleNames(server: PostgresServer): Promise<readonly string[]> {
  const rows = await server.adminSql("SELECT rolname FROM pg_roles WHERE rolname LIKE 'v-%' ORDER BY 1");
  return rows.map((row) => String(row["rolname"]));
}
