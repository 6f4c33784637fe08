import type { NodeCapacity } from "@millwright/clients/nomad-node-protocol";
import type { ArtifactLimits } from "../artifact/limits.ts";
import type { GarbageLimits } from "../allocation/host.ts";
import type { ToldResources } from "../fingerprint/fingerprint.ts";
import type { VaultSettings } from "./vault-host.ts";

/** How a node is to run jobs; what is not given has Nomad's default. */
export interface ClientSettings {
  /** `host:port` or URLs of the servers' Nomad HTTP API. */
  readonly servers: readonly string[];
  /** Of Nomad's HTTP API on this node; 4646 by default, 0 for any free one. */
  readonly port?: number;
  /** Of the servers it belongs to; any by default. */
  readonly region?: string;
  /** What jobs call `datacenters`; the name of discovery's datacenter by default. */
  readonly datacenter?: string;
  readonly nodeClass?: string;
  readonly nodePool?: string;
  readonly meta?: Readonly<Record<string, string>>;
  readonly drivers?: DriverSettings;
  readonly told?: ToldResources;
  /** What tasks do not get. */
  readonly reserved?: Partial<NodeCapacity> & { readonly ports?: string };
  /** Both ends included. */
  readonly dynamicPorts?: { readonly from: number; readonly to: number };
  readonly garbage?: GarbageLimits;
  /** Of tasks; none where it is not given. */
  readonly vault?: VaultSettings;
  /** With which templates read discovery, in place of the node's own token. Secret. */
  readonly consulToken?: string;
  /** An artifact's address that begins with a name is asked for with the value in its place. */
  readonly artifactMirrors?: Readonly<Record<string, string>>;
  readonly artifactLimits?: Partial<ArtifactLimits>;
  /** Variables of the agent's environment that no task sees. */
  readonly deniedEnvironment?: readonly string[];
}

export interface DriverSettings {
  /** Programs without isolation; off by default. */
  readonly rawExec?: boolean;
  readonly docker?: {
    readonly endpoint?: string;
    readonly privileged?: boolean;
    readonly hostVolumes?: boolean;
  };
  /** Only these, where given. */
  readonly allowed?: readonly string[];
  readonly denied?: readonly string[];
}
