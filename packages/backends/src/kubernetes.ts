import { gunzipSync, gzipSync } from "node:zlib";
import { messageOf, OperationalError } from "@millwright/core/errors";
import { backendErrors } from "@millwright/engine/backend/errors";
import { type LockInfo, parseLockInfo } from "@millwright/engine/backend/lock-info";
import type { LockTry, StateSlot, StateStorage } from "@millwright/engine/backend/storage";
import type { BackendPorts, BackendType } from "./backend-type.ts";
import { KubeClient, type KubeObject } from "./kubernetes-client.ts";
import { blockSchema, type Settings } from "./settings.ts";
import { explained } from "./storage-failure.ts";

/**
 * `backend "kubernetes"`: a Secret for each workspace, several for a large state, and a Lease as its lock, in the layout of
 * https://developer.hashicorp.com/terraform/language/backend/kubernetes.
 */
export const kubernetesBackend: BackendType = {
  name: "kubernetes",
  schema: blockSchema(
    {
      client_certificate: "text",
      client_key: "text",
      cluster_ca_certificate: "text",
      config_context: "text",
      config_context_auth_info: "text",
      config_context_cluster: "text",
      config_path: "text",
      config_paths: "textList",
      host: "text",
      in_cluster_config: "flag",
      insecure: "flag",
      labels: "textMap",
      load_config_file: "flag",
      namespace: "text",
      password: "text",
      proxy_url: "text",
      secret_suffix: "text",
      token: "text",
      username: "text",
    },
    { exec: { api_version: "text", args: "textList", command: "text", env: "textMap" } },
  ),
  environment: {
    client_certificate: ["KUBE_CLIENT_CERT_DATA"],
    client_key: ["KUBE_CLIENT_KEY_DATA"],
    cluster_ca_certificate: ["KUBE_CLUSTER_CA_CERT_DATA"],
    config_context: ["KUBE_CTX"],
    config_context_auth_info: ["KUBE_CTX_AUTH_INFO"],
    config_context_cluster: ["KUBE_CTX_CLUSTER"],
    config_path: ["KUBE_CONFIG_PATH"],
    host: ["KUBE_HOST"],
    in_cluster_config: ["KUBE_IN_CLUSTER_CONFIG"],
    insecure: ["KUBE_INSECURE"],
    load_config_file: ["KUBE_LOAD_CONFIG_FILE"],
    namespace: ["KUBE_NAMESPACE"],
    password: ["KUBE_PASSWORD"],
    proxy_url: ["KUBE_PROXY_URL"],
    token: ["KUBE_TOKEN"],
    username: ["KUBE_USER"],
  },
  check: checkSettings,
  open: async (settings, ports) => new KubeStorage(settings, ports),
};

function checkSettings(settings: Settings): readonly string[] {
  const suffix = settings.text("secret_suffix");
  const wrong: string[] = [];
  if (!suffix) wrong.push("secret_suffix is missing: what the names of its Secrets end with");
  // A number at the end tells the pieces of a large state.
  else if (/-\d+$/.test(suffix)) wrong.push(`secret_suffix must not end with a hyphen and a number, as ${suffix} does`);
  else if (!isName(suffix)) wrong.push(`secret_suffix may have a-z, 0-9, "-" and "." inside alone, not ${suffix}`);
  if (settings.isSet("proxy_url")) wrong.push("proxy_url is not supported");
  const exec = settings.nested("exec");
  for (const name of ["api_version", "command"])
    if (exec && !exec.text(name)) wrong.push(`${name} is missing in its block exec`);
  return wrong;
}

/** Whether it may be part of an object's name: a DNS subdomain. */
function isName(text: string): boolean {
  return text.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(text);
}

const labelNames = { state: "tfstate", suffix: "tfstateSecretSuffix", workspace: "tfstateWorkspace" } as const;

class KubeStorage implements StateStorage {
  readonly keepsWorkspaces = true;
  readonly #settings: Settings;
  readonly #client: KubeClient;
  readonly #ports: BackendPorts;

