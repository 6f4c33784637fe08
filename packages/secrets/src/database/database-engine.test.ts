import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { as, lend, leaseOf, psql, roleNames } from "../../test/leased-login.ts";
import type { OpenedEngine } from "../../test/open-engine.ts";
import { openEngine } from "../../test/open-engine.ts";
import type { PostgresServer } from "../../test/postgres-server.ts";
import { startPostgres } from "../../test/postgres-server.ts";
import { databaseEngine } from "./database-engine.ts";

let server: PostgresServer;
const opened: OpenedEngine[] = [];

beforeAll(async () => {
  server = await startPostgres({ database: "myapp", settings: { log_statement: "ddl" } });
  await server.adminSql(`
    CREATE TABLE widgets (name text); INSERT INTO widgets VALUES ('cog');
    CREATE ROLE manager WITH LOGIN SUPERUSER PASSWORD 'first-password'`);
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map(({ engine }) => engine.close?.()));
});

afterAll(() => server.stop());

const readonlySql = `CREATE ROLE "{{name}}" WITH LOGIN PASSWORD '{{password}}'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{{name}}";`;

async function open(
  config: Readonly<Record<string, unknown>> = {},
  role: Readonly<Record<string, unknown>> = {},
): Promise<OpenedEngine> {
  const database = await openEngine(databaseEngine(), { time: { now: Date.now() } });
  opened.push(database);
  await database.call("create", "config/my-db", { ...myDb(), ...config });
  await database.call("create", "roles/readonly", { db_name: "my-db", creation_statements: readonlySql, ...role });
  return database;
}

function myDb() {
  return {
    plugin_name: "postgresql-database-plugin",
    connection_url: `postgresql://{{username}}:{{password}}@${server.host}:${server.port}/myapp?sslmode=disable`,
    ...{ username: server.user, password: server.password, allowed_roles: "*" },
  };
}

