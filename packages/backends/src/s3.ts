import { OperationalError } from "@millwright/core/errors";
import { backendErrors } from "@millwright/engine/backend/errors";
import { type LockInfo, parseLockInfo } from "@millwright/engine/backend/lock-info";
import type { LockTry, StateSlot, StateStorage } from "@millwright/engine/backend/storage";
import { roleFaults } from "./assumed-role.ts";
import type { BackendType } from "./backend-type.ts";
import { type S3Answer, S3Client } from "./s3-client.ts";
import { s3Environment, s3Schema } from "./s3-schema.ts";
import type { Settings } from "./settings.ts";
import { explained } from "./storage-failure.ts";

/**
 * `backend "s3"`: an object for each workspace in a bucket, with S3's own lock file (a conditional write), as in
 * https://developer.hashicorp.com/terraform/language/backend/s3.
 */
export const s3Backend: BackendType = {
  name: "s3",
  schema: s3Schema,
  environment: s3Environment,
  check: checkSettings,
  open: async (settings, ports) => new S3Storage(settings, await S3Client.open(settings, ports)),
};

function checkSettings(settings: Settings): readonly string[] {
  const wrong = ["bucket", "key"].filter((name) => !settings.text(name)).map((name) => `${name} is missing`);
  if (settings.text("region") === undefined) wrong.push("region is missing: set it, or AWS_REGION");
  const key = settings.text("key") ?? "";
  if (key.startsWith("/") || key.endsWith("/")) wrong.push('key must not begin or end with "/"');
  for (const [name, instead] of Object.entries(refused))
    if (settings.isSet(name)) wrong.push(`${name} is not supported: ${instead}`);
  wrong.push(...roleFaults(settings.nested("assume_role")));
  if (settings.isSet("kms_key_id") && settings.isSet("sse_customer_key"))
    wrong.push("kms_key_id and sse_customer_key exclude each other");
  const prefix = settings.text("workspace_key_prefix") ?? "";
  if (prefix.startsWith("/") || prefix.endsWith("/")) wrong.push('workspace_key_prefix must not begin or end with "/"');
  return wrong;
}

const byHand = "let the AWS CLI write out the role's credentials (aws configure export-credentials --format env)";
const accounts = "no account is asked for here; let the bucket's policy say whose it is";
const proxies = "S3 is asked directly; name a gateway's address as endpoints.s3";

/** Settings that would have another state, or another account, if they were passed over; with what to do instead. */
const refused: Readonly<Record<string, string>> = {
  allowed_account_ids: accounts,
  assume_role_with_web_identity: byHand,
  dynamodb_table: "set use_lockfile = true, which locks by S3 itself",
  forbidden_account_ids: accounts,
  http_proxy: proxies,
  https_proxy: proxies,
};

class S3Storage implements StateStorage {
  readonly keepsWorkspaces = true;
  readonly #settings: Settings;
  readonly #client: S3Client;

  constructor(settings: Settings, client: S3Client) {
    this.#settings = settings;
    this.#client = client;
  }

  async workspaces(signal: AbortSignal): Promise<readonly string[]> {
    const prefix = `${this.#prefix}/`;
    const ending = `/${this.#key}`;
    const keys = await explained("stateUnreadable", this.#client.place(prefix), () =>
      this.#client.list(prefix, signal),
    );
    const names = keys
      .filter((key) => key.endsWith(ending))
      .map((key) => key.slice(prefix.length, -ending.length))
      .filter((name) => name !== "" && !name.includes("/"));
    return ["default", ...names.sort()];
  }

  slot(workspace: string): StateSlot {
    return new S3Slot(this.#client, this.#keyOf(workspace), this.#settings.flag("use_lockfile") === true);
  }

  async remove(workspace: string): Promise<void> {
    const key = this.#keyOf(workspace);
    await explained("stateUnwritable", this.#client.place(key), () => this.#client.delete(key));
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  get #prefix(): string {
    return this.#settings.text("workspace_key_prefix") ?? "env:";
  }

  get #key(): string {
    return this.#settings.text("key") ?? "";
  }

  #keyOf(workspace: string): string {
    return workspace === "default" ? this.#key : `${this.#prefix}/${workspace}/${this.#key}`;
  }
}

class S3Slot implements StateSlot {
  readonly #client: S3Client;
  readonly #key: string;
  readonly #isLocked: boolean;

  constructor(client: S3Client, key: string, isLocked: boolean) {
    this.#client = client;
    this.#key = key;
    this.#isLocked = isLocked;
  }

  get place(): string {
    return this.#client.place(this.#key);
  }

  async read(signal: AbortSignal): Promise<Uint8Array | undefined> {
    const answer = await explained("stateUnreadable", this.place, () => this.#client.get(this.#key, signal));
    return answer && answer.body.length > 0 ? answer.body : undefined;
  }

  async write(bytes: Uint8Array): Promise<void> {
    await explained("stateUnwritable", this.place, () => this.#client.put(this.#key, bytes, "always"));
  }

  async lock(info: LockInfo, signal: AbortSignal): Promise<LockTry> {
    const held: LockInfo = { ...info, Path: `${this.#client.bucket}/${this.#key}` };
    if (!this.#isLocked) return { kind: "held", lock: { info: held, release: async () => undefined } };
    const bytes = Buffer.from(JSON.stringify(held));
    const wrote = await explained("stateUnwritable", this.place, () =>
      this.#client.put(this.#lockKey, bytes, "if absent", signal),
    );
    if (!wrote) {
      const answer = await this.#lockObject(signal);
      return { kind: "busy", holder: answer && parseLockInfo(answer.body), why: "somebody who has just let go of it" };
    }
    return { kind: "held", lock: { info: held, release: () => this.#release(held.ID) } };
  }

  async forceUnlock(id: string, signal: AbortSignal): Promise<void> {
    const answer = await this.#lockObject(signal);
    const holder = answer && parseLockInfo(answer.body);
    if (holder?.ID !== id) {
      const who = holder ? `is held by ${holder.ID}, not by ${id}` : "is held by nobody";
      throw new OperationalError(backendErrors.notLocked, `The state ${this.place} ${who}.`);
    }
    await explained("stateUnwritable", this.place, () => this.#client.delete(this.#lockKey));
  }

  get #lockKey(): string {
    return `${this.#key}.tflock`;
  }

  #lockObject(signal?: AbortSignal): Promise<S3Answer | undefined> {
    return explained("stateUnreadable", this.place, () => this.#client.get(this.#lockKey, signal));
  }

  // Somebody may have taken the lock away by force meanwhile, and another may have it now.
  async #release(id: string): Promise<void> {
    const answer = await this.#lockObject();
    if (answer && parseLockInfo(answer.body)?.ID === id)
      await explained("stateUnwritable", this.place, () => this.#client.delete(this.#lockKey));
  }
}
