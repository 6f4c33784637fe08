import type { ChildProcess } from "node:child_process";
import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chownSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import pg from "pg";
import type { Origin, PostgresPrograms } from "./postgres-programs.ts";
import { findPostgres, type ServerUser, unprivilegedUser } from "./postgres-programs.ts";

/** A real PostgreSQL on a free loopback port, its data in a temporary folder. It ends when this process does. */
export interface PostgresServer {
  readonly host: string;
  readonly port: number;
  /** The superuser, and its password for TCP (SCRAM). */
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** `postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=disable`. */
  readonly url: string;
  /** Where `postgres` and `initdb` lie. */
  readonly binFolder: string;
  /** Runs SQL as the superuser in `database`, several statements with `;` too; resolves to the last one's rows. */
  adminSql(sql: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** What the server has written to its log. */
  readLog(): string;
  /** Ends it at once, as a power cut would; its data stays. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data. */
  start(): Promise<void>;
  /** Ends it and deletes its data. */
  stop(): Promise<void>;
}

export interface PostgresOptions {
  /** A database to be made beside `postgres`; that one where there is none. */
  readonly database?: string;
  /** Only the machine's programs, or only those of the npm package; the machine's where there are any by default. */
  readonly origin?: Origin;
  /** Lines of postgresql.conf, which hold over ours: `{ log_statement: "all" }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

const host = "127.0.0.1";
const superuser = "postgres";

/** Starts one. Throws, naming the package to install, where there is no PostgreSQL to start. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), "millwright-postgres-"));
  const account = unprivilegedUser();
  if (account) chownSync(folder, account.uid, account.gid);
  try {
    const programs = findPostgres({ folder, ...(options.origin && { origin: options.origin }), account });
    const place: Place = {
      folder,
      programs,
      port: await freePort(),
      password: randomBytes(12).toString("hex"),
      database: options.database ?? "postgres",
      settings: options.settings ?? {},
      ...(account && { account }),
    };
    await initialize(place);
    const server = serverAt(place);
    await server.start();
    if (place.database !== "postgres") await query(place, "postgres", `CREATE DATABASE "${place.database}"`);
    return server;
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

interface Place {
  readonly folder: string;
  readonly programs: PostgresPrograms;
  readonly account?: ServerUser;
  readonly port: number;
  readonly password: string;
  readonly database: string;
  readonly settings: Readonly<Record<string, string>>;
}

async function initialize({ folder, programs, account, password }: Place): Promise<void> {
  const passwordFile = join(folder, "password");
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (account) chownSync(passwordFile, account.uid, account.gid);
  const args = [
    ...["--pgdata", join(folder, "data"), "--username", superuser, "--pwfile", passwordFile],
    ...["--auth", "scram-sha-256", "--encoding", "UTF8", "--no-locale", "--no-sync"],
  ];
  await promisify(execFile)(join(programs.binFolder, "initdb"), args, { env: programs.env, cwd: folder, ...account });
  rmSync(passwordFile);
}

function serverAt(place: Place): PostgresServer {
  const { folder, programs, port, password, database } = place;
  const logFile = join(folder, "server.log");
  const warden = startWarden(folder);
  let running: ChildProcess | undefined;
  const kill = async () => {
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    running.ref(); // Whoever waits for its end is to see it.
    running.kill("SIGQUIT");
    await once(running, "exit");
    warden.stdin?.write("0\n");
  };
  return {
    ...{ host, port, user: superuser, password, database },
    url: `postgresql://${superuser}:${password}@${host}:${port}/${database}?sslmode=disable`,
    binFolder: programs.binFolder,
    adminSql: (sql) => query(place, database, sql),
    readLog: () => readFileSync(logFile, "utf8"),
    kill,
    start: async () => {
      running = startServer(place, logFile);
      warden.stdin?.write(`${running.pid}\n`);
      try {
        await accepting(place, running, logFile);
      } catch (error) {
        await kill();
        throw error;
      }
    },
    stop: async () => {
      await kill();
      warden.ref();
      warden.stdin?.end();
      if (warden.exitCode === null) await once(warden, "exit");
    },
  };
}

function startServer(place: Place, logFile: string): ChildProcess {
  const { folder, programs, account, port } = place;
  const settings = {
    listen_addresses: host,
    port: String(port),
    unix_socket_directories: "",
    fsync: "off",
    max_connections: "60",
    shared_buffers: "16MB",
    ...place.settings,
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const log = openSync(logFile, "a", 0o600);
  const started = spawn(join(programs.binFolder, "postgres"), ["-D", join(folder, "data"), ...flags], {
    stdio: ["ignore", log, log],
    env: programs.env,
    cwd: folder,
    detached: true,
    ...account,
  });
  closeSync(log);
  started.unref();
  return started;
}

/**
 * A shell that outlives this process only to tidy up after it: it reads the server's process id from a pipe (0 for none),
 * and at the pipe's end, which the kernel brings about whatever this process dies of, ends the server and deletes the folder.
 */
function startWarden(folder: string): ChildProcess {
  const script = `
    while read -r line; do pid=$line; done
    if [ "\${pid:-0}" != 0 ]; then
      kill -QUIT "$pid" 2>/dev/null
      tries=0
      while kill -0 "$pid" 2>/dev/null && [ $tries -lt 100 ]; do sleep 0.05; tries=$((tries + 1)); done
    fi
    rm -rf -- "$1"`;
  const warden = spawn("/bin/sh", ["-c", script, "sh", folder], {
    stdio: ["pipe", "ignore", "ignore"],
    cwd: "/",
    detached: true,
  });
  warden.unref();
  const pipe = warden.stdin;
  if (pipe && "unref" in pipe && typeof pipe.unref === "function") pipe.unref();
  return warden;
}

async function accepting(place: Place, running: ChildProcess, logFile: string): Promise<void> {
  let last = "";
  for (const end = Date.now() + 30_000; Date.now() < end; await pause(20)) {
    if (running.exitCode !== null || running.signalCode !== null) break;
    const failure = await query(place, "postgres", "SELECT 1").then(
      () => undefined,
      (error: unknown) => String(error),
    );
    if (failure === undefined) return;
    last = failure;
  }
  throw new Error(`PostgreSQL did not start (${last}): ${readFileSync(logFile, "utf8").slice(-2_000)}`);
}

async function query(place: Place, database: string, sql: string) {
  const { port, password } = place;
  const client = new pg.Client({ host, port, user: superuser, password, database });
  client.on("error", () => undefined); // An end of the connection is told by the query itself.
  await client.connect();
  try {
    const result: unknown = await client.query(sql);
    return rowsOf(Array.isArray(result) ? result.at(-1) : result);
  } finally {
    await client.end();
  }
}

function rowsOf(result: unknown): readonly Readonly<Record<string, unknown>>[] {
  return typeof result === "object" && result !== null && "rows" in result && Array.isArray(result.rows)
    ? result.rows
    : [];
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (typeof address !== "object" || address === null) throw new Error("a listening socket has an address");
  return address.port;
}
