import { createHash } from "node:crypto";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { loopbackCertificate } from "@millwright/x509/loopback";
import { createMessage, generateKey, type PrivateKey, sign } from "openpgp";
import { zipOf } from "./zip-file.ts";

/** A provider that the fake registry has: its versions, and what a package of each holds. */
export interface FakeProvider {
  readonly name: string;
  readonly versions: readonly string[];
  readonly platforms?: readonly string[];
  readonly warnings?: readonly string[];
}

/** A module: its versions, and the files of each. */
export interface FakeModule {
  readonly name: string;
  readonly versions: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface FakeContents {
  readonly providers?: readonly FakeProvider[];
  readonly modules?: readonly FakeModule[];
  /** Wrong on purpose, by the last part of a path: what is answered there instead. */
  readonly wrong?: Readonly<Record<string, Buffer | number>>;
  /** Faults of first requests, one for each, by the last part of a path; then it is answered as ever. */
  readonly faults?: Readonly<Record<string, readonly Fault[]>>;
  /** Where given, whoever asks must send it. */
  readonly token?: string;
}

/** A status; or the half of the answer, and then a broken connection, or nothing more. */
export type Fault = number | "broken" | "stalled";

/** A registry of providers and modules, and a network mirror, on a free port of this machine. */
export class FakeRegistry {
  /** Method and path of each request, in the order they came. */
  readonly log: string[] = [];
  readonly certificate: string;
  readonly keyId: string;
  readonly #server: Server;
  readonly #contents: FakeContents;
  readonly #faulty = new Map<string, number>();
  readonly #key: PrivateKey;
  readonly #public: string;

  private constructor(server: Server, contents: FakeContents, certificate: string, key: PrivateKey, armored: string) {
    this.#server = server;
    this.#contents = contents;
    this.certificate = certificate;
    this.#key = key;
    this.#public = armored;
    this.keyId = key.getKeyID().toHex().toUpperCase();
  }

