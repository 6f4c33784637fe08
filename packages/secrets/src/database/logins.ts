import { invariant, isKind, OperationalError } from "@millwright/core/errors";
import type { Chance, Clock } from "@millwright/core/ports";
import type { EngineReply, HeldLease } from "../engine.ts";
import { isObject } from "../objects.ts";
import type { Connections } from "./connections.ts";
import type { DatabaseRole } from "./database-role.ts";
import { databaseErrors } from "./errors.ts";
import { loginName, loginPassword } from "./login-name.ts";
import type { Transaction } from "./postgres.ts";
import {
  closeLogin,
  dropRole,
  roleExists,
  runStatements,
  setsValidity,
  setValidity,
  validityText,
} from "./role-sql.ts";

export interface LoginParts {
  readonly connections: Connections;
  readonly clock: Clock;
  readonly chance: Chance;
  /** The fields that the statements came in, for what is said of them. */
  readonly fieldNames: { readonly creation: string; readonly revocation: string; readonly renewal: string };
  /** A role as it is now. */
  role(name: string): Promise<DatabaseRole | undefined>;
}

export interface LoginAsk {
  readonly roleName: string;
  readonly role: DatabaseRole;
  /** Whose name the login begins with. */
  readonly displayName: string;
}

/** Logins that are leased: made by a role's statements, valid until the lease's end, and removed then. */
export class Logins {
  readonly #parts: LoginParts;

  constructor(parts: LoginParts) {
    this.#parts = parts;
  }

  /** The reply that grants a lease and makes the login with it. */
  issue({ roleName, role, displayName }: LoginAsk): EngineReply {
    const { clock, chance } = this.#parts;
    const username = loginName({ displayName, role: roleName, now: clock.now() }, chance);
    const { database, revocation } = role;
    const internal: LeasedLogin = { username, role: roleName, database, revocation };
    return {
      kind: "lease",
      grant: { ttl: role.defaultTtl, maxTtl: role.maxTtl, renewable: true, internal },
      make: async (expires) => ({ password: await this.#make(username, role, expires), username }),
    };
  }

  async renew(lease: HeldLease, expires: number): Promise<void> {
    const login = loginOf(lease);
    const { connections, fieldNames } = this.#parts;
    const role = await this.#parts.role(login.role);
    const { postgres } = await connections.get(login.database);
    await postgres.transaction(async (transaction) => {
      if (!(await roleExists(transaction, login.username))) throw loginGone(login);
      if (!role || role.renewal.length === 0) return setValidity(transaction, login.username, expires);
      const statements = { field: fieldNames.renewal, texts: role.renewal };
      return runStatements(transaction, statements, placeholders(login.username, expires));
    });
  }

  async revoke(lease: HeldLease): Promise<void> {
    const login = loginOf(lease);
    const { connections, fieldNames } = this.#parts;
    const texts = (await this.#parts.role(login.role))?.revocation ?? login.revocation;
    const { postgres } = await connections.get(login.database);
    const remove = async (transaction: Transaction) => {
      if (texts.length === 0) return dropRole(transaction, login.username);
      if (!(await roleExists(transaction, login.username))) return;
      const { username } = login;
      return runStatements(transaction, { field: fieldNames.revocation, texts }, { name: username, username });
    };
    try {
      await postgres.transaction(remove);
    } catch (error) {
      // What keeps the role from going does not keep its login open.
      if (isKind(error, databaseErrors.statementRefused))
        await postgres.transaction((transaction) => closeLogin(transaction, login.username));
      throw error;
    }
  }

  async #make(username: string, role: DatabaseRole, expires: number): Promise<string> {
    const { connections, chance, fieldNames } = this.#parts;
    const { postgres, sentPassword } = await connections.get(role.database);
    const password = loginPassword(chance);
    const sent = await sentPassword(password);
    const creation = { field: fieldNames.creation, texts: role.creation };
    await postgres.transaction(
      async (transaction) => {
        await runStatements(transaction, creation, { ...placeholders(username, expires), password: sent });
        if (!(await roleExists(transaction, username))) throw noLogin(fieldNames.creation);
        if (!setsValidity(creation)) await setValidity(transaction, username, expires);
      },
      [password],
    );
    return password;
  }
}

/** What a lease keeps of its login. */
interface LeasedLogin {
  readonly username: string;
  readonly role: string;
  readonly database: string;
  /** Of the role when the login was made: for when it is no longer there. */
  readonly revocation: readonly string[];
}

function loginOf({ internal }: HeldLease): LeasedLogin {
  const { username, role, database, revocation } = isObject(internal) ? internal : {};
  invariant(
    typeof username === "string" &&
      typeof role === "string" &&
      typeof database === "string" &&
      Array.isArray(revocation),
    "a lease of this engine holds what the engine gave with its grant",
  );
  return { username, role, database, revocation };
}

function placeholders(username: string, expires: number) {
  return { name: username, username, expiration: validityText(expires) };
}

function loginGone({ username }: LeasedLogin): OperationalError {
  return new OperationalError(
    databaseErrors.loginGone,
    `The login ${JSON.stringify(username)} is no longer in the database, so nothing is renewed. Read new credentials.`,
  );
}

function noLogin(field: string): OperationalError {
  return new OperationalError(
    databaseErrors.statementRefused,
    `The ${field} made no login of the name that they were given. Write the name in double quotes, "{{name}}": without ` +
      "them PostgreSQL turns it into small letters.",
  );
}
