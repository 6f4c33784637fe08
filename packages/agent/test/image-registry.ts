import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { unpackTar } from "modern-tar";

export interface TestRegistry {
  /** `127.0.0.1:PORT`: in front of an image's name. */
  readonly host: string;
  /** How often an image was asked for by its tag. */
  readonly pulls: () => number;
  close(): Promise<void>;
}

export interface RegistryOptions {
  /** Wanted of everybody. */
  readonly login?: { readonly username: string; readonly password: string };
  /** How long it takes to say what an image is made of. */
  readonly delayMilliseconds?: number;
}

/** A registry that has one image, whatever it is called: that of an archive. Source: OCI Distribution Specification, pull. */
export async function startRegistry(archive: string, options: RegistryOptions = {}): Promise<TestRegistry> {
  const { blobs, manifest } = await readImage(archive);
  const { login, delayMilliseconds = 0 } = options;
  const wanted = login && `Basic ${Buffer.from(`${login.username}:${login.password}`).toString("base64")}`;
  let pulls = 0;
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const path = request.url ?? "";
    if (wanted !== undefined && request.headers.authorization !== wanted)
      return response.writeHead(401, { "www-authenticate": 'Basic realm="test"' }).end();
    if (path === "/v2/") return response.end("{}");
    if (/\/manifests\//.test(path)) {
      if (/missing/.test(path)) return response.writeHead(404, json).end(unknownManifest);
      if (!path.includes("sha256:")) pulls++;
      await new Promise((resolve) => setTimeout(resolve, delayMilliseconds));
      const headers = {
        "content-type": manifestType,
        "docker-content-digest": digestOf(manifest),
        "content-length": manifest.length,
      };
      return response.writeHead(200, headers).end(request.method === "HEAD" ? undefined : manifest);
    }
    const blob = blobs.get(/\/blobs\/(.*)$/.exec(path)?.[1] ?? "");
    if (!blob) return response.writeHead(404).end();
    return response.writeHead(200, { "content-length": blob.length }).end(blob);
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    pulls: () => pulls,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const json = { "content-type": "application/json" };
const manifestType = "application/vnd.docker.distribution.manifest.v2+json";
const unknownManifest = JSON.stringify({ errors: [{ code: "MANIFEST_UNKNOWN", message: "manifest unknown" }] });

async function readImage(archive: string) {
  const entries = await unpackTar(readFileSync(archive));
  const bytesOf = (test: (name: string) => boolean) =>
    Buffer.from(entries.find(({ header }) => test(header.name))!.data!);
  const config = bytesOf((name) => name.endsWith(".json") && name !== "manifest.json");
  const layer = gzipSync(bytesOf((name) => name === "layer.tar"));
  const blobs = new Map([config, layer].map((blob) => [digestOf(blob), blob]));
  const type = "application/vnd.docker";
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config: { mediaType: `${type}.container.image.v1+json`, size: config.length, digest: digestOf(config) },
      layers: [{ mediaType: `${type}.image.rootfs.diff.tar.gzip`, size: layer.length, digest: digestOf(layer) }],
    }),
  );
  return { blobs, manifest };
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
