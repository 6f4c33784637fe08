import { OperationalError } from "@millwright/core/errors";
import { readBody } from "@millwright/core/http-body";
import { jsonReply } from "@millwright/core/http-reply";
import { WireFields } from "@millwright/text/wire-fields";
import { discoveryErrors } from "./errors.ts";
import { parseJson, readWire } from "./json-body.ts";
import { badRequest } from "./parameters.ts";
import type { Grants, Permission } from "./permissions.ts";
import type { Call, Route } from "./route.ts";

const largestBody = 1024 * 1024;
const mostQuestions = 10_000;

/** `/v1/internal/acl/authorize`: whether the request's token may do what the body asks; what nodes decide by. */
export function authorizeRoutes({ pretty }: { readonly pretty: boolean }): Route[] {
  return [
    {
      method: "POST",
      pattern: "/v1/internal/acl/authorize",
      permission: { kind: "everyone", why: "it tells a token only what that token may do itself" },
      blocking: false,
      handle: async (call) => {
        const questions = await readQuestions(call);
        const answers = questions.map(({ wire, permission }) => ({ ...wire, Allow: mayDo(call.grants, permission) }));
        return jsonReply(answers, pretty || call.query.has("pretty"));
      },
    },
  ];
}

function mayDo(grants: Grants, permission: Permission): boolean {
  const decision = grants.decide(permission);
  if (decision.kind === "unknown-token") throw new OperationalError(discoveryErrors.unknownToken, "ACL not found");
  return decision.kind === "allow";
}

interface Question {
  readonly wire: { readonly Resource: string; readonly Access: string; readonly Segment: string };
  readonly permission: Permission;
}

async function readQuestions(call: Call): Promise<readonly Question[]> {
  const complaint = "Request decode failed";
  const body = parseJson(await readBody(call.request, largestBody, discoveryErrors.tooLarge), complaint);
  if (!Array.isArray(body)) throw badRequest(`${complaint}: the body is no list of questions`);
  if (body.length > mostQuestions) throw badRequest(`${complaint}: ask ${mostQuestions} questions at most`);
  return body.map((item) =>
    readWire(complaint, () => {
      const fields = new WireFields(item, "a question");
      const wire = {
        Resource: fields.text("Resource"),
        Access: fields.text("Access"),
        Segment: fields.text("Segment"),
      };
      return { wire, permission: permissionOf(wire) };
    }),
  );
}

function permissionOf({ Resource, Access, Segment: name }: Question["wire"]): Permission {
  const access = Access === "list" ? "read" : Access;
  if (access !== "read" && access !== "write")
    throw badRequest(`The access ${JSON.stringify(Access)} is none of read, write, list.`);
  switch (Resource) {
    case "key":
    case "node":
    case "session":
    case "event":
      return { resource: Resource, access, name };
    case "service":
      return access === "read"
        ? { resource: "service", access, name }
        : { resource: "service", access, name, node: "" };
    // Who may change the node may change what runs on it.
    case "agent":
      return access === "read" ? { resource: "agent", access, name } : { resource: "node", access, name };
    case "acl":
    case "operator":
      return { resource: "acl", access: "write" };
    default:
      throw badRequest(`The resource ${JSON.stringify(Resource)} is none of those that tokens are about here.`);
  }
}
