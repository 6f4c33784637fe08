import type { UnpackedTree } from "@millwright/artifact/tree";
import { OperationalError } from "@millwright/core/errors";
import { sourceErrors } from "./errors.ts";
import type { HttpAnswer, SourceHttp } from "./http.ts";

/** What an address names in a store of objects: one that is an archive, or all whose names begin with it and a slash. */
export interface Bucket {
  readonly key: string;
  /** The object as it may be shown. */
  readonly shown: string;
  /** An object's bytes. Throws `notFound`, `unauthorized` and what the connection throws. */
  open(key: string): Promise<HttpAnswer>;
  /** The names of all objects that begin with a prefix. */
  keys(prefix: string): Promise<readonly string[]>;
}

/** Writes all objects below an address as the files of a tree. Throws `notFound` where there are none. */
export async function copyObjects(bucket: Bucket, tree: UnpackedTree, http: SourceHttp): Promise<void> {
  const prefix = `${bucket.key.replace(/\/+$/, "")}/`;
  // A name with a slash at its end is a folder that some consoles make.
  const keys = (await bucket.keys(prefix)).filter((key) => !key.endsWith("/"));
  if (keys.length === 0)
    throw new OperationalError(
      sourceErrors.notFound,
      `there are no objects below ${bucket.shown}. An archive is told by its name (.zip, .tar.gz, …), or by ?archive=KIND`,
    );
  for (const key of keys) await tree.file(key.slice(prefix.length), 0o644, http.pieces(await bucket.open(key)));
}

/** What a store's list may be. One that names more is meant to fill memory, or never to end. */
const mostObjects = 200_000;
const mostPages = 2_000;

/** All names of a list that comes in pages; `page` asks for the one of a token. Throws `badAnswer` where there is no end to it. */
export async function allKeys(
  page: (token: string | undefined) => Promise<{ readonly keys: readonly string[]; readonly next: string | undefined }>,
): Promise<readonly string[]> {
  const keys: string[] = [];
  let token: string | undefined;
  for (let pages = 0; pages < mostPages && keys.length <= mostObjects; pages++) {
    const answer = await page(token);
    for (const key of answer.keys) keys.push(key);
    if (answer.next === undefined) return keys;
    token = answer.next;
  }
  const message = `there are more than ${mostObjects} objects, or ${mostPages} pages of them, which is no module`;
  throw new OperationalError(sourceErrors.badAnswer, message);
}

/** The error that a store's refusal of a request is. `advice` says what to look at where it was for lack of rights. */
export function bucketRefusal(
  answer: HttpAnswer,
  { shown, said, advice }: { readonly shown: string; readonly said: string; readonly advice: string },
): OperationalError {
  const { status, url } = answer;
  const answered = `${url.host} answered ${status}${said === "" ? "" : ` (${said})`}`;
  if (status === 404) return new OperationalError(sourceErrors.notFound, `there is no ${shown}: ${answered}`);
  if (status === 401 || status === 403)
    return new OperationalError(sourceErrors.unauthorized, `${shown} was refused: ${answered}. ${advice}`);
  const kind = status >= 500 || status === 429 ? sourceErrors.unreachable : sourceErrors.badAnswer;
  return new OperationalError(kind, `${shown} did not come: ${answered}`);
}
