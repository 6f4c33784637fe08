import fc from "fast-check";
import { expect, test } from "vitest";
import { fillPlaceholders, placeholdersIn, splitStatements, statementTexts } from "./statements.ts";

const texts = (sql: string) => {
  const split = splitStatements(sql);
  return split.ok ? split.statements.map(({ text }) => text) : split.fault;
};

test.each([
  { name: "statements with semicolons", sql: "SELECT 1; SELECT 2;\n", want: ["SELECT 1", "SELECT 2"] },
  { name: "a semicolon in a text", sql: "SELECT 'a;b''c;'; SELECT 2", want: ["SELECT 'a;b''c;'", "SELECT 2"] },
  { name: "a backslash in a plain text", sql: "SELECT 'a\\'; SELECT 2", want: ["SELECT 'a\\'", "SELECT 2"] },
  { name: "a backslash in an E text", sql: "SELECT E'a\\';b'; SELECT 2", want: ["SELECT E'a\\';b'", "SELECT 2"] },
  { name: "a name that ends with e", sql: "SELECT type'a\\';SELECT 2", want: ["SELECT type'a\\'", "SELECT 2"] },
  { name: "a quoted name", sql: 'GRANT x TO "a;""b"; SELECT 2', want: ['GRANT x TO "a;""b"', "SELECT 2"] },
  { name: "a dollar quote", sql: "DO $$ BEGIN x; END $$; SELECT 2", want: ["DO $$ BEGIN x; END $$", "SELECT 2"] },
  { name: "a tagged one", sql: "DO $a$ x; $$ y; $a$; SELECT 2", want: ["DO $a$ x; $$ y; $a$", "SELECT 2"] },
  { name: "a parameter", sql: "SELECT a$1$; SELECT 2", want: ["SELECT a$1$", "SELECT 2"] },
  { name: "a line comment", sql: "SELECT 1 -- a; b's\n; SELECT 2", want: ["SELECT 1 -- a; b's", "SELECT 2"] },
  {
    name: "nested comments",
    sql: "SELECT /* a; /* b; */ c; */ 1; SELECT 2",
    want: ["SELECT /* a; /* b; */ c; */ 1", "SELECT 2"],
  },
  {
    name: "parentheses",
    sql: "CREATE RULE r AS ON x DO (a; b); SELECT 2",
    want: ["CREATE RULE r AS ON x DO (a; b)", "SELECT 2"],
  },
  { name: "nothing but comments", sql: ";; -- only this\n ; /* and this */", want: [] },
  {
    name: "an open text",
    sql: "SELECT 1;\n  SELECT 'a",
    want: "A quoted text that begins at line 2, column 10 has no end.",
  },
  { name: "an open comment", sql: "/* /* */ SELECT 1", want: "A comment that begins at line 1, column 1 has no end." },
  {
    name: "an open dollar quote",
    sql: "DO $x$ a $y$",
    want: "The text quoted with $x$ that begins at line 1, column 4 has no end.",
  },
])("$name", ({ sql, want }) => {
  expect(texts(sql)).toEqual(want);
});

test("what is quoted is no keyword", () => {
  const split = splitStatements(`ALTER ROLE "VALID UNTIL" /* VALID UNTIL */ PASSWORD 'VALID UNTIL'`);
  expect(split).toMatchObject({ ok: true, statements: [{ code: "ALTER ROLE ''   PASSWORD ''" }] });
});

test("joined statements are cut at the same places again", () => {
  const piece = fc.constantFrom(
    "SELECT 'a;b'",
    "DO $$;$$",
    'DROP ROLE "x;y"',
    "SELECT 1 /* ; */",
    "SELECT (1)",
    "SELECT E'\\';'",
  );
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      expect(texts(pieces.join(";\n"))).toEqual(pieces);
    }),
  );
});

test.each([
  { name: "one text", field: "SELECT 1; SELECT 2", want: ["SELECT 1; SELECT 2"] },
  { name: "a list", field: ["SELECT 1", "SELECT 2"], want: ["SELECT 1", "SELECT 2"] },
  { name: "base64", field: Buffer.from("SELECT 1; SELECT 23;").toString("base64"), want: ["SELECT 1; SELECT 23;"] },
  { name: "a JSON list", field: '["SELECT 1","SELECT 2"]', want: ["SELECT 1", "SELECT 2"] },
  {
    name: "a JSON list in base64",
    field: Buffer.from('["SELECT 1", "b"]').toString("base64"),
    want: ["SELECT 1", "b"],
  },
  { name: "what looks like base64", field: "ROLLBACK", want: ["ROLLBACK"] },
  { name: "nothing", field: "", want: [] },
  { name: "a number", field: 5, want: undefined },
])("a field of statements is read from $name", ({ field, want }) => {
  expect(statementTexts(field)).toEqual(want);
});

test("placeholders are filled, also with what replacements know as special", () => {
  expect(fillPlaceholders("'{{password}}' {{ name }} {{other}}", { password: "SCRAM$&$1", name: "n" })).toBe(
    "'SCRAM$&$1' n {{other}}",
  );
  expect(placeholdersIn(["{{name}} {{name}}", "{{x}}"])).toEqual(["name", "x"]);
});
