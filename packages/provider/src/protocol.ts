import type { Path } from "@millwright/value/path";
import type { Type } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import type { PlanNote } from "./plan-note.ts";
import type { ProviderSchema } from "./schema.ts";

/**
 * A running provider: the calls of Terraform's plugin protocol 6, one to one, over values. The engine knows nothing else
 * of a provider, so a TypeScript provider in this process and a Go one in another are the same to it.
 *
 * Values carry no marks. Every object has all attributes of its schema's implied type, nulls included. A rejection means
 * that the provider died or cannot be reached; what a user did wrong comes as diagnostics.
 * Source: Terraform plugin protocol version 6, and its resource instance change lifecycle.
 */
export interface Provider {
  schema(): Promise<ProviderSchema>;
  /** `config` may hold unknowns. The answer's `prepared` is what v5's PrepareProviderConfig gives; v6 gives `config` back. */
  validateProviderConfig(call: {
    readonly config: Value;
  }): Promise<{ readonly prepared: Value; readonly diagnostics: ProviderDiagnostics }>;
  validateResourceConfig(call: ValidateCall): Promise<{ readonly diagnostics: ProviderDiagnostics }>;
  validateDataConfig(call: ValidateCall): Promise<{ readonly diagnostics: ProviderDiagnostics }>;
  validateEphemeralConfig(call: ValidateCall): Promise<{ readonly diagnostics: ProviderDiagnostics }>;
  /** From the JSON that a state file holds for schema version `version` to a value of the current schema. */
  upgradeResourceState(
    call: UpgradeCall,
  ): Promise<{ readonly upgraded: Value; readonly diagnostics: ProviderDiagnostics }>;
  /** The same for the identity that is stored beside a state; only of providers with resource types that have one. */
  upgradeResourceIdentity?(
    call: UpgradeCall,
  ): Promise<{ readonly upgraded: Value; readonly diagnostics: ProviderDiagnostics }>;
  configure(call: ConfigureCall): Promise<{ readonly diagnostics: ProviderDiagnostics }>;
  /** A null `newState` says that the object is gone. */
  readResource(call: ReadCall): Promise<ReadAnswer>;
  /** Beyond the protocol: the types whose objects can be read many at a time. */
  readonly readsMany?: ReadonlySet<string>;
  /** Beyond the protocol: reads several objects of one such type. The answers are in the order of the calls. */
  readMany?(calls: readonly ReadCall[]): Promise<readonly ReadAnswer[]>;
  planResourceChange(call: PlanCall): Promise<PlanAnswer>;
  /** Beside errors the answer still carries what is there now (partial state). */
  applyResourceChange(call: ApplyCall): Promise<ApplyAnswer>;
  importResourceState(call: ImportCall): Promise<ImportAnswer>;
  moveResourceState(call: MoveCall): Promise<MoveAnswer>;
  readDataSource(call: DataCall): Promise<DataAnswer>;
  openEphemeralResource(call: DataCall): Promise<OpenAnswer>;
  renewEphemeralResource(
    call: EphemeralCall,
  ): Promise<{ readonly renewAt?: Date; readonly private: Uint8Array; readonly diagnostics: ProviderDiagnostics }>;
  closeEphemeralResource(call: EphemeralCall): Promise<{ readonly diagnostics: ProviderDiagnostics }>;
  callFunction(call: { readonly name: string; readonly args: readonly Value[] }): Promise<FunctionAnswer>;
  /**
   * Beyond the protocol, and only of providers of this program: whether the object of a create whose answer was lost is there, told
   * by what was sent (the planned object; what was unknown or sensitive is null).
   */
  findInterrupted?(call: InterruptedCall): Promise<InterruptedAnswer>;
  /** Asks running calls to end soon (^C); they answer with what they have. */
  stop(): Promise<void>;
  /** Ends the provider; no call is running. */
  close(): Promise<void>;
}

/** A diagnostic of a provider; `attribute` leads from the config (or planned) object to the fault. */
export interface ProviderDiagnostic {
  readonly severity: "error" | "warning";
  readonly summary: string;
  readonly detail: string;
  readonly attribute?: Path;
}
export type ProviderDiagnostics = readonly ProviderDiagnostic[];

/** Why a provider puts its answer off to a later plan. Source: plugin protocol 6.6, `Deferred.Reason`. */
export type DeferralReason = "unknown" | "resource-config-unknown" | "provider-config-unknown" | "absent-prerequisite";

/** A call that the provider may put off. */
export interface DeferrableCall {
  /** Whether it may; where it may not, what cannot be answered yet is an error. */
  readonly deferralAllowed?: boolean;
}

/** An answer that may be put off. */
export interface DeferrableAnswer {
  /** Set where it is: the rest of the answer is as much as is known so far. */
  readonly deferral?: DeferralReason;
}

