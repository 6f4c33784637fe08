import type { RequestOf, ResponseOf } from "../wire/calls.ts";
import type { Draft } from "../wire/message.ts";
import type { PluginConnection } from "./connection.ts";
import type { PluginKind } from "./plugin-provider.ts";

/** A connection to a provider's program, for as long as that runs. */
export interface PluginSession {
  readonly connection: PluginConnection;
  readonly isRunning: boolean;
  /** Ends the program, where it is this program's to end. */
  end(): Promise<void>;
}

/** Keeps a session alive for one configuration of a provider: where its program has died, the next call gets a new one. */
export class SessionKeeper {
  readonly #kind: PluginKind;
  #current: Promise<PluginSession>;
  #now: PluginSession | undefined;
  #configuration: Draft<RequestOf<"configureProvider">> | undefined;

  constructor(kind: PluginKind, first: PluginSession) {
    this.#kind = kind;
    this.#current = Promise.resolve(first);
    this.#now = first;
  }

  /** The session that runs now, where one does. */
  get now(): PluginSession | undefined {
    return this.#now?.isRunning ? this.#now : undefined;
  }

  /** A running session; rejects where the program does not start again. */
  async get(): Promise<PluginSession> {
    const before = this.#current;
    const session = await before;
    if (session.isRunning) return session;
    if (this.#current === before) {
      this.#current = this.#again().catch((error: unknown) => {
        // The next call tries once more.
        this.#current = before;
        throw error;
      });
    }
    return this.#current;
  }

  /** Configures the program, and each one that is started in its place. */
  async configure(request: Draft<RequestOf<"configureProvider">>): Promise<ResponseOf<"configureProvider">> {
    const { connection } = await this.get();
    this.#configuration = request;
    return connection.call("configureProvider", request);
  }

  async close(): Promise<void> {
    await this.#now?.end();
  }

  async #again(): Promise<PluginSession> {
    const session = await this.#kind.open();
    this.#now = session;
    await this.#kind.schema(session);
    if (this.#configuration) await session.connection.call("configureProvider", this.#configuration);
    return session;
  }
}