describe("a leased login", () => {
  test("can select and not write, and is gone once it is revoked", async () => {
    const database = await open({}, { default_ttl: "1h", max_ttl: 86_400 });
    const login = await lend(database, "creds/readonly");
    expect(login.username).toMatch(/^v-root-readonly-[A-Za-z0-9]{20}-\d{10}$/);
    expect(await psql(server, login, "SELECT name FROM widgets")).toContain("cog");
    await expect(psql(server, login, "INSERT INTO widgets VALUES ('x')")).rejects.toThrow("permission denied");

    await database.engine.revokeLease?.(login.lease);
    await expect(psql(server, login, "SELECT 1")).rejects.toThrow("password authentication failed");
    expect(await roleNames(server)).toEqual([]);
    await database.engine.revokeLease?.(login.lease);
  });

  test("is valid until the lease's end, which a renewal moves, as \\du shows it", async () => {
    const database = await open({}, { default_ttl: 60 });
    const login = await lend(database, "creds/readonly");
    const shown = (expires: number) =>
      new Date(Math.ceil(expires / 1000) * 1000).toISOString().slice(0, 19).replace("T", " ");
    expect(await psql(server, login, "\\du")).toMatch(new RegExp(`Password valid until ${shown(login.expires)}`));

    await database.engine.renewLease?.(login.lease, login.expires + 7_200_000);
    expect(await psql(server, login, "\\du")).toContain(shown(login.expires + 7_200_000));

    await database.engine.renewLease?.(login.lease, Date.now() - 5_000);
    await expect(psql(server, login, "SELECT 1")).rejects.toThrow("password authentication failed");
    await database.engine.revokeLease?.(login.lease);
  });

  test("keeps the validity that its own statements set", async () => {
    const database = await open(
      {},
      {
        creation_statements: [
          `CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}' VALID UNTIL '2031-01-01 00:00:00+00'`,
        ],
        renew_statements: `ALTER ROLE "{{name}}" VALID UNTIL '2032-01-01 00:00:00+00'`,
      },
    );
    const login = await lend(database, "creds/readonly");
    expect(await psql(server, login, "\\du")).toContain("2031-01-01");
    await database.engine.renewLease?.(login.lease, Date.now());
    expect(await psql(server, login, "\\du")).toContain("2032-01-01");
    await database.engine.revokeLease?.(login.lease);
  });

  test("many at once each work, though all of them are granted rights on the same table", async () => {
    const database = await open();
    const other = await open();
    const logins = await Promise.all(
      Array.from({ length: 16 }, (_, i) => lend(i % 2 === 0 ? database : other, "creds/readonly")),
    );
    const counts = await Promise.all(
      logins.map((login) => as(server, login, "SELECT count(*)::int AS n FROM widgets")),
    );
    expect(counts).toEqual(logins.map(() => [{ n: 1 }]));
    await Promise.all(logins.map(({ lease }) => database.engine.revokeLease?.(lease)));
    expect(await roleNames(server)).toEqual([]);
  });

  test("with rights of every kind goes, and what it owns stays, its login closed", async () => {
    const database = await open(
      {},
      {
        creation_statements: `${readonlySql}
        GRANT ALL ON SCHEMA public TO "{{name}}"; GRANT CONNECT, CREATE ON DATABASE myapp TO "{{name}}";
        GRANT UPDATE (name) ON widgets TO "{{name}}";
        ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO "{{name}}";`,
      },
    );
    const plain = await lend(database, "creds/readonly");
    await database.engine.revokeLease?.(plain.lease);
    expect(await roleNames(server)).toEqual([]);

    const owner = await lend(database, "creds/readonly");
    await as(server, owner, "CREATE TABLE notes (line text)");
    await expect(database.engine.revokeLease?.(owner.lease)).rejects.toThrow(
      /DROP ROLE .*revocation_statements.*cannot be dropped because some objects depend on it.*owner of table notes/s,
    );
    await expect(as(server, owner, "SELECT 1")).rejects.toThrow("not permitted to log in");

    await database.call("update", "roles/readonly", {
      revocation_statements: `REASSIGN OWNED BY "{{name}}" TO manager; DROP OWNED BY "{{name}}"; DROP ROLE "{{name}}"`,
    });
    await database.engine.revokeLease?.(owner.lease);
    expect(await roleNames(server)).toEqual([]);
    await server.adminSql("DROP TABLE notes");
  });

  test("whose role was deleted meanwhile is still taken back as the role said", async () => {
    const database = await open({}, { revocation_statements: [`DROP OWNED BY "{{name}}"`, `DROP ROLE "{{name}}"`] });
    const login = await lend(database, "creds/readonly");
    await database.call("delete", "roles/readonly");
    await database.engine.revokeLease?.(login.lease);
    expect(await roleNames(server)).toEqual([]);
  });

  test("that is gone cannot be renewed, and says so", async () => {
    const database = await open();
    const login = await lend(database, "creds/readonly");
    await server.adminSql(`DROP OWNED BY "${login.username}"; DROP ROLE "${login.username}"`);
    await expect(database.engine.renewLease?.(login.lease, Date.now() + 60_000)).rejects.toThrow(
      "no longer in the database",
    );
  });
});

describe("creation statements", () => {
  test("that fail leave no login, and no secret in the error or in the server's log", async () => {
    const database = await open(
      {},
      { creation_statements: `${readonlySql} GRANT SELECT ON nothing_there TO "{{name}}"` },
    );
    const reply = await database.call("read", "creds/readonly");
    const failure = await lend(database, "creds/readonly").catch(String);
    expect(failure).toMatch(
      /refuses statement 3 of creation_statements \(GRANT SELECT …\): relation "nothing_there" does not exist/,
    );
    expect(await roleNames(server)).toEqual([]);
    await database.engine.revokeLease?.(leaseOf(reply));

    const misplaced = await open({}, { creation_statements: `CREATE ROLE "{{name}}" PASSWORD {{password}}` });
    expect(await lend(misplaced, "creds/readonly").catch(String)).toContain("syntax error");
    const good = await lend(await open(), "creds/readonly");
    expect(server.readLog()).toContain(good.username);
    expect(server.readLog()).not.toContain(good.password);
    await database.engine.revokeLease?.(good.lease);
  });

  test("sent with the plain password keep it out of errors", async () => {
    const database = await open(
      { password_authentication: "password" },
      { creation_statements: `CREATE ROLE "{{name}}" PASSWORD '{{password}}'; SELECT "{{password}}"` },
    );
    expect(await lend(database, "creds/readonly").catch(String)).toMatch(/column "\*\*\*\*\*" does not exist/);
  });

  test("with an unquoted name are refused, with what to write", async () => {
    const database = await open(
      {},
      { creation_statements: `CREATE ROLE n{{password}}; SELECT '{{name}}'`.replace("{{password}}", "x") },
    );
    expect(await lend(database, "creds/readonly").catch(String)).toContain(
      'Write the name in double quotes, "{{name}}"',
    );
    expect(await server.adminSql("SELECT 1 FROM pg_roles WHERE rolname = 'nx'")).toEqual([]);
  });

  test.each([
    { name: "no statements", role: { creation_statements: [] }, want: "creation_statements are missing" },
    {
      name: "an open quote",
      role: { creation_statements: "SELECT 'a" },
      want: "A quoted text that begins at line 1, column 8",
    },
    { name: "no database", role: { db_name: "" }, want: "db_name is missing" },
    { name: "a longer default", role: { default_ttl: "2h", max_ttl: "1h" }, want: "longer than max_ttl" },
    { name: "keys", role: { credential_type: "rsa_private_key" }, want: "There is: password" },
  ])("a role with $name is refused", async ({ role, want }) => {
    const database = await open();
    const reply = await database.call("update", "roles/other", {
      ...{ db_name: "my-db", creation_statements: readonlySql },
      ...role,
    });
    expect(reply).toMatchObject({ kind: "refused", status: 400 });
    expect(JSON.stringify(reply)).toContain(want);
    expect(await database.call("read", "roles/other")).toEqual({ kind: "missing" });
  });

  test("with unknown placeholders are warned of", async () => {
    const database = await open();
    const reply = await database.call("update", "roles/other", {
      db_name: "my-db",
      creation_statements: "SELECT '{{user}}'",
    });
    expect(JSON.stringify(reply)).toMatch(/\{\{user\}\} is not filled.*never use .*\{\{name\}\}/);
  });
});