  static async start(contents: FakeContents): Promise<FakeRegistry> {
    const { certificate, privateKey } = await loopbackCertificate(Date.now());
    const keys = await generateKey({ type: "rsa", rsaBits: 2048, userIDs: [{ name: "test" }], format: "object" });
    const pem = certificate.toString();
    const server = createServer({ cert: pem, key: privateKey.export({ format: "pem", type: "pkcs8" }) });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const registry = new FakeRegistry(server, contents, pem, keys.privateKey, keys.publicKey.armor());
    server.on("request", async (request, response) => {
      const path = request.url ?? "/";
      registry.log.push(`${request.method} ${path}`);
      const isAllowed = contents.token === undefined || request.headers.authorization === `Bearer ${contents.token}`;
      const answer = isAllowed ? await registry.#answer(path.replace(/\?.*$/, "")) : 401;
      const fault = registry.#nextFault(path);
      if (typeof fault === "number") response.writeHead(fault, { "retry-after": "0" }).end();
      else if (fault !== undefined && Buffer.isBuffer(answer)) {
        response.writeHead(200, { "content-length": answer.length });
        response.write(answer.subarray(0, answer.length / 2), () => fault === "broken" && request.destroy());
      } else if (typeof answer === "number") response.writeHead(answer).end();
      else if (Buffer.isBuffer(answer)) response.writeHead(200).end(answer);
      else if ("get" in answer) response.writeHead(204, { "x-terraform-get": answer.get }).end();
      else response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer.json));
    });
    return registry;
  }

  #nextFault(path: string): Fault | undefined {
    const last = path.replace(/\?.*$/, "").replace(/^.*\//, "");
    const count = this.#faulty.get(last) ?? 0;
    this.#faulty.set(last, count + 1);
    return this.#contents.faults?.[last]?.[count];
  }

  /** `127.0.0.1:PORT`. */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** The package of a provider, as it is served. */
  packageOf(name: string, version: string, platform: string): Buffer {
    const type = name.slice(name.indexOf("/") + 1);
    const program = `#!/bin/sh\necho ${name} ${version} ${platform}\n`;
    return zipOf({ [`terraform-provider-${type}_v${version}`]: program, "LICENSE.txt": "free\n" });
  }

  async #answer(path: string): Promise<Answer> {
    const last = path.slice(path.lastIndexOf("/") + 1);
    const wrong = this.#contents.wrong?.[last];
    if (wrong !== undefined) return wrong;
    const parts = path.split("/").filter((part) => part !== "");
    if (path === "/.well-known/terraform.json")
      return { json: { "providers.v1": "/v1/providers/", "modules.v1": "/v1/modules/" } };
    if (parts[0] === "v1" && parts[1] === "providers") return this.#provider(parts.slice(2));
    if (parts[0] === "v1" && parts[1] === "modules") return this.#module(parts.slice(2));
    if (parts[0] === "files") return this.#file(parts.slice(1).join("/"));
    if (parts[0] === "mirror") return this.#mirror(parts.slice(2));
    return 404;
  }

  #provider([namespace, type, version, , os, arch]: readonly string[]): Answer {
    const name = `${namespace}/${type}`;
    const provider = this.#contents.providers?.find((one) => one.name === name);
    if (!provider) return 404;
    const platforms = provider.platforms ?? defaultPlatforms;
    if (version === "versions") {
      const described = platforms.map((text) => ({ os: text.split("_")[0], arch: text.split("_")[1] }));
      const versions = provider.versions.map((one) => ({ version: one, protocols: ["5.0"], platforms: described }));
      return { json: { id: name, versions, warnings: provider.warnings ?? null } };
    }
    const platform = `${os}_${arch}`;
    if (!platforms.includes(platform)) return 404;
    const filename = `terraform-provider-${type}_${version}_${platform}.zip`;
    const place = `https://${this.host}/files/${name}`;
    return {
      json: {
        protocols: ["5.0"],
        os,
        arch,
        filename,
        download_url: `${place}/${filename}`,
        shasums_url: `${place}/terraform-provider-${type}_${version}_SHA256SUMS`,
        shasums_signature_url: `${place}/terraform-provider-${type}_${version}_SHA256SUMS.sig`,
        shasum: sha256(this.packageOf(name, version!, platform)),
        signing_keys: { gpg_public_keys: [{ key_id: this.keyId, ascii_armor: this.#public, trust_signature: "" }] },
      },
    };
  }

  async #file(path: string): Promise<Answer> {
    if (path.startsWith("modules/")) return this.#moduleFile(path.slice("modules/".length));
    const match = /^([^/]+\/[^/]+)\/terraform-provider-[^_]+_([^_]+)_(.+)$/.exec(path);
    const [, name = "", version = "", rest = ""] = match ?? [];
    if (rest === "SHA256SUMS") return Buffer.from(this.#sums(name, version));
    if (rest === "SHA256SUMS.sig") {
      const message = await createMessage({ binary: Buffer.from(this.#sums(name, version)) });
      const signature = await sign({ message, signingKeys: this.#key, detached: true, format: "binary" });
      return Buffer.from(signature);
    }
    return this.packageOf(name, version, rest.replace(/\.zip$/, ""));
  }

  #sums(name: string, version: string): string {
    const type = name.slice(name.indexOf("/") + 1);
    const platforms = this.#contents.providers?.find((one) => one.name === name)?.platforms ?? defaultPlatforms;
    return platforms
      .map((platform) => {
        const file = `terraform-provider-${type}_${version}_${platform}.zip`;
        return `${sha256(this.packageOf(name, version, platform))}  ${file}\n`;
      })
      .join("");
  }

  #mirror([namespace, type, file = ""]: readonly string[]): Answer {
    const name = `${namespace}/${type}`;
    const provider = this.#contents.providers?.find((one) => one.name === name);
    if (!provider) return 404;
    if (file === "index.json")
      return { json: { versions: Object.fromEntries(provider.versions.map((one) => [one, {}])) } };
    if (!file.endsWith(".json")) return 404;
    const version = file.slice(0, -".json".length);
    const archives = (provider.platforms ?? defaultPlatforms).map((platform) => {
      const url = `/files/${name}/terraform-provider-${type}_${version}_${platform}.zip`;
      return [platform, { url, hashes: [`zh:${sha256(this.packageOf(name, version, platform))}`] }] as const;
    });
    return { json: { archives: Object.fromEntries(archives) } };
  }

  #module([namespace, name, system, version, action]: readonly string[]): Answer {
    const full = `${namespace}/${name}/${system}`;
    const module = this.#contents.modules?.find((one) => one.name === full);
    if (!module) return 404;
    if (version === "versions")
      return { json: { modules: [{ versions: Object.keys(module.versions).map((one) => ({ version: one })) }] } };
    if (action !== "download" || !module.versions[version!]) return 404;
    return { get: `/files/modules/${full}/${version}.zip` };
  }

  #moduleFile(path: string): Answer {
    const match = /^(.+)\/([^/]+)\.zip$/.exec(path);
    const files = this.#contents.modules?.find((one) => one.name === match?.[1])?.versions[match?.[2] ?? ""];
    if (!files) return 404;
    return zipOf(files, 0o644);
  }
}

type Answer = number | Buffer | { readonly json: unknown } | { readonly get: string };

const defaultPlatforms = ["linux_amd64", "linux_arm64", "darwin_arm64"];

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
