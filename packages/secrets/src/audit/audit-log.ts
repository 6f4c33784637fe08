import { messageOf, OperationalError } from "@millwright/core/errors";
import type { Chance, Clock, Log } from "@millwright/core/ports";
import { secretsErrors } from "../errors.ts";
import type { SecretStorage } from "../storage.ts";
import { type AuditEvent, auditLine } from "./audit-entry.ts";
import { AuditFile } from "./audit-file.ts";
import { type AuditDevice, changeAuditTable, concernsAudit, readAuditTable } from "./audit-table.ts";
import { type HashingOptions, hashText } from "./hashing.ts";

export interface AuditLogOptions {
  readonly storage: SecretStorage;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
}

/** The audit devices that are open, kept equal to the stored table, whichever server changes it. */
export class AuditLog {
  readonly #options: AuditLogOptions;
  #live: readonly LiveDevice[] = [];
  #unfollow: () => void = () => undefined;
  #isClosed = false;
  #turn: Promise<void> = Promise.resolve();

  constructor(options: AuditLogOptions) {
    this.#options = options;
  }

  async open(): Promise<void> {
    const { storage, log } = this.#options;
    await this.#refresh();
    this.#unfollow = storage.follow("core/", (paths) => {
      if (!concernsAudit(paths)) return;
      this.#refresh().catch((error) =>
        log.write("error", "secrets: audit devices not read", { error: messageOf(error) }),
      );
    });
  }

  /** From now on nothing is written, and who asks for it is refused with `sealed`. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#unfollow();
    await this.#turn.catch(() => undefined);
    await Promise.all(this.#live.map(({ file }) => file.close()));
    this.#live = [];
  }

  get devices(): readonly AuditDevice[] {
    return this.#live.map(({ device }) => device);
  }

  /**
   * Writes an event to every device. Rejects with `auditFailed` where there are devices and none of them took it: whoever asked
   * then gets no answer but this.
   */
  async write(event: AuditEvent): Promise<void> {
    // An answer that comes after the devices were closed is not given: nobody would know of it.
    if (this.#isClosed) throw new OperationalError(secretsErrors.sealed, "Vault is sealed");
    if (this.#live.length === 0) return;
    const { log } = this.#options;
    const outcomes = await Promise.allSettled(this.#live.map((live) => writeTo(live, event)));
    const failed = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [messageOf(outcome.reason)] : []));
    for (const error of failed) log.write("error", "secrets: an audit device failed", { error });
    if (failed.length < outcomes.length) return;
    const what = event.kind === "request" ? "The request was not carried out" : "The answer is held back";
    const text = `no audit device could be written. ${what}: see the server's log for why, and try again.`;
    throw new OperationalError(secretsErrors.auditFailed, text);
  }

  /** Adds a device, after a test line was written to it. Rejects with `badRequest` where it cannot be. */
  async enable(spec: Omit<AuditDevice, "accessor" | "salt">): Promise<void> {
    const { chance, storage } = this.#options;
    const accessor = `audit_file_${Buffer.from(chance.bytes(4)).toString("hex")}`;
    const device = { ...spec, accessor, salt: Buffer.from(chance.bytes(32)).toString("base64") };
    const trial = openDevice(device);
    try {
      await writeTo(trial, this.#trialEvent());
    } catch (error) {
      throw badRequest(`the device was not enabled: ${messageOf(error)}`);
    } finally {
      await trial.file.close();
    }
    await changeAuditTable(storage, (devices) => {
      const taken = devices.some(({ path }) => path.startsWith(spec.path) || spec.path.startsWith(path));
      if (taken) throw badRequest(`path already in use: ${spec.path}`);
      return [...devices, device];
    });
    await this.#refresh();
  }

  /** Of a path without a device nothing happens. */
  async disable(path: string): Promise<void> {
    await changeAuditTable(this.#options.storage, (devices) => devices.filter((device) => device.path !== path));
    await this.#refresh();
  }

  /** What a text is written as by a device. Rejects with `badRequest` where there is no such device. */
  hash(path: string, text: string): string {
    const live = this.#live.find(({ device }) => device.path === path);
    if (!live) throw badRequest(`unknown audit backend ${JSON.stringify(path)}`);
    return hashText(live.hashing.salt, text);
  }

  /** Opens every file by its name again. */
  async reopen(): Promise<void> {
    const outcomes = await Promise.allSettled(this.#live.map(({ file }) => file.reopen()));
    for (const outcome of outcomes) {
      if (outcome.status === "fulfilled") continue;
      this.#options.log.write("error", "secrets: an audit file was not reopened", { error: messageOf(outcome.reason) });
    }
  }

  #refresh(): Promise<void> {
    const next = this.#turn.then(async () => {
      const { devices } = await readAuditTable(this.#options.storage);
      const known = (accessor: string) => this.#live.find(({ device }) => device.accessor === accessor);
      const after = devices.map((device) => known(device.accessor) ?? openDevice(device));
      const gone = this.#live.filter((live) => !after.includes(live));
      this.#live = after;
      await Promise.all(gone.map(({ file }) => file.close()));
    });
    this.#turn = next.catch(() => undefined);
    return next;
  }

  #trialEvent(): AuditEvent {
    const { clock, chance } = this.#options;
    return {
      kind: "request",
      at: clock.now(),
      id: chance.uuid(),
      operation: "update",
      path: "sys/audit/test",
      data: {},
      remote: "",
      clientToken: "",
      wrapTtl: 0,
    };
  }
}

interface LiveDevice {
  readonly device: AuditDevice;
  readonly hashing: HashingOptions;
  readonly file: AuditFile;
}

function openDevice(device: AuditDevice): LiveDevice {
  const { options, salt } = device;
  const mode = Number.parseInt(options["mode"] ?? "0600", 8);
  const hashing = {
    salt: Buffer.from(salt, "base64"),
    isRaw: options["log_raw"] === "true",
    hashesAccessors: options["hmac_accessor"] !== "false",
  };
  return { device, hashing, file: new AuditFile({ path: options["file_path"] ?? "", mode }) };
}

async function writeTo({ device, hashing, file }: LiveDevice, event: AuditEvent): Promise<void> {
  await file.write(auditLine(event, hashing, device.options["prefix"] ?? ""));
}

function badRequest(text: string): OperationalError {
  return new OperationalError(secretsErrors.badRequest, text);
}