  constructor(settings: Settings, ports: BackendPorts) {
    this.#settings = settings;
    this.#ports = ports;
    this.#client = new KubeClient(settings, ports);
  }

  async workspaces(signal: AbortSignal): Promise<readonly string[]> {
    const labels = { [labelNames.state]: "true", [labelNames.suffix]: this.#suffix };
    const secrets = await explained("stateUnreadable", `*-${this.#suffix}`, () =>
      this.#client.list("secrets", labels, signal),
    );
    const names = new Set(secrets.flatMap(({ metadata }) => metadata.labels?.[labelNames.workspace] ?? []));
    names.delete("default");
    return ["default", ...[...names].sort()];
  }

  slot(workspace: string): KubeSlot {
    const suffix = this.#suffix;
    const labels = {
      [labelNames.state]: "true",
      [labelNames.suffix]: suffix,
      [labelNames.workspace]: workspace,
    };
    return new KubeSlot(this.#client, this.#ports, {
      name: `tfstate-${workspace}-${suffix}`,
      labels,
      further: { "app.kubernetes.io/managed-by": "terraform", ...this.#settings.textMap("labels") },
    });
  }

  remove(workspace: string, signal: AbortSignal): Promise<void> {
    return this.slot(workspace).remove(signal);
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  get #suffix(): string {
    return this.#settings.text("secret_suffix") ?? "";
  }
}

/** Secrets that hold something in pieces. */
interface SecretRow {
  /** Of the first. */
  readonly name: string;
  /** What they are found by. */
  readonly labels: Readonly<Record<string, string>>;
}

interface SlotNames extends SecretRow {
  /** What new ones have beside. */
  readonly further: Readonly<Record<string, string>>;
}

/** The most that a Secret holds, in bytes. */
const largestSecret = 1024 * 1024;
const lockInfoName = "app.terraform.io/lock-info";

class KubeSlot implements StateSlot {
  readonly #client: KubeClient;
  readonly #ports: BackendPorts;
  readonly #names: SlotNames;
  /** The lock's id, as long as it is held here. */
  #held: string | undefined;

  constructor(client: KubeClient, ports: BackendPorts, names: SlotNames) {
    this.#client = client;
    this.#ports = ports;
    this.#names = names;
  }

  get place(): string {
    return `${this.#names.name} in the namespace ${this.#client.namespace} of Kubernetes`;
  }

