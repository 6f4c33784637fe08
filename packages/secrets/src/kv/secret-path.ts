/** Why nothing can be kept under this path, as a sentence; nothing where it can. */
export function pathFault(path: string): string | undefined {
  if (path === "") return "The path of a secret is missing.";
  const shown = JSON.stringify(path);
  if (path.endsWith("/")) return `A secret's path does not end with a slash, as ${shown} does.`;
  const segments = path.split("/");
  if (segments.includes("")) return `The path ${shown} has two slashes with nothing between, or begins with one.`;
  if (segments.includes("..")) return `The path ${shown} has ".." in it, which is not looked up but refused.`;
  return undefined;
}

/** What a list is asked of, as the storage takes it: `""`, or with a slash at its end. */
export function folderOf(path: string): string {
  return path === "" || path.endsWith("/") ? path : `${path}/`;
}
