import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { messageOf, OperationalError } from "@millwright/core/errors";
import { backendErrors } from "./errors.ts";
import { lockFile } from "./lock.ts";
import type { LockInfo } from "./lock-info.ts";
import { writePrivateFile } from "./private-file.ts";
import type { LockTry, StateSlot, StateStorage } from "./storage.ts";

/** `terraform.tfstate` in a folder: the name people look for. */
export const defaultStateName = "terraform.tfstate";

export interface LocalStorageOptions {
  /** Relative paths are from here. */
  readonly folder: string;
  /** The file of the workspace `default`. */
  readonly path?: string;
  /** Holds a folder for each other workspace: `terraform.tfstate.d` by default. */
  readonly workspaceFolder?: string;
}

/** States in files on this machine, as Terraform's `local` backend lays them out. */
export class LocalStorage implements StateStorage {
  readonly keepsWorkspaces = true;
  readonly #path: string;
  readonly #workspaces: string;

  constructor({ folder, path = defaultStateName, workspaceFolder = `${defaultStateName}.d` }: LocalStorageOptions) {
    const absolute = (name: string) => (isAbsolute(name) ? name : join(folder, name));
    this.#path = absolute(path);
    this.#workspaces = absolute(workspaceFolder);
  }

  async workspaces(): Promise<readonly string[]> {
    if (!existsSync(this.#workspaces)) return ["default"];
    const entries = readdirSync(this.#workspaces, { withFileTypes: true });
    const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    return ["default", ...names.sort()];
  }

  slot(workspace: string): LocalSlot {
    return new LocalSlot(this.pathOf(workspace), "made");
  }

  pathOf(workspace: string): string {
    return workspace === "default" ? this.#path : join(this.#workspaces, workspace, defaultStateName);
  }

  async remove(workspace: string): Promise<void> {
    const path = this.pathOf(workspace);
    try {
      rmSync(workspace === "default" ? path : dirname(path), { recursive: true, force: true });
    } catch (error) {
      throw new OperationalError(
        backendErrors.stateUnwritable,
        `The state ${path} cannot be removed: ${messageOf(error)}.`,
        { cause: error },
      );
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** A state in a file. Its lock is the kernel's, and gone with its process. */
export class LocalSlot implements StateSlot {
  readonly place: string;
  #needsFolder: boolean;

  /** `path` is absolute. Its folder has to be there, or is made when it is first needed. */
  constructor(path: string, folder: "made" | "there" = "there") {
    this.place = path;
    this.#needsFolder = folder === "made";
  }

  async read(): Promise<Uint8Array | undefined> {
    try {
      if (!existsSync(this.place)) return undefined;
      const bytes = readFileSync(this.place);
      return bytes.toString("utf8").trim() === "" ? undefined : bytes;
    } catch (error) {
      throw new OperationalError(
        backendErrors.stateUnreadable,
        `The state ${this.place} cannot be read: ${messageOf(error)}.`,
        { cause: error },
      );
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      this.#makeFolder();
      writePrivateFile(this.place, bytes);
    } catch (error) {
      throw new OperationalError(
        backendErrors.stateUnwritable,
        `The state ${this.place} cannot be written: ${messageOf(error)}.`,
        { cause: error },
      );
    }
  }

  async lock(info: LockInfo): Promise<LockTry> {
    this.#makeFolder();
    return lockFile(this.place, info);
  }

  // Once: where it goes away later, no other takes its place.
  #makeFolder(): void {
    if (this.#needsFolder) makeFolderOf(this.place);
    this.#needsFolder = false;
  }

  async forceUnlock(): Promise<void> {
    throw new OperationalError(
      backendErrors.notLocked,
      `The lock of a state in a file ends with its process, however that ends: there is none on ${this.place} to take away. Where a run still holds it, end that run.`,
    );
  }
}

/** Makes the folder that a state is to be written to. */
export function makeFolderOf(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
}
