import { describe, expect, onTestFinished, test } from "vitest";
import { as, lend, roleNames } from "../../test/leased-login.ts";
import { openEngine } from "../../test/open-engine.ts";
import { knownOrigins } from "../../test/postgres-programs.ts";
import { startPostgres } from "../../test/postgres-server.ts";
import { databaseEngine } from "./database-engine.ts";

/** The embedded programs are of a newer PostgreSQL, where whoever may make roles may do less with them. */
describe.each(knownOrigins())("PostgreSQL of the %s programs, without a superuser", (origin) => {
  test("a login that may only make roles lends others, and takes all their rights back", async () => {
    const server = await startPostgres({ origin, database: "myapp" });
    onTestFinished(() => server.stop());
    await server.adminSql(`
      CREATE ROLE manager WITH LOGIN CREATEROLE PASSWORD 'manager-password';
      GRANT ALL ON DATABASE myapp TO manager WITH GRANT OPTION;
      CREATE TABLE not_mine (x int); CREATE SCHEMA "My App" AUTHORIZATION manager; SET ROLE manager;
      CREATE TABLE "My App"."Widgets" (id serial, name text); INSERT INTO "My App"."Widgets" (name) VALUES ('cog');
      CREATE FUNCTION "My App".f(int, text) RETURNS int LANGUAGE sql AS 'SELECT 1';`);
    const database = await openEngine(databaseEngine(), { time: { now: Date.now() } });
    onTestFinished(() => database.engine.close?.());
    await database.call("create", "config/my-db", {
      plugin_name: "postgresql-database-plugin",
      connection_url: `host=${server.host} port=${server.port} dbname=myapp user={{username}} password={{password}}`,
      ...{ username: "manager", password: "manager-password", allowed_roles: "*" },
    });
    await database.call("create", "roles/app", {
      db_name: "my-db",
      creation_statements: `CREATE ROLE "{{name}}" WITH LOGIN PASSWORD '{{password}}';
        GRANT USAGE ON SCHEMA "My App" TO "{{name}}"; GRANT SELECT ON "My App"."Widgets" TO "{{name}}";
        GRANT UPDATE (name) ON "My App"."Widgets" TO "{{name}}"; GRANT EXECUTE ON FUNCTION "My App".f TO "{{name}}";
        GRANT USAGE ON ALL SEQUENCES IN SCHEMA "My App" TO "{{name}}"; GRANT TEMPORARY ON DATABASE myapp TO "{{name}}"`,
    });
    const login = await lend(database, "creds/app");
    expect(await as(server, login, 'SELECT name FROM "My App"."Widgets"')).toEqual([{ name: "cog" }]);
    await database.engine.renewLease?.(login.lease, Date.now() + 60_000);
    expect(await database.call("update", "rotate-root/my-db")).toEqual({ kind: "done" });
    await database.engine.revokeLease?.(login.lease);
    expect(await roleNames(server)).toEqual([]);
  });
});
