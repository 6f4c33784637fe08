import { OperationalError } from "@millwright/core/errors";
import type { Clock } from "@millwright/core/ports";
import type { TokenId } from "../engine.ts";
import { secretsErrors } from "../errors.ts";
import { wrappingPolicy } from "../policy/policy-store.ts";
import type { SecretStorage } from "../storage.ts";
import type { Tokens } from "../token/tokens.ts";
import type { WrapInfo } from "./outcome.ts";

/** Answers that were put into a token, to be taken out once. */
export interface Wrapping {
  /** Keeps a body for `ttl` seconds; whoever has the token that is told can have it. */
  wrap(answer: WrappedAnswer): Promise<WrapInfo>;
  /** Gives the body, and ends the token. Rejects with `badRequest` where there is nothing to be had (any more). */
  unwrap(token: string): Promise<WrappedAnswer>;
  /** What is told without taking it out. */
  lookup(token: string): Promise<WrappedAnswer & { readonly created: number }>;
  /** Forgets what tokens held that have ended. */
  sweep(): Promise<void>;
}

export interface WrappedAnswer {
  readonly body: string;
  /** Seconds. */
  readonly ttl: number;
  readonly creationPath: string;
  readonly wrappedAccessor?: string;
}

export interface WrappingOptions {
  /** Holds nothing else. */
  readonly storage: SecretStorage;
  readonly tokens: Tokens;
  readonly clock: Clock;
}

export function openWrapping({ storage, tokens, clock }: WrappingOptions): Wrapping {
  const find = async (token: string) => {
    const view = token === "" ? undefined : await tokens.find(token);
    const held = view && (await storage.get(view.id));
    if (!view || !held) throw notThere();
    const answer = JSON.parse(Buffer.from(held.value).toString()) as WrappedAnswer & { readonly created: number };
    return { id: view.id, revision: held.revision, answer };
  };
  return {
    wrap: async (answer) => {
      const auth = await tokens.create(grantFor(answer.ttl), "sys/wrapping/wrap");
      const view = await tokens.find(auth.clientToken);
      if (!view) throw notThere();
      const created = clock.now();
      const value = Buffer.from(JSON.stringify({ ...answer, created }));
      await storage.commit([{ op: "put", path: view.id, value }]);
      const { ttl, creationPath, wrappedAccessor } = answer;
      const info = { token: auth.clientToken, accessor: auth.accessor, ttl, created, creationPath };
      return wrappedAccessor === undefined ? info : { ...info, wrappedAccessor };
    },
    unwrap: async (token) => {
      const { id, revision, answer } = await find(token);
      // Who takes it away has it: of two at the same time one comes too late.
      if (!(await storage.commit([{ op: "delete", path: id }], [{ path: id, revision }]))) throw notThere();
      await tokens.revoke(id);
      return answer;
    },
    lookup: async (token) => (await find(token)).answer,
    sweep: async () => {
      for (const path of await storage.list(""))
        if (!(await tokens.byId(path as TokenId))) await storage.commit([{ op: "delete", path }]);
    },
  };
}

function grantFor(ttl: number) {
  return {
    displayName: "response-wrapping",
    policies: [wrappingPolicy],
    metadata: {},
    ttl,
    maxTtl: ttl,
    explicitMaxTtl: ttl,
    period: 0,
    renewable: false,
    numUses: 0,
    withDefaultPolicy: false,
  };
}

function notThere(): OperationalError {
  return new OperationalError(secretsErrors.badRequest, "wrapping token is not valid or does not exist");
}
