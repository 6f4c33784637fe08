import { second } from "./nanoseconds.ts";
import type { DraftOf, ValueOf } from "./shape.ts";
import { duration, flag, lists, many, map, optional, shape, text, texts, whole } from "./shape.ts";

/** When failing checks restart their task: after `limit` failures one after another, 0 for never. */
export const checkRestartShape = shape("CheckRestart", {
  limit: whole(),
  grace: duration(second),
  ignoreWarnings: flag(),
});
export type CheckRestart = ValueOf<typeof checkRestartShape>;

/** How a service's health is found. */
export const checkShape = shape("Check", {
  name: text(),
  type: text(),
  command: text(),
  args: texts(),
  path: text(),
  protocol: text(),
  port: text("", { api: "PortLabel" }),
  expose: flag(),
  addressMode: text(),
  advertise: text(),
  interval: duration(),
  timeout: duration(),
  initialStatus: text(),
  notes: text(),
  tlsServerName: text("", { api: "TLSServerName" }),
  tlsSkipVerify: flag(false, { api: "TLSSkipVerify" }),
  header: lists(),
  method: text(),
  checkRestart: optional(checkRestartShape),
  grpcService: text("", { api: "GRPCService" }),
  grpcUseTls: flag(false, { api: "GRPCUseTLS" }),
  task: text("", { api: "TaskName" }),
  successBeforePassing: whole(),
  failuresBeforeCritical: whole(),
  failuresBeforeWarning: whole(),
  body: text(),
  onUpdate: text(),
});
export type Check = ValueOf<typeof checkShape>;
export type CheckDraft = DraftOf<typeof checkShape>;

/** A credential that says who a task or a service is: a signed token, kept fresh in an environment variable or a file. */
export const identityShape = shape("Identity", {
  name: text(),
  audience: texts({ language: "aud" }),
  changeMode: text(),
  changeSignal: text(),
  env: flag(),
  file: flag(),
  filepath: text(),
  serviceName: text(),
  ttl: duration(0, { api: "TTL" }),
  extraClaims: texts(),
});
export type Identity = ValueOf<typeof identityShape>;

const weightsShape = shape("Weights", { passing: whole(1), warning: whole(1) });

/** How a task or a group is found by others. */
export const serviceShape = shape("Service", {
  name: text(),
  provider: text("consul"),
  port: text("", { api: "PortLabel" }),
  addressMode: text("auto"),
  address: text(),
  cluster: text("default"),
  kind: text(),
  task: text("", { api: "TaskName" }),
  enableTagOverride: flag(),
  onUpdate: text("require_healthy"),
  meta: map(),
  canaryMeta: map(),
  taggedAddresses: map(),
  canaryTags: texts(),
  tags: texts(),
  checks: many(checkShape, { language: "check" }),
  checkRestart: optional(checkRestartShape, { outOfDiff: true }),
  identity: optional(identityShape),
  weights: optional(weightsShape),
});
export type Service = ValueOf<typeof serviceShape>;
export type ServiceDraft = DraftOf<typeof serviceShape>;
