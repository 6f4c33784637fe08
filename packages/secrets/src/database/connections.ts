import { isKind, OperationalError } from "@millwright/core/errors";
import type { Chance } from "@millwright/core/ports";
import type { SecretStorage } from "../storage.ts";
import { parseConnection } from "./connection-url.ts";
import { type DatabaseConfig, decodeConfig, type PasswordAuthentication } from "./database-config.ts";
import { databaseErrors } from "./errors.ts";
import { loginPassword } from "./login-name.ts";
import type { Transaction } from "./postgres.ts";
import { Postgres } from "./postgres.ts";
import { quoteName, runStatements } from "./role-sql.ts";
import { scramVerifier } from "./scram.ts";

/** A configured database that can be worked with. */
export interface Connection {
  readonly config: DatabaseConfig;
  /** Of the configuration in storage. */
  readonly revision: number;
  readonly postgres: Postgres;
  /** How a new password is sent: itself, or as what the database stores of it, which cannot be turned back. */
  sentPassword(password: string): Promise<string>;
}

/** The configured databases, each with its connections, which are kept until its configuration changes. */
export class Connections {
  readonly #storage: SecretStorage;
  readonly #chance: Chance;
  readonly #open = new Map<string, Connection>();
  readonly #rotations = new Map<string, Promise<void>>();

  constructor(storage: SecretStorage, chance: Chance) {
    this.#storage = storage;
    this.#chance = chance;
  }

  /** Rejects with `unknownDatabase` where nothing of that name is configured. */
  async get(name: string): Promise<Connection> {
    await this.#rotations.get(name);
    return this.#get(name);
  }

  /** Closes the connections of a database; the next request opens others. */
  async reset(name: string): Promise<void> {
    const open = this.#open.get(name);
    this.#open.delete(name);
    await open?.postgres.close();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.keys()].map((name) => this.reset(name)));
  }

  /** Gives the server's own login a new password that nobody else knows; whoever asks for the database meanwhile waits. */
  async rotate(name: string): Promise<void> {
    await this.#rotations.get(name);
    const rotation = this.#rotate(name);
    // Those who wait go on however it ends; its failure belongs to whoever asked for it.
    const end = rotation.catch(() => undefined).finally(() => this.#rotations.delete(name));
    this.#rotations.set(name, end);
    await rotation;
  }

  async #get(name: string): Promise<Connection> {
    const stored = await this.#storage.get(configPath(name));
    if (!stored)
      throw new OperationalError(
        databaseErrors.unknownDatabase,
        `There is no configuration of a database ${JSON.stringify(name)}. Write it to config/${name} first.`,
      );
    const { value, revision } = stored;
    const open = this.#open.get(name);
    if (open?.revision === revision) return open;
    const config = decodeConfig(value);
    if (config.nextPassword !== undefined && (await this.#settle(name, config, revision))) return this.#get(name);
    const other = this.#open.get(name);
    // Another request may have opened the same meanwhile.
    if (other?.revision === revision) return other;
    const connection = this.#connectionOf(config, revision);
    this.#open.set(name, connection);
    await other?.postgres.close();
    return connection;
  }

  // The new password is stored first as one that may hold: whenever this ends, one of the two that are stored is right.
  async #rotate(name: string): Promise<void> {
    const { config, revision, postgres, sentPassword } = await this.#get(name);
    const password = loginPassword(this.#chance);
    if (!(await this.#put(name, { ...config, nextPassword: password }, revision))) return this.#rotate(name);
    try {
      const change = { username: config.username, statements: config.rotationStatements };
      const sent = await sentPassword(password);
      await postgres.transaction((transaction) => changePassword(transaction, { ...change, sent }), [password]);
    } catch (error) {
      // A refusal leaves the old password in force; after any other failure either may be.
      if (isKind(error, databaseErrors.statementRefused)) await this.#put(name, config, await this.#revision(name));
      throw error;
    }
    await this.#put(name, { ...config, password }, await this.#revision(name));
    await this.reset(name);
  }

  // Finds out which of the two passwords of a rotation that did not end is in force. False where it is the old one.
  async #settle(name: string, config: DatabaseConfig, revision: number): Promise<boolean> {
    const { nextPassword, ...old } = config;
    const candidate: DatabaseConfig = { ...old, password: nextPassword ?? old.password };
    try {
      await verifyConnection(candidate);
    } catch (error) {
      if (isKind(error, databaseErrors.loginRefused)) return false;
      throw error;
    }
    await this.#put(name, candidate, revision);
    return true;
  }

  #connectionOf(config: DatabaseConfig, revision: number): Connection {
    const postgres = postgresOf(config);
    let form = config.passwordAuthentication;
    return {
      ...{ config, revision, postgres },
      sentPassword: async (password) => {
        form ??= await postgres.transaction(storedForm);
        return form === "scram-sha-256" ? scramVerifier(password, this.#chance) : password;
      },
    };
  }

  async #revision(name: string): Promise<number> {
    return (await this.#storage.get(configPath(name)))?.revision ?? 0;
  }

  #put(name: string, config: DatabaseConfig, revision: number): Promise<boolean> {
    const path = configPath(name);
    const value = Buffer.from(JSON.stringify(config));
    return this.#storage.commit([{ op: "put", path, value }], [{ path, revision }]);
  }
}

export function configPath(name: string): string {
  return `config/${name}`;
}

/** Logs in and out once. Rejects, saying why, where that fails. */
export async function verifyConnection(config: DatabaseConfig): Promise<void> {
  const postgres = postgresOf(config);
  try {
    await postgres.transaction((transaction) => transaction.query("SELECT 1"));
  } finally {
    await postgres.close();
  }
}

interface PasswordChange {
  readonly username: string;
  readonly sent: string;
  /** Where there are none, `ALTER ROLE … WITH PASSWORD …`. */
  readonly statements: readonly string[];
}

async function changePassword(transaction: Transaction, change: PasswordChange): Promise<void> {
  const { username, sent, statements } = change;
  if (statements.length === 0) {
    const sql = `ALTER ROLE ${quoteName(username)} WITH PASSWORD '${sent}'`;
    await transaction.query(sql, { what: "ALTER ROLE … WITH PASSWORD" });
  } else {
    const field = { field: "the rotation statements", texts: statements };
    await runStatements(transaction, field, { name: username, username, password: sent });
  }
}

function postgresOf(config: DatabaseConfig): Postgres {
  const parsed = parseConnection(config.connectionUrl, config);
  if (!parsed.ok) throw new OperationalError(databaseErrors.loginRefused, parsed.fault);
  return new Postgres({ place: parsed.place, maxOpen: config.maxOpen, maxLifetime: config.maxLifetime });
}

/** As what the database stores the passwords that it is sent in plain. */
async function storedForm(transaction: Transaction): Promise<PasswordAuthentication> {
  const [row] = await transaction.query("SHOW password_encryption");
  return row?.["password_encryption"] === "scram-sha-256" ? "scram-sha-256" : "password";
}
