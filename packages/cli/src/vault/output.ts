import type { VaultSecret } from "@millwright/clients/vault";
import { formatJson } from "@millwright/clients/json";
import type { CommandIo } from "../io.ts";
import { goDuration, goValue } from "./go-value.ts";
import { warningsText } from "./warnings.ts";

export const formatNames = ["table", "json", "yaml", "raw"] as const;
export type Format = (typeof formatNames)[number];

/** One line of a table of names and values. */
export type Row = readonly [name: string, value: string];

/** How a command's result is printed: as a table for people, or as what programs read. */
export interface Output {
  readonly format: Format;
  /** The one field that is to be printed. */
  readonly field: string | undefined;
  /** What the server answered: lease, data, login. Resolves to the exit code. */
  secret(secret: VaultSecret): Promise<number>;
  /** Names and values; programs get `data`. */
  rows(rows: readonly Row[], data: unknown): Promise<number>;
  /** Columns with a title each; programs get `data`. */
  table(titles: readonly string[], lines: readonly (readonly string[])[], data: unknown): Promise<number>;
  /** A line for people, where there is nothing to tell programs. */
  say(text: string): Promise<number>;
}

/** Output to `io` in a format; with `field` only that field's value is printed. */
export function outputFor(io: CommandIo, format: Format, field: string | undefined): Output {
  const print = async (text: string) => {
    await io.stdout(text);
    return 0;
  };
  const machine = async (data: unknown) => print(await encode(format, data));
  return {
    format,
    field,
    secret: async (secret) => {
      if (field !== undefined) return printField(io, secret, field, format);
      if (format === "raw") return machine(secret.raw);
      if (format !== "table") return machine(secretJson(secret));
      if (secret.warnings.length > 0) await io.stderr(warningsText(secret.warnings));
      const rows = secretRows(secret);
      return rows.length > 0 ? print(keyValueTable(rows)) : 0;
    },
    rows: (rows, data) => {
      if (field !== undefined)
        return printOne(io, rows.find(([name]) => name === field)?.[1] ?? fieldOf(data, field), field, format);
      return format === "table" ? print(keyValueTable(rows)) : machine(data);
    },
    table: (titles, lines, data) => (format === "table" ? print(columns(titles, lines)) : machine(data)),
    say: async (text) => (format === "table" && field === undefined ? print(`${text}\n`) : 0),
  };
}

async function encode(format: Format, data: unknown): Promise<string> {
  if (format === "yaml") {
    const { stringify } = await import("yaml");
    return stringify(data);
  }
  return `${indented(data)}\n`;
}

// Whole numbers beyond 2^53 keep their digits.
function indented(data: unknown): string {
  return formatJson(data, 2);
}

function fieldOf(data: unknown, field: string): unknown {
  return typeof data === "object" && data !== null ? (data as Record<string, unknown>)[field] : undefined;
}

async function printField(io: CommandIo, secret: VaultSecret, field: string, format: Format): Promise<number> {
  const known: Readonly<Record<string, unknown>> = {
    lease_id: secret.leaseId,
    lease_duration: secret.leaseDuration,
    lease_renewable: secret.renewable,
    ...(secret.auth
      ? {
          token: secret.auth.clientToken,
          token_accessor: secret.auth.accessor,
          token_duration: secret.auth.leaseDuration,
          token_renewable: secret.auth.renewable,
          token_policies: secret.auth.policies,
        }
      : {}),
    ...(secret.wrapInfo ? { wrapping_token: secret.wrapInfo.token, wrapping_accessor: secret.wrapInfo.accessor } : {}),
  };
  return printOne(io, secret.data?.[field] ?? known[field], field, format);
}

async function printOne(io: CommandIo, value: unknown, field: string, format: Format): Promise<number> {
  if (value === undefined || value === null) {
    await io.stderr(`Field ${JSON.stringify(field)} not present in secret\n`);
    return 1;
  }
  const text = format === "table" || format === "raw" ? goValue(value) : formatJson(value);
  // A value that is piped on ends where it ends; on a terminal the prompt begins a new line.
  await io.stdout(io.isTerminal || format === "json" ? `${text}\n` : text);
  return 0;
}

