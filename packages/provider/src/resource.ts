import type { Call, ClientToken, ResourceCall } from "./call.ts";
import type { ConfigOf, PlanOf, SentOf, StateOf, Unsettled } from "./field-types.ts";
import type { Fields } from "./fields.ts";
import type { PlanNote } from "./plan-note.ts";
import type { PrivateData } from "./private-data.ts";
import type { Problem, ProblemPlace } from "./problem.ts";
import type { DeferralReason } from "./protocol.ts";
import type { TypeSystem } from "./schema-of-fields.ts";
import type { ServedResource } from "./serve-resource.ts";
import { serveResource } from "./serve-resource.ts";
import type { ResourceIdentity } from "./resource-identity.ts";
import type { JsonObject } from "./state-json.ts";

/**
 * A managed resource, as its author writes it. The framework plans from the fields (defaults, computed values,
 * replacement), checks what comes back, and speaks the protocol; the author says what to do in the world.
 *
 * Objects are plain data typed by the fields. A function that cannot do its work throws a `failure(…)`, or lets the
 * operational error of a client through.
 */
export interface ResourceDefinition<F extends Fields, C> {
  readonly description?: string;
  /** Raised by one whenever states of before cannot be read by `schema`; see `upgrades`. */
  readonly version?: number;
  readonly client?: ClientToken<C>;
  readonly schema: F;
  /** Rules over several attributes; `undefined` stands where a value is not known yet. */
  validate?(call: { readonly config: Unsettled<ConfigOf<F>> }): Iterable<Problem>;
  /** Changes what the fields alone would plan; not called for destroys. */
  plan?(call: PlanHookCall<F, C>): PlanChange<F> | undefined | Promise<PlanChange<F> | undefined>;
  create(call: CreateCall<F, C>): Promise<StateOf<F>> | StateOf<F>;
  /** What is there now; null when it is gone. */
  read(call: ResourceCall<C> & { readonly state: StateOf<F> }): Promise<StateOf<F> | null> | StateOf<F> | null;
  /**
   * The same for several objects at once, in the order given, where the service can list them: a plan of thousands is then a
   * few calls. Without private data, and without warnings.
   */
  readMany?(
    call: Pick<Call<C>, "client" | "signal"> & { readonly states: readonly StateOf<F>[] },
  ): Promise<readonly (StateOf<F> | null)[]> | readonly (StateOf<F> | null)[];
  /**
   * Beside `readMany`: a text that stays the same as long as no object of this type has changed in the world. Objects that were
   * last read at the same token are not read again, and the plan says so.
   */
  changeToken?(call: Pick<Call<C>, "client" | "signal">): Promise<string | undefined> | string | undefined;
  /** Left out where nothing can be changed in place: then every change needs a new object. */
  update?(call: UpdateCall<F, C>): Promise<StateOf<F>> | StateOf<F>;
  delete(call: ResourceCall<C> & { readonly state: StateOf<F>; keep(state: StateOf<F>): void }): Promise<void> | void;
  /** What names an object of this type for ever, where something does. */
  readonly identity?: ResourceIdentity<F>;
  /** Finds the object that `id` names, for a user who wants to manage what is there already. */
  import?(call: Call<C> & { readonly id: string }): Promise<StateOf<F>> | StateOf<F>;
  /**
   * How a create is settled whose run was killed before its answer came; the next plan asks.
   * `"nothing-outside"`: the resource makes nothing outside of the state, so there is nothing to find.
   * A function looks for the object by what was sent: its state where it is there, null where it is not. Where that
   * cannot be told it throws a `failure(…)`.
   * Left out where an object cannot be found again by what was sent (the service gives it its identity): then the plan
   * stops and asks the user, so that nothing is created twice.
   */
  readonly interrupted?: "nothing-outside" | InterruptedLookup<F, C>;
  /** From the JSON of schema version N to that of N + 1; a version that is not here needs no change. */
  readonly upgrades?: Readonly<Record<number, (old: JsonObject) => JsonObject | Promise<JsonObject>>>;
  /** States of other resource types that can become one of this. */
  readonly moves?: readonly ResourceMove[];
  /** `legacy` for resources that behave as ones of the older plugin SDK do; see {@link TypeSystem}. */
  readonly typeSystem?: TypeSystem;
}

export type InterruptedLookup<F extends Fields, C> = (
  call: Pick<Call<C>, "client" | "signal"> & { readonly sent: SentOf<F> },
) => Promise<StateOf<F> | null> | StateOf<F> | null;

export interface CreateCall<F extends Fields, C> extends ResourceCall<C> {
  readonly config: ConfigOf<F>;
  readonly plan: PlanOf<F>;
  /** Says what is there so far: should this call fail later, that is recorded, and the next plan goes on from there. */
  keep(state: StateOf<F>): void;
}

export interface UpdateCall<F extends Fields, C> extends CreateCall<F, C> {
  /** What was there before. */
  readonly state: StateOf<F>;
}

export interface PlanHookCall<F extends Fields, C> extends Omit<ResourceCall<C>, "client"> {
  /** Undefined while the provider's own configuration is not known. */
  readonly client: C | undefined;
  readonly config: Unsettled<ConfigOf<F>>;
  /** Null for a new object. */
  readonly state: StateOf<F> | null;
  readonly plan: Unsettled<PlanOf<F>>;
  /** While a plan is carried out: what that plan remembered. Undefined while one is made. */
  readonly promised?: PrivateData;
}

/**
 * What a `plan` function wants changed: attributes of the plan (`undefined`: not known yet), further reasons to replace; and
 * what people should read beside it.
 */
export interface PlanChange<F extends Fields> {
  readonly plan?: Partial<Unsettled<PlanOf<F>>>;
  readonly replace?: readonly ProblemPlace[];
  readonly notes?: readonly PlanNote[];
  /**
   * Puts the whole change off to a later plan, such as one for which something has to be there that this run makes. Where
   * the user does not allow that (`-allow-deferral`) it is an error.
   */
  readonly putOff?: DeferralReason;
}

/** How the state of another resource type becomes one of this. */
export interface ResourceMove {
  /** The provider's address, `registry.terraform.io/hashicorp/null`. */
  readonly provider: string;
  readonly type: string;
  readonly move: (old: JsonObject) => JsonObject;
}

/** A resource ready to be served by a provider whose client is a `C`. */
export type Resource<C> = (type: string) => ServedResource<C>;

export function defineResource<const F extends Fields, C = unknown>(definition: ResourceDefinition<F, C>): Resource<C> {
  return (type) => serveResource(type, definition);
}

/** What a value is not known yet is called in plans: `return { plan: { checksum: notKnownYet } }`. */
export const notKnownYet: undefined = undefined;
