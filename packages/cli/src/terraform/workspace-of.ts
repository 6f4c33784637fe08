import { WorkingFolder } from "@millwright/backends/working-folder";
import type { Session } from "./session.ts";

export function workingFolder(session: Session): WorkingFolder {
  return new WorkingFolder(session.folder, session.io.env);
}

/** The workspace that the session works in. An instance of a template is no workspace. */
export function workspaceOf(session: Session): string {
  return session.instance ? "default" : workingFolder(session).workspace;
}
