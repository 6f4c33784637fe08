/** What a provider is written with, from one place: see docs/providers.md. */
export type { Call, ClientToken, ResourceCall } from "@millwright/provider/call";
export { uses } from "@millwright/provider/call";
export type { DataSource, DataSourceDefinition } from "@millwright/provider/data-source";
export { defineDataSource } from "@millwright/provider/data-source";
export type { DefinedProvider, ProviderDefinition } from "@millwright/provider/define";
export { defineProvider } from "@millwright/provider/define";
export type {
  EphemeralResource,
  EphemeralResourceDefinition,
  Opened,
  Renewal,
} from "@millwright/provider/ephemeral-resource";
export { defineEphemeralResource } from "@millwright/provider/ephemeral-resource";
export type { ConfigOf, PlanOf, StateOf } from "@millwright/provider/field-types";
export type { Attribute, Block, Field, Fields, FieldType } from "@millwright/provider/fields";
export {
  blocks,
  bool,
  computed,
  dynamic,
  list,
  map,
  nested,
  nullable,
  number,
  object,
  optional,
  required,
  set,
  string,
  writeOnly,
} from "@millwright/provider/fields";
export type { FunctionDefinition, Parameter } from "@millwright/provider/function";
export { ArgumentError, defineFunction, parameter } from "@millwright/provider/function";
export type { Problem, ProblemPlace } from "@millwright/provider/problem";
export { Failure, failure, problem, warning } from "@millwright/provider/problem";
export type {
  CreateCall,
  InterruptedLookup,
  PlanChange,
  PlanHookCall,
  Resource,
  ResourceDefinition,
  UpdateCall,
} from "@millwright/provider/resource";
export { defineResource, notKnownYet } from "@millwright/provider/resource";
export type { ResourceIdentity } from "@millwright/provider/resource-identity";
