import type { PrivateData } from "./private-data.ts";
import type { ProblemPlace } from "./problem.ts";

/** What each function of a resource, data source or ephemeral resource gets beside its objects. */
export interface Call<C> {
  /** What the provider's `configure` made. */
  readonly client: C;
  /** Aborted when the user wants the run to end: finish or leave as soon as what is kept is true. */
  readonly signal: AbortSignal;
  /** Something the user should know, though the call succeeds. */
  warn(summary: string, detail: string, at?: ProblemPlace): void;
}

/** The same for resources, which can remember something beside their state. */
export interface ResourceCall<C> extends Call<C> {
  readonly private: PrivateData;
}

/** Says what type of client a definition uses, for the compiler; see {@link uses}. */
export interface ClientToken<C> {
  readonly [client]?: C;
}
declare const client: unique symbol;

/** Ties a definition to the provider's client: `client: uses<ConsulClient>()`. */
export function uses<C>(): ClientToken<C> {
  return {};
}