export interface ValidateCall {
  readonly type: string;
  readonly config: Value;
}

export interface UpgradeCall {
  readonly type: string;
  readonly version: number;
  /** The attributes as JSON text. */
  readonly json: string;
  /** The attributes as files of before 2019 have them, text by dotted names; `json` is empty then. */
  readonly flatmap?: ReadonlyMap<string, string>;
}

export interface ConfigureCall {
  /** The version a provider is told it serves, e.g. `1.11.4`. */
  readonly terraformVersion: string;
  readonly config: Value;
}

export interface ReadCall extends DeferrableCall {
  readonly type: string;
  readonly current: Value;
  readonly private: Uint8Array;
  /** As stored beside the state, where the type has an identity and one is known. */
  readonly identity?: Value;
  readonly providerMeta?: Value;
}

export interface ReadAnswer extends DeferrableAnswer {
  readonly newState: Value;
  readonly private: Uint8Array;
  readonly identity?: Value;
  readonly diagnostics: ProviderDiagnostics;
  /** Beyond the protocol: it was not looked at, since nothing of its type has changed since it last was. */
  readonly unread?: true;
}

export interface PlanCall extends DeferrableCall {
  readonly type: string;
  /** Null when it is to be created. */
  readonly prior: Value;
  /** Null when it is to be destroyed. Computed attributes that the config leaves out hold their prior values. */
  readonly proposed: Value;
  readonly config: Value;
  readonly priorPrivate: Uint8Array;
  readonly priorIdentity?: Value;
  readonly providerMeta?: Value;
  /** Beyond the protocol: while a plan is carried out, the `plannedPrivate` of that plan. */
  readonly promised?: Uint8Array;
}

export interface PlanAnswer extends DeferrableAnswer {
  readonly planned: Value;
  /** Paths whose change needs a new object. */
  readonly requiresReplace: readonly Path[];
  readonly plannedPrivate: Uint8Array;
  readonly plannedIdentity?: Value;
  /** Protocol 5's leniency: deviations of `planned` and of the later new state from the config are not errors. */
  readonly legacyTypeSystem: boolean;
  /** Beyond the protocol: what people should read beside the object. */
  readonly notes?: readonly PlanNote[];
  readonly diagnostics: ProviderDiagnostics;
}

export interface ApplyCall {
  readonly type: string;
  readonly prior: Value;
  readonly planned: Value;
  readonly config: Value;
  readonly plannedPrivate: Uint8Array;
  readonly plannedIdentity?: Value;
  readonly providerMeta?: Value;
}

export interface ApplyAnswer {
  readonly newState: Value;
  readonly private: Uint8Array;
  readonly identity?: Value;
  readonly legacyTypeSystem: boolean;
  readonly diagnostics: ProviderDiagnostics;
}

export interface ImportCall extends DeferrableCall {
  readonly type: string;
  /** Empty where `identity` says which object it is. */
  readonly id: string;
  readonly identity?: Value;
}

export interface ImportAnswer extends DeferrableAnswer {
  readonly imported: readonly ImportedObject[];
  readonly diagnostics: ProviderDiagnostics;
}

export interface ImportedObject {
  readonly type: string;
  readonly state: Value;
  readonly private: Uint8Array;
  readonly identity?: Value;
}

export interface InterruptedCall {
  readonly type: string;
  /** The planned object; what was unknown or sensitive is null. */
  readonly sent: Value;
}

/** `unknown` where it cannot be told, with why. */
export type InterruptedAnswer =
  | { readonly kind: "absent" }
  | { readonly kind: "present"; readonly state: Value; readonly private?: Uint8Array }
  | { readonly kind: "unknown"; readonly why: string };

export interface MoveCall {
  readonly sourceProvider: string;
  readonly sourceType: string;
  readonly sourceVersion: number;
  readonly sourceJson: string;
  readonly sourcePrivate: Uint8Array;
  readonly sourceIdentity?: { readonly version: number; readonly json: string };
  readonly targetType: string;
}

export interface MoveAnswer {
  readonly target: Value;
  readonly private: Uint8Array;
  readonly identity?: Value;
  readonly diagnostics: ProviderDiagnostics;
}

export interface DataCall extends DeferrableCall {
  readonly type: string;
  readonly config: Value;
  readonly providerMeta?: Value;
}

export interface DataAnswer extends DeferrableAnswer {
  readonly state: Value;
  readonly diagnostics: ProviderDiagnostics;
}

export interface OpenAnswer {
  readonly result: Value;
  readonly private: Uint8Array;
  readonly renewAt?: Date;
  readonly diagnostics: ProviderDiagnostics;
}

export interface EphemeralCall {
  readonly type: string;
  readonly private: Uint8Array;
}

export type FunctionAnswer =
  | { readonly ok: true; readonly result: Value; readonly type: Type }
  | { readonly ok: false; readonly message: string; readonly argument?: number };
