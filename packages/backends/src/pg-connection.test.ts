import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { connectionConfig, connectionPlace } from "./pg-connection.ts";

const cases = [
  {
    name: "a URL",
    text: "postgres://ann:p%40ss@db.example:5433/states?sslmode=disable",
    want: { host: "db.example", port: 5433, user: "ann", password: "p@ss", database: "states", ssl: false },
  },
  {
    name: "words",
    text: "host=db user='ann lee' password='it\\'s' dbname=states sslmode=verify-full",
    want: { host: "db", port: 5432, user: "ann lee", password: "it's", ssl: { rejectUnauthorized: true } },
  },
  { name: "nothing", text: "", want: { host: "elsewhere", user: "env", ssl: { rejectUnauthorized: false } } },
];
test.each(cases)("a connection is read from $name", ({ text, want }) => {
  expect(connectionConfig(text, { PGHOST: "elsewhere", PGUSER: "env" })).toMatchObject(want);
});

test("the place of a connection holds no password", () => {
  expect(connectionPlace(connectionConfig("postgres://ann:secret@db/states", {}))).toBe("db:5432/states");
});

test("an authority that is named is what a server is held against, also where sslmode says no more than require", () => {
  const authority = fileURLToPath(import.meta.url);
  const text = `postgres://db/states?sslrootcert=${authority}`;
  expect(connectionConfig(text, {}).ssl).toMatchObject({ rejectUnauthorized: true });
  expect(connectionConfig("postgres://db/states", {}).ssl).toMatchObject({ rejectUnauthorized: false });
});
