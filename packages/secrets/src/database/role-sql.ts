import { OperationalError } from "@millwright/core/errors";
import { databaseErrors } from "./errors.ts";
import type { Transaction } from "./postgres.ts";
import type { Placeholders, Statement } from "./statements.ts";
import { fillPlaceholders, splitStatements } from "./statements.ts";

/** Statements of a role, with the field that they came in. */
export interface StatementField {
  readonly field: string;
  readonly texts: readonly string[];
}

/** Runs the statements of a field, with their placeholders filled. */
export async function runStatements(
  transaction: Transaction,
  { field, texts }: StatementField,
  values: Placeholders,
): Promise<void> {
  for (const [i, { text, code }] of statementsOf({ field, texts }).entries()) {
    const verb = code.split(/\s+/).slice(0, 2).join(" ");
    await transaction.query(fillPlaceholders(text, values), { what: `statement ${i + 1} of ${field} (${verb} …)` });
  }
}

/** Whether statements set until when a login is valid, in a way that can be seen. */
export function setsValidity(field: StatementField): boolean {
  return statementsOf(field).some(
    ({ text, code }) => /\bVALID\s+UNTIL\b/i.test(code) || /\{\{\s*expiration\s*\}\}/.test(text),
  );
}

function statementsOf({ field, texts }: StatementField): readonly Statement[] {
  return texts.flatMap((text) => {
    const split = splitStatements(text);
    if (!split.ok) throw new OperationalError(databaseErrors.statementRefused, `${field}: ${split.fault}`);
    return split.statements;
  });
}

export async function roleExists(transaction: Transaction, name: string): Promise<boolean> {
  const rows = await transaction.query("SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = $1", { values: [name] });
  return rows.length > 0;
}

export async function setValidity(transaction: Transaction, name: string, expires: number): Promise<void> {
  const sql = `ALTER ROLE ${quoteName(name)} VALID UNTIL '${validityText(expires)}'`;
  await transaction.query(sql, { what: "ALTER ROLE … VALID UNTIL" });
}

export async function closeLogin(transaction: Transaction, name: string): Promise<void> {
  if (!(await roleExists(transaction, name))) return;
  await transaction.query(`ALTER ROLE ${quoteName(name)} NOLOGIN`, { what: "ALTER ROLE … NOLOGIN" });
}

/**
 * Takes all rights of a role in this database back, and removes it, where there is one. What it owns is nothing to be deleted unasked: then
 * PostgreSQL refuses, naming what it is.
 */
export async function dropRole(transaction: Transaction, name: string): Promise<void> {
  const role = quoteName(name);
  const [state] = await transaction.query(ownership, { values: [name] });
  if (!state) return; // There is no such role.
  if (state["is_member"] === true && state["owns"] === false) {
    // Of a role that owns nothing this deletes nothing: it only takes back rights, of every kind.
    await transaction.query(`DROP OWNED BY ${role}`, { what: "DROP OWNED BY" });
  } else {
    const revocations = await transaction.query(grantsTo, { values: [name] });
    const sql = revocations.map((row) => String(row["sql"])).join(";\n");
    if (sql !== "") await transaction.query(sql, { what: "REVOKE" });
  }
  await transaction.query(`DROP ROLE ${role}`, {
    what: "DROP ROLE (its login is closed already; say in revocation_statements what becomes of what it owns)",
  });
}

/** As an SQL identifier. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** `2026-01-02 03:04:05+00`: the second at which, or after which, it ends. */
export function validityText(expires: number): string {
  const text = new Date(Math.ceil(expires / 1_000) * 1_000).toISOString();
  return `${text.slice(0, 19).replace("T", " ")}+00`;
}

// DROP OWNED needs the rights of the role, which whoever made it does not have by that alone.
const ownership = `
  SELECT pg_catalog.pg_has_role(current_user, r.oid, 'USAGE') AS is_member,
    EXISTS (
      SELECT 1 FROM pg_catalog.pg_shdepend d
      WHERE d.refclassid = 'pg_catalog.pg_authid'::regclass AND d.refobjid = r.oid AND d.deptype = 'o'
        AND d.dbid IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()))
    ) AS owns
  FROM pg_catalog.pg_roles r WHERE r.rolname = $1`;

const grantsTo = `
  WITH grantee AS (SELECT oid, rolname FROM pg_catalog.pg_roles WHERE rolname = $1),
  relations AS (
    SELECT oid, relacl AS acl FROM pg_catalog.pg_class
    UNION ALL SELECT attrelid, attacl FROM pg_catalog.pg_attribute WHERE attacl IS NOT NULL
  )
  SELECT DISTINCT format('REVOKE ALL ON %s %I.%I FROM %I', CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
    n.nspname, c.relname, g.rolname) AS sql
  FROM grantee g, relations r JOIN pg_catalog.pg_class c ON c.oid = r.oid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace, aclexplode(r.acl) a WHERE a.grantee = g.oid
  UNION SELECT format('REVOKE ALL ON SCHEMA %I FROM %I', n.nspname, g.rolname)
  FROM grantee g, pg_catalog.pg_namespace n, aclexplode(n.nspacl) a WHERE a.grantee = g.oid
  UNION SELECT format('REVOKE ALL ON ROUTINE %s FROM %I', p.oid::regprocedure, g.rolname)
  FROM grantee g, pg_catalog.pg_proc p, aclexplode(p.proacl) a WHERE a.grantee = g.oid
  UNION SELECT format('REVOKE ALL ON DATABASE %I FROM %I', d.datname, g.rolname)
  FROM grantee g, pg_catalog.pg_database d, aclexplode(d.datacl) a WHERE a.grantee = g.oid`;
