import type { Type } from "@millwright/value/types";

/** What a provider serves: protocol 6's GetProviderSchema, with names of our own. */
export interface ProviderSchema {
  readonly provider: Schema;
  readonly providerMeta?: Schema;
  readonly resources: ReadonlyMap<string, Schema>;
  readonly dataSources: ReadonlyMap<string, Schema>;
  readonly ephemeralResources: ReadonlyMap<string, Schema>;
  readonly functions: ReadonlyMap<string, FunctionSchema>;
  readonly capabilities: ServerCapabilities;
}

export interface ServerCapabilities {
  /** PlanResourceChange is wanted for destroys too. */
  readonly planDestroy: boolean;
  /** The other calls work without GetProviderSchema having been called in this process. */
  readonly schemaOptional: boolean;
  readonly moveResourceState: boolean;
}

/** A schema of one version: what a block of that type may hold. `version` 0 and up, for state upgrades. */
export interface Schema {
  readonly version: number;
  readonly block: BlockSchema;
  /** Of resource types whose objects have one. */
  readonly identity?: IdentitySchema;
}

/** What names one remote object of a resource type for ever. */
export interface IdentitySchema {
  readonly version: number;
  readonly attributes: ReadonlyMap<string, IdentityAttributeSchema>;
}

export interface IdentityAttributeSchema {
  readonly type: Type;
  /** Exactly one of the two where it may come from a user's `import` block; else the provider finds it. */
  readonly requiredForImport: boolean;
  readonly optionalForImport: boolean;
  readonly description?: string;
}

export interface BlockSchema {
  readonly attributes: ReadonlyMap<string, AttributeSchema>;
  readonly blocks: ReadonlyMap<string, NestedBlockSchema>;
  readonly description?: string;
  readonly descriptionKind?: "plain" | "markdown";
  readonly deprecated?: boolean;
}

/**
 * One attribute. Exactly one of `type` and `nested` is set. `required`, `optional`, `computed` combine as in the protocol:
 * required alone, optional alone, computed alone, or optional and computed.
 */
export interface AttributeSchema {
  readonly type?: Type;
  readonly nested?: NestedAttributeSchema;
  readonly required?: boolean;
  readonly optional?: boolean;
  readonly computed?: boolean;
  readonly sensitive?: boolean;
  readonly writeOnly?: boolean;
  readonly deprecated?: boolean;
  /** Beyond the protocol: it changes by itself, with nobody at work. Of attributes of the object itself. */
  readonly volatile?: boolean;
  readonly description?: string;
  readonly descriptionKind?: "plain" | "markdown";
}

export interface NestedAttributeSchema {
  readonly nesting: "single" | "list" | "set" | "map";
  readonly attributes: ReadonlyMap<string, AttributeSchema>;
}

export interface NestedBlockSchema {
  readonly nesting: "single" | "group" | "list" | "set" | "map";
  readonly block: BlockSchema;
  /** Only for list and set; 0 means no bound. */
  readonly minItems: number;
  readonly maxItems: number;
}

export interface FunctionSchema {
  readonly parameters: readonly FunctionParameterSchema[];
  readonly variadic?: FunctionParameterSchema;
  readonly returnType: Type;
  readonly summary?: string;
  readonly description?: string;
}

export interface FunctionParameterSchema {
  readonly name: string;
  readonly type: Type;
  readonly allowNull: boolean;
  readonly allowUnknown: boolean;
  readonly description?: string;
}
