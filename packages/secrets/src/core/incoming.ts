import { bearerOf } from "@millwright/core/bearer";
import { parseJson } from "@millwright/clients/json";
import { OperationalError } from "@millwright/core/errors";
import type { HttpRequest } from "@millwright/core/http";
import type { Operation } from "../engine.ts";
import { secretsErrors } from "../errors.ts";
import { isObject } from "../objects.ts";
import { secondsOf } from "../request-fields.ts";
import { faultOfBounds } from "./json-bounds.ts";

/** One request as it was understood, before anybody was asked whether it may be. */
export interface Incoming {
  /** `GET`, `POST`, `LIST`, `PATCH`, `DELETE`: as the table of routes has it. */
  readonly method: string;
  /** A write is an `update` until it is known whether it creates. */
  readonly operation: Operation;
  /** Decoded, without `v1/`; of a list without a slash at its end. */
  readonly path: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** Empty where none came. */
  readonly token: string;
  /** Seconds; 0 where the answer is not to be wrapped. */
  readonly wrapTtl: number;
}

const mostBytes = 1024 * 1024;
const apiPrefix = "/v1/";

/** Understands a request, or throws `badRequest`, `unknownPath`, `wrongMethod` or `tooLarge`. */
export async function readIncoming(request: HttpRequest): Promise<Incoming> {
  const method = methodOf(request);
  const operation = operations[method];
  if (!operation) throw new OperationalError(secretsErrors.wrongMethod, `method ${request.method} is not allowed`);
  refuseNamespace(request);
  const isWrite = operation === "update" || operation === "patch";
  return {
    method,
    operation,
    path: pathOf(request),
    data: isWrite ? await bodyOf(request) : queryOf(request.query),
    token: request.header("x-vault-token") || bearerOf(request),
    wrapTtl: wrapTtlOf(request),
  };
}

const operations: Readonly<Record<string, Operation>> = {
  GET: "read",
  LIST: "list",
  POST: "update",
  PATCH: "patch",
  DELETE: "delete",
};

function methodOf({ method, query }: HttpRequest): string {
  if (method === "PUT") return "POST";
  if (method === "HEAD") return "GET";
  return method === "GET" && ["true", "1"].includes(query.get("list") ?? "") ? "LIST" : method;
}

function pathOf(request: HttpRequest): string {
  if (!request.path.startsWith(apiPrefix)) {
    const text = `${request.path} is not a path of the API: the paths of Vault's API begin with /v1/.`;
    throw new OperationalError(secretsErrors.unknownPath, text);
  }
  const segments = decoded(request.path.slice(apiPrefix.length)).split("/");
  if (segments.some((segment) => segment === "." || segment === ".." || /\p{Cc}/u.test(segment)))
    throw badRequest("the path has a segment that cannot be: . or .., or one with control characters");
  // Slashes beside each other, and one at the end, say nothing.
  return segments.filter((segment) => segment !== "").join("/");
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // The only thing it throws is URIError, for bytes that are no UTF-8.
    throw badRequest("the path is not UTF-8");
  }
}

/** The JSON object that a body holds; an empty one for an empty body. */
export async function bodyOf(request: HttpRequest): Promise<Readonly<Record<string, unknown>>> {
  const text = (await readBody(request)).toString();
  if (text.trim() === "") return {};
  const fault = faultOfBounds(text);
  if (fault !== undefined) throw badRequest(`failed to parse JSON input: ${fault}`);
  try {
    const data = parseJson(text);
    if (isObject(data)) return data;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // What the parser quotes of the body could be a secret: it is not repeated.
    throw badRequest("failed to parse JSON input: the body is not JSON");
  }
  throw badRequest("failed to parse JSON input: the body is not a JSON object");
}

async function readBody(request: HttpRequest): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let length = request.contentLength ?? 0;
  if (length <= mostBytes) length = 0;
  for await (const piece of length === 0 ? request.body() : []) {
    length += piece.byteLength;
    if (length > mostBytes) break;
    pieces.push(piece);
  }
  if (length <= mostBytes) return Buffer.concat(pieces);
  throw new OperationalError(secretsErrors.tooLarge, `the body is larger than ${mostBytes} bytes`);
}

// A field that comes once is a text, else a list.
function queryOf(query: URLSearchParams): Readonly<Record<string, unknown>> {
  const names = [...new Set(query.keys())].filter((name) => name !== "list");
  return Object.fromEntries(
    names.map((name) => {
      const values = query.getAll(name);
      return [name, values.length === 1 ? values[0] : values];
    }),
  );
}

function refuseNamespace(request: HttpRequest): void {
  const namespace = (request.header("x-vault-namespace") ?? "").replace(/^\/+|\/+$/g, "");
  if (namespace !== "" && namespace !== "root")
    throw badRequest(`there is no namespace ${JSON.stringify(namespace)}: this server has only the root namespace`);
}

function wrapTtlOf(request: HttpRequest): number {
  const header = request.header("x-vault-wrap-ttl") ?? "";
  const seconds = secondsOf(header);
  if (seconds === undefined || seconds < 0)
    throw badRequest(`X-Vault-Wrap-TTL is not a length of time such as "5m": ${JSON.stringify(header)}`);
  return seconds;
}

function badRequest(text: string): OperationalError {
  return new OperationalError(secretsErrors.badRequest, text);
}
