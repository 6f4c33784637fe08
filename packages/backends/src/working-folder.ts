import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { messageOf, OperationalError } from "@millwright/core/errors";
import { backendErrors } from "@millwright/engine/backend/errors";
import { writePrivateFile } from "@millwright/engine/backend/private-file";
import type { BackendConfig } from "./settings.ts";

/** The backend that a folder was initialised with, as Terraform keeps it in `.terraform/terraform.tfstate`. */
export interface SavedBackend {
  readonly type: string;
  /** With what `-backend-config` gave. */
  readonly config: BackendConfig;
  /** Of the block alone; see `backendHash`. */
  readonly hash: number;
}

/** Whether something can be the name of a workspace: it becomes part of paths and addresses. */
export function isWorkspaceName(name: string): boolean {
  return /^[\w.~-]+$/.test(name) && name !== "." && name !== "..";
}

/** What is said of a name that cannot be one. */
export function badWorkspaceName(name: string): string {
  return `The workspace name "${name}" is not allowed. It may have letters, digits and - . _ ~, as it becomes part of paths and addresses.`;
}

/** What is remembered of a folder between commands: `.terraform`, or what TF_DATA_DIR says. */
export class WorkingFolder {
  /** Absolute. */
  readonly path: string;
  readonly #env: Readonly<Record<string, string | undefined>>;

  constructor(folder: string, env: Readonly<Record<string, string | undefined>>) {
    const name = env.TF_DATA_DIR || ".terraform";
    this.path = isAbsolute(name) ? name : join(folder, name);
    this.#env = env;
  }

  /** Undefined where it was initialised without a backend, or not at all. Throws `stateUnreadable`. */
  backend(): SavedBackend | undefined {
    if (!existsSync(this.#backendFile)) return undefined;
    let plain: unknown;
    try {
      plain = JSON.parse(readFileSync(this.#backendFile, "utf8"));
    } catch (error) {
      throw new OperationalError(
        backendErrors.stateUnreadable,
        `What the folder was initialised with cannot be read from ${this.#backendFile}: ${messageOf(error)}. Remove the file and run init again.`,
        { cause: error },
      );
    }
    const { backend } = plain as { readonly backend?: Partial<SavedBackend> };
    if (typeof backend?.type !== "string") return undefined;
    return { type: backend.type, config: backend.config ?? {}, hash: backend.hash ?? 0 };
  }

  /** Undefined forgets it. */
  saveBackend(backend: SavedBackend | undefined, version: string): void {
    if (!backend) {
      rmSync(this.#backendFile, { force: true });
      return;
    }
    mkdirSync(this.path, { recursive: true });
    writePrivateFile(this.#backendFile, JSON.stringify({ version: 3, terraform_version: version, backend }, null, 2));
  }

  /** The workspace that is worked in: what TF_WORKSPACE says, or what was selected. Throws `badWorkspaceGiven`. */
  get workspace(): string {
    const asked = this.#env.TF_WORKSPACE;
    if (asked && !isWorkspaceName(asked))
      throw new OperationalError(backendErrors.badWorkspaceGiven, `${badWorkspaceName(asked)} Nothing was changed.`);
    if (asked) return asked;
    const selected = existsSync(this.#workspaceFile) ? readFileSync(this.#workspaceFile, "utf8").trim() : "";
    return selected === "" ? "default" : selected;
  }

  /** Whether TF_WORKSPACE says which workspace it is, so that none can be selected. */
  get isWorkspaceGiven(): boolean {
    return Boolean(this.#env.TF_WORKSPACE);
  }

  select(workspace: string): void {
    mkdirSync(dirname(this.#workspaceFile), { recursive: true });
    writeFileSync(this.#workspaceFile, workspace);
  }

  /** A path that a run's own files for a workspace are named after, where the state itself is elsewhere. */
  runPath(workspace: string): string {
    return join(this.path, `${workspace}.tfstate`);
  }

  get #backendFile(): string {
    return join(this.path, "terraform.tfstate");
  }

  get #workspaceFile(): string {
    return join(this.path, "environment");
  }
}
