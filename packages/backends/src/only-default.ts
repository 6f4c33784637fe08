import { OperationalError } from "@millwright/core/errors";
import { backendErrors } from "@millwright/engine/backend/errors";

/** What belongs to the workspace `default`, of a backend that has no other. Throws `workspacesUnsupported` for another. */
export function onlyDefault<T>(backend: string, workspace: string, value: T): T {
  if (workspace === "default") return value;
  throw new OperationalError(
    backendErrors.workspacesUnsupported,
    `The backend "${backend}" keeps one state, and has no workspace ${JSON.stringify(workspace)}. Keep a folder with its own address for each environment, or use a backend that keeps workspaces (local, pg, consul, s3, kubernetes).`,
  );
}