describe("config/", () => {
  test("is told without the password, listed and deleted", async () => {
    const database = await open({ max_open_connections: "7", max_connection_lifetime: "5m" });
    expect(await database.call("read", "config/my-db")).toEqual({
      kind: "data",
      data: {
        allowed_roles: ["*"],
        connection_details: {
          connection_url: `postgresql://{{username}}:{{password}}@${server.host}:${server.port}/myapp?sslmode=disable`,
          ...{
            username: "postgres",
            max_open_connections: 7,
            max_idle_connections: 0,
            max_connection_lifetime: "5m0s",
          },
        },
        ...{ password_policy: "", plugin_name: "postgresql-database-plugin", plugin_version: "" },
        ...{ root_credentials_rotate_statements: [], verify_connection: true },
      },
    });
    expect(await database.call("list", "config")).toEqual({ kind: "data", data: { keys: ["my-db"] } });
    expect(await database.call("list", "roles/")).toEqual({ kind: "data", data: { keys: ["readonly"] } });
    await database.call("delete", "config/my-db");
    await expect(database.call("read", "creds/readonly")).rejects.toThrow("Write it to config/my-db first");
  });

  test("with the password in the URL warns, and shows it to nobody", async () => {
    const database = await open();
    const written = await database.call("update", "config/url", { ...myDb(), connection_url: server.url });
    expect(JSON.stringify(written)).toContain("rotate-root cannot change");
    const read = JSON.stringify(await database.call("read", "config/url"));
    expect(read).toContain(":*****@");
    expect(read).not.toContain(server.password);
    expect(await database.call("update", "rotate-root/url")).toMatchObject({ kind: "refused", status: 400 });
  });

  test.each([
    {
      name: "a wrong password",
      config: { password: "hunter2" },
      want: /refuses the login of \\"postgres\\": password authentication failed/,
    },
    { name: "a database that is not there", url: "/nowhere", want: /database \\"nowhere\\" does not exist/ },
    { name: "nobody at the port", url: "closed", want: /cannot be reached: .*ECONNREFUSED/ },
    {
      name: "another plugin",
      config: { plugin_name: "mysql-database-plugin" },
      want: /There is: postgresql-database-plugin/,
    },
    { name: "no URL", config: { connection_url: "" }, want: /connection_url is missing/ },
    { name: "a template for names", config: { username_template: "x" }, want: /username_template is not supported/ },
  ])("with $name is refused, nothing of it is kept, and no password is told", async ({ config, url, want }) => {
    const database = await open();
    const connection = url && {
      connection_url: myDb().connection_url.replace(
        url === "closed" ? `:${server.port}` : "/myapp",
        url === "closed" ? ":1" : url,
      ),
    };
    const reply = await database.call("create", "config/other", { ...myDb(), ...connection, ...config });
    expect(reply).toMatchObject({ kind: "refused", status: 400 });
    expect(JSON.stringify(reply)).toMatch(want);
    expect(JSON.stringify(reply)).not.toMatch(new RegExp(`hunter2|${server.password}`));
    expect(await database.call("read", "config/other")).toEqual({ kind: "missing" });
  });

  test("of unverified mistakes tells them when credentials are asked for", async () => {
    const database = await open();
    await database.call("update", "config/my-db", { password: "hunter2", verify_connection: "false" });
    const failure = await lend(database, "creds/readonly").catch(String);
    expect(failure).toContain("password authentication failed");
    expect(failure).not.toContain("hunter2");
  });

  test("allows only the roles that it names", async () => {
    const database = await open({ allowed_roles: ["other", "read-*"] });
    expect(JSON.stringify(await database.call("read", "creds/readonly"))).toContain("is not an allowed role");
    await database.call("update", "config/my-db", { allowed_roles: "read*" });
    expect(await database.call("read", "creds/readonly")).toMatchObject({ kind: "lease" });
    expect(await database.call("read", "creds/none")).toMatchObject({ errors: ["unknown role: none"] });
  });
});

