/**
 * The files that functions read. Paths are as a user wrote them, joined to the base folder, with `/` between their parts;
 * relative ones start from the working folder. Answers do not change while an expression is evaluated.
 */
export interface FilePort {
  /** What is at the path, with links followed. */
  kind(path: string): FileKind | FileFault;
  /** The content of the regular file at the path. */
  read(path: string): Uint8Array | FileFault;
  /** The names in a folder, in any order, and what each is (links followed; a link to nothing is `missing`). */
  list(path: string): ReadonlyMap<string, FileKind | "missing"> | FileFault;
  /** The working folder, absolute. */
  workingFolder(): string;
  /** The folder that `~` stands for, where there is one. */
  homeFolder(): string | undefined;
}

export type FileKind = "file" | "folder" | "device" | "pipe" | "socket" | "other";

/** Why a file could not be read. `message` is the operating system's, in small letters: `permission denied`. */
export interface FileFault {
  readonly fault: "missing" | "folder" | "other";
  readonly message: string;
  /** The step that failed, as messages name it. */
  readonly step: "open" | "read" | "stat";
}

export function isFault(answer: unknown): answer is FileFault {
  return typeof answer === "object" && answer !== null && "fault" in answer;
}
