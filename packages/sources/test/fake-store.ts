import { AwsV4Signer } from "aws4fetch";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

/** A store of objects on a free port of this machine that answers as S3 does, and as Google Cloud Storage does. */
export interface FakeStore {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** Objects by `BUCKET/KEY`. */
  readonly objects: Map<string, Buffer>;
  /** What was asked, such as `GET /mods/net.zip`. */
  readonly asked: string[];
  close(): Promise<void>;
}

/** What requests to it have to be signed with. */
export const storeLogin = { accessKeyId: "AKTEST", secretAccessKey: "a secret", region: "eu-west-1" } as const;

/** How many keys a page of a list has: few, so that lists have several. */
const pageSize = 2;

export async function startFakeStore(): Promise<FakeStore> {
  const objects = new Map<string, Buffer>();
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
    const reply = (status: number, body: Buffer | string = "") => response.writeHead(status).end(body);
    const google = /^\/storage\/v1\/b\/([^/]+)\/o(?:\/(.+))?$/.exec(pathname);
    if (google) {
      const [, bucket = "", key] = google.map((part) => decodeURIComponent(part ?? ""));
      if (!key) return reply(200, JSON.stringify(googlePage(keysOf(bucket, searchParams.get("prefix")), searchParams)));
      const object = objects.get(`${bucket}/${key}`);
      return object ? reply(200, object) : reply(404);
    }
    if (!(await isSigned(request)))
      return reply(403, "<Error><Code>SignatureDoesNotMatch</Code><Message>it is other</Message></Error>");
    const [bucket = "", ...key] = decodeURIComponent(pathname).slice(1).split("/");
    if (searchParams.has("prefix"))
      return reply(200, listing(keysOf(bucket, searchParams.get("prefix")), searchParams));
    const object = objects.get(`${bucket}/${key.join("/")}`);
    return object ? reply(200, object) : reply(404, "<Error><Code>NoSuchKey</Code></Error>");
  });
  const keysOf = (bucket: string, prefix: string | null) =>
    [...objects.keys()]
      .filter((name) => name.startsWith(`${bucket}/${prefix ?? ""}`))
      .map((name) => name.slice(bucket.length + 1))
      .sort();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    objects,
    asked,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function pageOf(keys: readonly string[], token: string | null): { readonly keys: readonly string[]; next?: string } {
  const from = Number(token ?? 0);
  const next = from + pageSize < keys.length ? { next: String(from + pageSize) } : {};
  return { keys: keys.slice(from, from + pageSize), ...next };
}

function listing(all: readonly string[], query: URLSearchParams): string {
  const { keys, next } = pageOf(all, query.get("continuation-token"));
  const contents = keys.map((key) => `<Contents><Key>${key.replaceAll("&", "&amp;")}</Key></Contents>`).join("");
  const more = next === undefined ? "" : `<NextContinuationToken>${next}</NextContinuationToken>`;
  return `<ListBucketResult>${contents}${more}</ListBucketResult>`;
}

function googlePage(all: readonly string[], query: URLSearchParams) {
  const { keys, next } = pageOf(all, query.get("pageToken"));
  return { items: keys.map((name) => ({ name })), ...(next === undefined ? {} : { nextPageToken: next }) };
}

// Signs the request again with what it should have been signed with.
async function isSigned({ method = "GET", url = "/", headers }: IncomingMessage): Promise<boolean> {
  const given = headers.authorization ?? "";
  const names = /SignedHeaders=([^,]+)/.exec(given)?.[1]?.split(";") ?? [];
  const signed = names.filter((name) => name !== "host").map((name) => [name, String(headers[name])] as const);
  const signer = new AwsV4Signer({
    method,
    url: `http://${headers.host}${url}`,
    service: "s3",
    headers: Object.fromEntries(signed),
    datetime: String(headers["x-amz-date"]),
    ...storeLogin,
  });
  return (await signer.sign()).headers.get("authorization") === given;
}