function secretRows(secret: VaultSecret): Row[] {
  const rows: Row[] = [];
  if (secret.leaseId !== "") {
    rows.push(["lease_id", secret.leaseId]);
    rows.push(["lease_duration", goDuration(secret.leaseDuration)]);
    rows.push(["lease_renewable", String(secret.renewable)]);
  } else if (secret.leaseDuration > 0 && secret.data) {
    rows.push(["refresh_interval", goDuration(secret.leaseDuration)]);
  }
  if (secret.auth) rows.push(...authRows(secret.auth));
  if (secret.wrapInfo) {
    const { token, accessor, ttl, creationTime, creationPath } = secret.wrapInfo;
    rows.push(["wrapping_token:", token], ["wrapping_accessor:", accessor], ["wrapping_token_ttl:", goDuration(ttl)]);
    rows.push(["wrapping_token_creation_time:", creationTime], ["wrapping_token_creation_path:", creationPath]);
  }
  for (const [name, value] of Object.entries(secret.data ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)))
    rows.push([name, isDuration(name, value) ? goDuration(value) : goValue(value)]);
  return rows;
}

// Whole seconds, by their field's name.
function isDuration(name: string, value: unknown): value is number {
  return typeof value === "number" && /^(?:.*_)?(?:ttl|period|duration)$|^(?:lease|ttl)_max$/.test(name);
}

function authRows(auth: NonNullable<VaultSecret["auth"]>): Row[] {
  const forEver = auth.leaseDuration === 0;
  return [
    ["token", auth.clientToken],
    ["token_accessor", auth.accessor],
    ["token_duration", forEver ? "∞" : goDuration(auth.leaseDuration)],
    ["token_renewable", String(auth.renewable)],
    ["token_policies", quotedList(auth.tokenPolicies)],
    ["policies", quotedList(auth.policies)],
    ...Object.entries(auth.metadata).map(([name, value]): Row => [`token_meta_${name}`, value]),
  ];
}

// As Go prints a list of quoted texts.
function quotedList(texts: readonly string[]): string {
  return `[${texts.map((text) => JSON.stringify(text)).join(" ")}]`;
}

// The fields in the order in which Vault's own command line writes them.
function secretJson(secret: VaultSecret): object {
  const { raw } = secret;
  return {
    request_id: secret.requestId,
    lease_id: secret.leaseId,
    lease_duration: secret.leaseDuration,
    renewable: secret.renewable,
    data: raw.data ?? null,
    warnings: raw.warnings ?? null,
    ...(raw.auth ? { auth: raw.auth } : {}),
    ...(raw.wrap_info ? { wrap_info: raw.wrap_info } : {}),
  };
}

/** A title between equals signs, about as wide as the first line of what stands below it. */
export function titled(title: string, below: string): string {
  const room = below.indexOf("\n") - title.length - 2;
  const signs = "=".repeat(room <= 0 ? 2 : Math.ceil(room / 2));
  return `${signs} ${title} ${signs}\n${below}`;
}

/** `Key` and `Value` in two columns. */
export function keyValueTable(rows: readonly Row[]): string {
  return columns(["Key", "Value"], rows);
}

/** Columns, as wide as their widest cell, with a rule under the titles; an empty cell is `n/a`. */
export function columns(titles: readonly string[], lines: readonly (readonly string[])[]): string {
  const rules = titles.map((title) => "-".repeat(title.length));
  const all = [titles, rules, ...lines.map((line) => line.map((cell) => (cell === "" ? "n/a" : cell)))];
  const widths = titles.map((_, i) => Math.max(...all.map((line) => (line[i] ?? "").length)));
  return all
    .map(
      (line) =>
        `${line
          .map((cell, i) => cell.padEnd(widths[i]! + 4))
          .join("")
          .trimEnd()}\n`,
    )
    .join("");
}
