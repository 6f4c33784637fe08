import { statSync } from "node:fs";
import type { Session } from "./session.ts";

/** Why what was typed as a file of the session's folder cannot be read as one; undefined where it is one. */
export function whyNoFile(session: Session, path: string): string | undefined {
  const there = statSync(session.path(path), { throwIfNoEntry: false });
  if (!there) return `There is no file ${path} in ${session.folder}.`;
  return there.isDirectory() ? `${path} is a folder: name a file in it.` : undefined;
}
