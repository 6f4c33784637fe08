import { affinityShape, constraintShape } from "./constraint.ts";
import { second } from "./nanoseconds.ts";
import { resourcesShape, volumeMountShape } from "./resources.ts";
import { identityShape, serviceShape } from "./service.ts";
import type { DraftOf, ValueOf } from "./shape.ts";
import {
  always,
  duration,
  flag,
  free,
  many,
  map,
  optional,
  optionalDuration,
  optionalText,
  optionalWhole,
  shape,
  text,
  texts,
  whole,
} from "./shape.ts";

/** How often a failed task is started again on its node: `attempts` in each `interval`, then by `mode`. */
export const restartShape = shape("RestartPolicy", {
  attempts: whole(),
  interval: duration(),
  delay: duration(),
  mode: text("fail"),
  renderTemplates: flag(),
});
export type RestartPolicy = ValueOf<typeof restartShape>;
export type RestartDraft = DraftOf<typeof restartShape>;

const lifecycleShape = shape("Lifecycle", { hook: text("", { required: true }), sidecar: flag() });

export const logsShape = shape("LogConfig", {
  maxFiles: whole(10),
  maxFileSize: whole(10, { api: "MaxFileSizeMB" }),
  disabled: flag(),
});

/** What is fetched into a task's folder before it starts. */
export const artifactShape = shape("Artifact", {
  source: text("", { api: "GetterSource", required: true }),
  options: map({ api: "GetterOptions" }),
  headers: map({ api: "GetterHeaders" }),
  mode: text("any", { api: "GetterMode" }),
  insecure: flag(false, { api: "GetterInsecure" }),
  destination: text("local/", { api: "RelativeDest", mayBeEmpty: true }),
  chown: flag(),
});
export type Artifact = ValueOf<typeof artifactShape>;

const waitShape = shape("Wait", { min: optionalDuration(), max: optionalDuration() });

const changeScriptShape = shape("ChangeScript", {
  command: text("", { required: true }),
  args: texts(),
  timeout: duration(5 * second),
  failOnError: flag(),
  runOnFirstRender: flag(),
});

/** A file that is rendered from what servers say, and what happens when that changes. */
export const templateShape = shape("Template", {
  source: text("", { api: "SourcePath" }),
  destination: text("", { api: "DestPath" }),
  data: text("", { api: "EmbeddedTmpl" }),
  changeMode: text("restart"),
  changeSignal: text(),
  changeScript: optional(changeScriptShape),
  once: flag(),
  splay: duration(5 * second),
  perms: text("0644"),
  uid: optionalWhole(),
  gid: optionalWhole(),
  leftDelimiter: text("{{", { api: "LeftDelim" }),
  rightDelimiter: text("}}", { api: "RightDelim" }),
  env: flag(false, { api: "Envvars" }),
  vaultGrace: duration(),
  wait: optional(waitShape),
  errorOnMissingKey: flag(false, { api: "ErrMissingKey" }),
});
export type Template = ValueOf<typeof templateShape>;

/** The token of the secrets server that a task gets: by `role`, or by the `policies` of 2016. */
export const vaultShape = shape("Vault", {
  policies: texts(),
  role: text(),
  namespace: text(),
  cluster: text("default"),
  env: flag(true),
  disableFile: flag(),
  changeMode: text("restart"),
  changeSignal: text("SIGHUP"),
  allowTokenExpiration: flag(),
});
export type Vault = ValueOf<typeof vaultShape>;
export type VaultDraft = DraftOf<typeof vaultShape>;

/** Which of several catalogs a group or task uses. */
export const consulShape = shape("Consul", {
  namespace: text(),
  cluster: text("default"),
  partition: text(),
});

const dispatchPayloadShape = shape("DispatchPayload", { file: text() });

const actionShape = shape(
  "Action",
  { name: text("", { language: null }), command: text("", { required: true }), args: texts() },
  "name",
);

/** One program on a node, and all that it needs. `config` is its driver's. */
export const taskShape = shape(
  "Task",
  {
    name: text("", { language: null, outOfDiff: true }),
    driver: text(),
    user: text(),
    lifecycle: optional(lifecycleShape),
    constraints: many(constraintShape, { language: "constraint" }),
    affinities: many(affinityShape, { language: "affinity" }),
    config: free(),
    env: map(),
    resources: always(resourcesShape),
    restart: always(restartShape, { api: "RestartPolicy" }),
    meta: map(),
    killTimeout: duration(5 * second),
    killSignal: text(),
    kind: text(),
    leader: flag(),
    shutdownDelay: duration(),
    logs: always(logsShape, { api: "LogConfig" }),
    dispatchPayload: optional(dispatchPayloadShape),
    artifacts: many(artifactShape, { language: "artifact" }),
    services: many(serviceShape, { language: "service" }),
    vault: optional(vaultShape),
    consul: optional(consulShape),
    templates: many(templateShape, { language: "template" }),
    volumeMounts: many(volumeMountShape, { language: "volume_mount" }),
    identity: optional(identityShape, { language: null }),
    identities: many(identityShape, { language: "identity" }),
    actions: many(actionShape, { language: "action" }),
  },
  "name",
);
export type Task = ValueOf<typeof taskShape>;
export type TaskDraft = DraftOf<typeof taskShape>;

/** How often failed allocations are placed elsewhere. */
export const rescheduleShape = shape("ReschedulePolicy", {
  attempts: whole(),
  interval: duration(),
  delay: duration(),
  delayFunction: text(),
  maxDelay: duration(),
  unlimited: flag(),
});
export type ReschedulePolicy = ValueOf<typeof rescheduleShape>;
export type RescheduleDraft = DraftOf<typeof rescheduleShape>;

/** What holds a group's tasks on a node that is away. */
export const disconnectShape = shape("Disconnect", {
  lostAfter: optionalDuration(),
  stopOnClientAfter: optionalDuration(),
  replace: flag(true),
  reconcile: optionalText(),
});
