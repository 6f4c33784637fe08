import type { RoutePlace } from "@millwright/core/routes";

const root = "/v1/job/";

/**
 * Jobs may have slashes in their ids, and clients write them into a path as they are. Gives a path in which they are encoded, so
 * that the id is one segment: what stands between `/v1/job/` and the rest that the longest route has behind the id.
 */
export function jobPathOf(routes: readonly RoutePlace[]): (path: string) => string {
  const tails = routes
    .flatMap(({ pattern }) => (pattern.startsWith(`${root}:id/`) ? [pattern.slice(`${root}:id`.length)] : []))
    .sort((a, b) => b.length - a.length);
  return (path) => {
    if (!path.startsWith(root)) return path;
    const rest = path.slice(root.length);
    const tail = tails.find((one) => rest.endsWith(one)) ?? "";
    const id = rest.slice(0, rest.length - tail.length);
    return id.includes("/") ? `${root}${id.replaceAll("/", "%2F")}${tail}` : path;
  };
}
