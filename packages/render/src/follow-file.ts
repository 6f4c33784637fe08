import { readFile, stat } from "node:fs/promises";
import { OperationalError } from "@millwright/core/errors";
import { renderErrors } from "./errors.ts";
import type { FollowContext } from "./follow.ts";
import { withRetries } from "./retry.ts";
import type { Source } from "./source.ts";

/** How often a file is looked at. */
const lookMilliseconds = 2000;

/** Follows a file's text; looks at its size and times, which any file system tells. */
export async function followFile(
  source: Extract<Source, { readonly kind: "file" }>,
  context: FollowContext,
): Promise<void> {
  const { clock, signal } = context;
  let last: string | undefined;
  let seen: string | undefined;
  while (!signal.aborted) {
    const mark = await markOf(source.path);
    if (mark === undefined || mark !== seen) {
      const text = await content(source, context);
      seen = mark;
      if (text !== last) context.emit(text);
      last = text;
    }
    await clock.sleep(lookMilliseconds, signal);
  }
}

function content(source: { readonly id: string; readonly path: string }, context: FollowContext): Promise<string> {
  const { settings, clock, log, signal } = context;
  return withRetries({ what: source.id, policy: settings.consulRetry, clock, log, signal }, async () => {
    try {
      return await readFile(source.path, "utf8");
    } catch (error) {
      const why = (error as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such file" : "it cannot be read";
      const text = `Cannot read ${source.path}: ${why}. Check the path and its permissions.`;
      throw new OperationalError(renderErrors.unreadable, text, { cause: error });
    }
  });
}

async function markOf(path: string): Promise<string | undefined> {
  try {
    const { mtimeMs, ctimeMs, size, ino } = await stat(path);
    return `${mtimeMs} ${ctimeMs} ${size} ${ino}`;
  } catch {
    return undefined;
  }
}
