import { OperationalError } from "@millwright/core/errors";
import type { HttpReply, HttpRequest, HttpService } from "@millwright/core/http";
import { compileRoutes, type RouteFinder } from "@millwright/core/routes";
import type { Core } from "../core/core.ts";
import { type Incoming, readIncoming } from "../core/incoming.ts";
import { errorReply } from "../core/outcome.ts";
import { answerGuarded, type Target } from "../core/pipeline.ts";
import { fieldsOf } from "../request-fields.ts";
import { isOpenRoute, type Route } from "./route.ts";

/** Answers requests: by the table, or by what is mounted. `core` gives what there is while the server is unsealed. */
export function secretsService(routes: readonly Route[], core: () => Core | undefined): HttpService {
  const find = compileRoutes(routes);
  return async (request) => {
    try {
      return await answer(request, find, core());
    } catch (error) {
      if (error instanceof OperationalError) return errorReply(error.kind.status, [error.message]);
      throw error;
    }
  };
}

async function answer(request: HttpRequest, find: RouteFinder<Route>, core: Core | undefined): Promise<HttpReply> {
  const incoming = await readIncoming(request);
  const match = find(incoming.method, `/v1/${incoming.path.split("/").map(encodeURIComponent).join("/")}`);
  if (match.kind === "found" && isOpenRoute(match.route)) {
    const reply = await match.route.answer({ request, fields: fieldsOf(incoming.data) });
    return request.method === "HEAD" ? { status: reply.status, headers: reply.headers } : reply;
  }
  if (!core) return errorReply(503, ["Vault is sealed"]);
  if (match.kind === "wrong-method")
    return errorReply(405, [`unsupported operation: ${incoming.path} takes ${match.methods.join(", ")}`]);
  if (match.kind === "found" && !isOpenRoute(match.route))
    return answerGuarded(request, incoming, { kind: "route", route: match.route, params: match.params }, core);
  return answerGuarded(request, incoming, mountedAt(incoming, core), core);
}

function mountedAt({ path, operation }: Incoming, core: Core): Target {
  const live = core.mounts.find(path);
  if (!live) return { kind: "nobody" };
  const below = path.slice(live.entry.path.length);
  return { kind: "mount", live, below: operation === "list" && below !== "" ? `${below}/` : below };
}