  async read(signal: AbortSignal): Promise<Uint8Array | undefined> {
    // Between two writes of a large state its pieces do not fit together.
    for (let attempt = 0; ; attempt++) {
      const pieces = piecesOf(await this.#reading(() => this.#secrets(this.#whole, signal)));
      if (pieces.every((piece) => piece.length === 0)) return undefined;
      try {
        return gunzipSync(Buffer.concat(pieces));
      } catch (error) {
        const spare = attempt === 3 ? await this.#spareOf(pieces, signal) : undefined;
        if (spare) return spare;
        const why = `The state ${this.place} is damaged: it cannot be unpacked: ${messageOf(error)}.`;
        if (attempt === 3) throw new OperationalError(backendErrors.stateUnreadable, why, { cause: error });
        await this.#ports.clock.sleep(200, signal);
      }
    }
  }

  // That of a write which was killed on the way: it begins as the state does by then. Another is of some write before.
  async #spareOf([first]: readonly Buffer[], signal: AbortSignal): Promise<Uint8Array | undefined> {
    const pieces = piecesOf(await this.#reading(() => this.#secrets(this.#spare, signal)));
    return first && pieces[0]?.equals(first) ? unpacked(Buffer.concat(pieces)) : undefined;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#checkName();
    const packed = gzipSync(bytes);
    await this.#writing(async () => {
      await this.#checkHolder();
      const before = piecesOf(await this.#secrets(this.#whole));
      // Several Secrets are not written at one stroke: at any moment these or the spare ones hold a whole state.
      const isSafe = packed.length <= largestSecret && before.length <= 1;
      if (!isSafe) {
        const spare = Buffer.concat(piecesOf(await this.#secrets(this.#spare)));
        if (!unpacked(Buffer.concat(before)) && unpacked(spare)) await this.#replace(this.#whole, spare);
        await this.#replace(this.#spare, packed);
      }
      await this.#replace(this.#whole, packed);
      if (!isSafe) await this.#replace(this.#spare, Buffer.alloc(0));
    });
  }

  async #replace(row: SecretRow, packed: Uint8Array): Promise<void> {
    const before = await this.#secrets(row);
    const count = Math.ceil(packed.length / largestSecret);
    for (let at = 0; at < count; at++)
      await this.#put(row, at, packed.subarray(at * largestSecret, (at + 1) * largestSecret));
    for (const { metadata } of before)
      if (this.#pieceOf(row, metadata.name) >= count) await this.#client.delete("secrets", metadata.name);
  }

  async lock(info: LockInfo, signal: AbortSignal): Promise<LockTry> {
    this.#checkName();
    const held: LockInfo = { ...info, Path: this.#leaseName };
    const isHeld = await this.#writing(() => this.#acquire(held, signal));
    if (!isHeld) {
      const lease = await this.#reading(() => this.#client.get("leases", this.#leaseName, signal));
      const isOurs = lease?.spec?.["holderIdentity"] === held.ID;
      // Ours where the answer to its first request was lost.
      if (!isOurs) return { kind: "busy", holder: holderOf(lease), why: "somebody who has just let go of it" };
    }
    this.#held = held.ID;
    return { kind: "held", lock: { info: held, release: () => this.#release(held.ID) } };
  }

  async forceUnlock(id: string, signal: AbortSignal): Promise<void> {
    const lease = await this.#reading(() => this.#client.get("leases", this.#leaseName, signal));
    const holder = lease?.spec?.["holderIdentity"];
    if (holder !== id) {
      const who = holder ? `is held by ${String(holder)}, not by ${id}` : "is held by nobody";
      throw new OperationalError(backendErrors.notLocked, `The state ${this.place} ${who}.`);
    }
    await this.#release(id);
  }

  async remove(signal: AbortSignal): Promise<void> {
    await this.#writing(async () => {
      for (const row of [this.#whole, this.#spare])
        for (const { metadata } of await this.#secrets(row, signal))
          await this.#client.delete("secrets", metadata.name);
      await this.#client.delete("leases", this.#leaseName);
    });
  }

  get #leaseName(): string {
    return `lock-${this.#names.name}`;
  }

  get #whole(): SecretRow {
    return this.#names;
  }

  get #spare(): SecretRow {
    const { name, labels } = this.#names;
    const { [labelNames.state]: _, ...rest } = labels;
    return { name: `${name}-spare`, labels: { ...rest, millwrightSpare: "true" } };
  }

  /** The Secrets of a row in the order of its pieces. */
  async #secrets(row: SecretRow, signal?: AbortSignal): Promise<readonly KubeObject[]> {
    const all = await this.#client.list("secrets", row.labels, signal);
    const piece = ({ metadata }: KubeObject) => this.#pieceOf(row, metadata.name);
    return all.filter((secret) => piece(secret) >= 0).sort((a, b) => piece(a) - piece(b));
  }

  #pieceName({ name }: SecretRow, at: number): string {
    return at === 0 ? name : `${name}-part-${at}`;
  }

  /** Which piece a Secret is; -1 for one that is none. */
  #pieceOf(row: SecretRow, name: string): number {
    if (name === row.name) return 0;
    const [, at] = /-part-(\d+)$/.exec(name) ?? [];
    return at !== undefined && name === this.#pieceName(row, Number(at)) ? Number(at) : -1;
  }