describe("rotate-root", () => {
  const manager = { username: "manager", password: "first-password" };

  test("gives the server a password that nobody else knows, and logins are made with it", async () => {
    const database = await open(manager);
    const before = await lend(database, "creds/readonly");
    expect(await database.call("update", "rotate-root/my-db")).toEqual({ kind: "done" });
    await expect(as(server, manager, "SELECT 1")).rejects.toThrow("password authentication failed");
    await Promise.all([database.call("update", "rotate-root/my-db"), lend(database, "creds/readonly")]);
    await database.engine.revokeLease?.(before.lease);

    const stored = String(Buffer.from((await database.storage.get("config/my-db"))?.value ?? []));
    expect(server.readLog()).not.toContain(JSON.parse(stored).password);
    expect(stored).not.toContain("nextPassword");
    await server.adminSql(`ALTER ROLE manager PASSWORD 'first-password'; DO $$ DECLARE r text; BEGIN
      FOR r IN SELECT rolname FROM pg_roles WHERE rolname LIKE 'v-%' LOOP
        EXECUTE format('DROP OWNED BY %1$I; DROP ROLE %1$I', r); END LOOP; END $$`);
  });

  test.each([
    { name: "before the database was asked", took: false },
    { name: "after the database took it", took: true },
  ])("that was cut off $name is settled by the next request", async ({ took }) => {
    const database = await open(manager);
    const stored = await database.storage.get("config/my-db");
    const config = { ...JSON.parse(String(Buffer.from(stored?.value ?? []))), nextPassword: "second-password" };
    await database.storage.commit([{ op: "put", path: "config/my-db", value: Buffer.from(JSON.stringify(config)) }]);
    if (took) await server.adminSql("ALTER ROLE manager PASSWORD 'second-password'");
    const login = await lend(database, "creds/readonly");
    await database.engine.revokeLease?.(login.lease);
    await server.adminSql("ALTER ROLE manager PASSWORD 'first-password'");
  });

  test("that the database refuses leaves the old password in force", async () => {
    const database = await open({
      ...manager,
      root_rotation_statements: `ALTER ROLE nobody_there PASSWORD '{{password}}'`,
    });
    await expect(database.call("update", "rotate-root/my-db")).rejects.toThrow("does not exist");
    const login = await lend(database, "creds/readonly");
    await database.engine.revokeLease?.(login.lease);
    expect(await as(server, manager, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
  });
});

test("while the database is down leases are neither made nor taken back, and both work once it is up", async () => {
  const database = await open();
  const login = await lend(database, "creds/readonly");
  await server.kill();
  try {
    await expect(lend(database, "creds/readonly")).rejects.toThrow(/cannot be reached/);
    await expect(database.engine.revokeLease?.(login.lease)).rejects.toThrow(/cannot be reached/);
    await expect(database.engine.renewLease?.(login.lease, Date.now())).rejects.toThrow(/cannot be reached/);
  } finally {
    await server.start();
  }
  expect(await as(server, login, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
  await database.engine.revokeLease?.(login.lease);
  const next = await lend(database, "creds/readonly");
  await database.call("update", "reset/my-db");
  await database.engine.revokeLease?.(next.lease);
  expect(await roleNames(server)).toEqual([]);
});

test.each([
  { path: "config/my-db/x", status: 404 },
  { path: "elsewhere", status: 404 },
  { path: "creds", status: 404 },
])("the path $path is none of the engine's", async ({ path, status }) => {
  const database = await open();
  expect(await database.call("read", path)).toMatchObject({ kind: "refused", status });
});
