import { affinityShape, constraintShape } from "./constraint.ts";
import type { DraftOf, ValueOf } from "./shape.ts";
import { flag, many, map, optional, shape, text, texts, whole } from "./shape.ts";

const portFields = { to: whole(), hostNetwork: text("default"), ignoreCollision: flag() };

/** A port with a number of its own, by its label; `to` is the one inside the task. */
export const reservedPortShape = shape(
  "Static Port",
  { label: text("", { language: null }), value: whole(0, { language: "static" }), ...portFields },
  "label",
);

/** A port whose number is chosen when an allocation is placed: its `value` is 0. */
export const dynamicPortShape = shape(
  "Dynamic Port",
  {
    label: text("", { language: null }),
    value: whole(0, { language: "static", outOfDiff: true }),
    ...portFields,
  },
  "label",
);
export type Port = ValueOf<typeof reservedPortShape>;

const dnsShape = shape("DNS", { servers: texts(), searches: texts(), options: texts() });
const cniShape = shape("CNI", { args: map() });

/** A network: its mode and its ports, those with a fixed number in `reservedPorts`, the others in `dynamicPorts`. */
export const networkShape = shape("Network", {
  mode: text(),
  device: text("", { outOfDiff: true }),
  cidr: text("", { api: "CIDR", outOfDiff: true }),
  ip: text("", { api: "IP", outOfDiff: true }),
  hostname: text(),
  mbits: whole(0, { api: "MBits" }),
  dns: optional(dnsShape, { api: "DNS" }),
  reservedPorts: many(reservedPortShape, { language: null }),
  dynamicPorts: many(dynamicPortShape, { language: "port" }),
  cni: optional(cniShape, { api: "CNI" }),
});
export type Network = ValueOf<typeof networkShape>;
export type NetworkDraft = DraftOf<typeof networkShape>;

const deviceShape = shape(
  "Device",
  {
    name: text("", { language: null }),
    count: whole(1),
    constraints: many(constraintShape, { language: "constraint" }),
    affinities: many(affinityShape, { language: "affinity" }),
  },
  "name",
);

const numaShape = shape("NUMA", { affinity: text("none"), devices: texts() });

/**
 * What a task needs of a node: `cpu` in MHz or whole `cores`, memory in MiB (`memoryMax` is what it may take where there is
 * some to spare; -1 without bound).
 */
export const resourcesShape = shape("Resources", {
  cpu: whole(100, { api: "CPU" }),
  cores: whole(),
  memory: whole(300, { api: "MemoryMB" }),
  memoryMax: whole(0, { api: "MemoryMaxMB" }),
  disk: whole(0, { api: "DiskMB" }),
  iops: whole(0, { api: "IOPS" }),
  secrets: whole(0, { api: "SecretsMB" }),
  networks: many(networkShape, { language: "network" }),
  devices: many(deviceShape, { language: "device" }),
  numa: optional(numaShape, { api: "NUMA" }),
});
export type Resources = ValueOf<typeof resourcesShape>;

/** The disk that a group's tasks share, in MiB. */
export const ephemeralDiskShape = shape("EphemeralDisk", {
  sticky: flag(),
  migrate: flag(),
  size: whole(300, { api: "SizeMB" }),
});

const mountOptionsShape = shape("MountOptions", { fsType: text("", { api: "FSType" }), mountFlags: texts() });

/** A volume that a group asks for, by its name. */
export const volumeShape = shape(
  "Volume",
  {
    name: text("", { language: null }),
    type: text("host"),
    source: text(),
    readOnly: flag(),
    sticky: flag(),
    accessMode: text(),
    attachmentMode: text(),
    perAlloc: flag(),
    mountOptions: optional(mountOptionsShape),
  },
  "name",
);

/** Where in a task's folder a volume of its group is seen. */
export const volumeMountShape = shape("VolumeMount", {
  volume: text("", { required: true }),
  destination: text("", { required: true }),
  readOnly: flag(),
  propagationMode: text("private"),
  selinuxLabel: text("", { api: "SELinuxLabel" }),
});