  async #put(row: SecretRow, at: number, piece: Uint8Array): Promise<void> {
    const name = this.#pieceName(row, at);
    const data = { tfstate: Buffer.from(piece).toString("base64") };
    // Others than holders of the lock may change a Secret, such as what puts annotations on all of them.
    for (let attempt = 0; attempt < 5; attempt++) {
      const there = await this.#client.get("secrets", name);
      const made = { metadata: { name, ...this.#metadata({ encoding: "gzip" }, row.labels) }, data };
      const done = there
        ? await this.#client.update("secrets", { ...there, data: { ...there.data, ...data } })
        : await this.#client.create("secrets", made);
      if (done) return;
    }
    throw new OperationalError(backendErrors.stateUnwritable, `the Secret ${name} is changed by others all the time`);
  }

  async #acquire(info: LockInfo, signal: AbortSignal): Promise<boolean> {
    const lease = await this.#client.get("leases", this.#leaseName, signal);
    const annotations = { [lockInfoName]: JSON.stringify(info) };
    if (!lease) {
      const metadata = { name: this.#leaseName, ...this.#metadata(annotations) };
      return this.#client.create("leases", { metadata, spec: { holderIdentity: info.ID } }, signal);
    }
    if (lease.spec?.["holderIdentity"]) return false;
    const metadata = { ...lease.metadata, annotations: { ...lease.metadata.annotations, ...annotations } };
    // Refused where it has changed since it was read: then somebody else has it.
    return this.#client.update(
      "leases",
      { ...lease, metadata, spec: { ...lease.spec, holderIdentity: info.ID } },
      signal,
    );
  }

  // After a force-unlock another run may be at work, whose state would be lost.
  async #checkHolder(): Promise<void> {
    if (this.#held === undefined) return;
    const lease = await this.#client.get("leases", this.#leaseName);
    const holder = lease?.spec?.["holderIdentity"];
    if (!holder || holder === this.#held) return;
    const why = `its lock was taken away by force, and ${String(holder)} has it now`;
    throw new OperationalError(backendErrors.stateUnwritable, why);
  }

  // Somebody may have taken the lock away by force meanwhile, and another may have it now.
  async #release(id: string): Promise<void> {
    this.#held = undefined;
    await this.#writing(async () => {
      for (let isDone = false; !isDone; ) {
        const lease = await this.#client.get("leases", this.#leaseName);
        if (lease?.spec?.["holderIdentity"] !== id) return;
        const { [lockInfoName]: _, ...annotations } = lease.metadata.annotations ?? {};
        const { holderIdentity: __, ...spec } = lease.spec;
        isDone = await this.#client.update("leases", { ...lease, metadata: { ...lease.metadata, annotations }, spec });
      }
    });
  }

  #metadata(annotations: Readonly<Record<string, string>>, labels = this.#names.labels) {
    return { labels: { ...labels, ...this.#names.further }, annotations };
  }

  #checkName(): void {
    const { name } = this.#names;
    if (isName(name) && this.#leaseName.length <= 253) return;
    const why = `There can be no Secret of the name ${name}: workspaces of this backend have a-z, 0-9 and "-" in their names, and together with secret_suffix no more than 240 characters.`;
    throw new OperationalError(backendErrors.stateUnwritable, why);
  }

  #reading<T>(work: () => Promise<T>): Promise<T> {
    return explained("stateUnreadable", this.place, work);
  }

  #writing<T>(work: () => Promise<T>): Promise<T> {
    return explained("stateUnwritable", this.place, work);
  }
}

/** Undefined where it is not whole. */
function unpacked(packed: Uint8Array): Uint8Array | undefined {
  try {
    return packed.length === 0 ? undefined : gunzipSync(packed);
  } catch {
    // Whether it can be unpacked is the question.
    return undefined;
  }
}

function piecesOf(secrets: readonly KubeObject[]): readonly Buffer[] {
  return secrets.map(({ data }) => Buffer.from(data?.["tfstate"] ?? "", "base64"));
}

function holderOf(lease: KubeObject | undefined): LockInfo | undefined {
  const text = lease?.metadata.annotations?.[lockInfoName];
  return text === undefined ? undefined : parseLockInfo(text);
}
