import { OperationalError } from "@millwright/core/errors";
import type { ServiceDiscovery } from "./discovery.ts";
import { sourceErrors } from "./errors.ts";
import { objectIn, objectsIn, textIn, textsIn } from "./json-fields.ts";
import { hashPackedFile } from "./package-hash.ts";
import { type Platform, platformText } from "./platform.ts";
import type { OfferedVersions, PackageOffer, PackageTrust, ProviderOrigin } from "./provider-origin.ts";
import { type ProviderSource, providerSourceText } from "./provider-source.ts";
import type { SigningKey } from "./signature.ts";

/**
 * The registries that providers are named after. What comes from one is compared with its list of checksums, and that with the
 * list's signature. Source: Terraform's documentation of the provider registry protocol.
 */
export class RegistryOrigin implements ProviderOrigin {
  readonly #discovery: ServiceDiscovery;

  constructor(discovery: ServiceDiscovery) {
    this.#discovery = discovery;
  }

  async versions(source: ProviderSource): Promise<OfferedVersions> {
    const url = new URL("versions", await this.#base(source));
    const request = await this.#discovery.authorized(source.host);
    const { value } = await this.#discovery.http.json(url, `provider ${providerSourceText(source)}`, request);
    const answer = objectIn(value) ?? {};
    const versions = objectsIn(answer["versions"]).flatMap((entry) => textIn(entry["version"]) ?? []);
    return { versions, warnings: textsIn(answer["warnings"]) };
  }

  async offer(source: ProviderSource, version: string, platform: Platform): Promise<PackageOffer> {
    const path = `${encodeURIComponent(version)}/download/${platform.os}/${platform.arch}`;
    const url = new URL(path, await this.#base(source));
    const what = `package of ${providerSourceText(source)} ${version} for ${platformText(platform)}`;
    const answer = await this.#download(url, source, what, { version, platform });
    const described = readDownload(answer.value, answer.url, what);
    const isKnown = described.protocols.length === 0 || described.protocols.some((text) => /^[56](\.|$)/.test(text));
    if (!isKnown)
      throw refused(
        `The ${what} speaks version ${described.protocols.join(", ")} of the plugin protocol, and only 5 and 6 are spoken here. Ask for another version of the provider.`,
      );
    const trust = await this.#signed(described, what);
    const place = { kind: "url", url: described.packageUrl } as const;
    return { source, version, platform, place, check: (file) => check(file, described, trust, what) };
  }

  async #base(source: ProviderSource): Promise<URL> {
    const base = await this.#discovery.address(source.host, "providers.v1", "provider registry");
    return new URL(`${encodeURIComponent(source.namespace)}/${encodeURIComponent(source.type)}/`, base);
  }

  async #download(
    url: URL,
    source: ProviderSource,
    what: string,
    { version, platform }: { readonly version: string; readonly platform: Platform },
  ): Promise<{ readonly value: unknown; readonly url: URL }> {
    try {
      return await this.#discovery.http.json(url, what, await this.#discovery.authorized(source.host));
    } catch (error) {
      if (!(error instanceof OperationalError) || error.kind.code !== sourceErrors.notFound.code) throw error;
      const message = `provider ${providerSourceText(source)} ${version} is not available for ${platformText(platform)}.`;
      throw new OperationalError(sourceErrors.otherPlatform, message, { cause: error });
    }
  }

  // Before the package itself is fetched, which may be large.
  async #signed(described: DescribedPackage, what: string): Promise<PackageTrust> {
    const { http } = this.#discovery;
    const sums = await http.bytes(described.sumsUrl, `list of checksums of the ${what}`);
    const signature = await http.bytes(described.signatureUrl, `signature of the checksums of the ${what}`);
    const listed = readSums(Buffer.from(sums).toString("utf8"));
    if (listed.get(described.filename) !== described.sha256)
      throw untrusted(
        `The list of checksums of the ${what} does not have ${described.filename} with the SHA-256 ${described.sha256} that its registry says. Nothing was fetched.`,
      );
    const { signerOf } = await import("./signature.ts");
    const signer = await signerOf(sums, signature, described.keys, what);
    return { kind: "signed", ...signer, hashes: [...listed.values()].map((hex) => `zh:${hex}`) };
  }
}

async function check(
  file: string,
  { sha256 }: DescribedPackage,
  trust: PackageTrust,
  what: string,
): Promise<PackageTrust> {
  const hash = await hashPackedFile(file);
  if (hash === `zh:${sha256}`) return trust;
  throw untrusted(
    `The ${what} is not what its registry says: its SHA-256 is ${hash.slice(3)}, and ${sha256} was promised. Nothing of it was kept.`,
  );
}

interface DescribedPackage {
  readonly protocols: readonly string[];
  readonly filename: string;
  readonly packageUrl: URL;
  readonly sumsUrl: URL;
  readonly signatureUrl: URL;
  readonly sha256: string;
  readonly keys: readonly SigningKey[];
}

function readDownload(value: unknown, base: URL, what: string): DescribedPackage {
  const answer = objectIn(value) ?? {};
  const address = (name: string) => {
    const text = textIn(answer[name]);
    if (text !== undefined && URL.canParse(text, base.href)) return new URL(text, base.href);
    throw new OperationalError(sourceErrors.badAnswer, `The registry's description of the ${what} has no ${name}.`);
  };
  const keys = objectsIn(objectIn(answer["signing_keys"])?.["gpg_public_keys"]);
  return {
    protocols: textsIn(answer["protocols"]),
    filename: textIn(answer["filename"]) ?? "",
    packageUrl: address("download_url"),
    sumsUrl: address("shasums_url"),
    signatureUrl: address("shasums_signature_url"),
    sha256: (textIn(answer["shasum"]) ?? "").toLowerCase(),
    keys: keys.flatMap((key) => {
      const armored = textIn(key["ascii_armor"]);
      return armored === undefined ? [] : [{ id: textIn(key["key_id"]) ?? "", armored }];
    }),
  };
}

/** Lines of `sha256sum`, by name. */
function readSums(text: string): ReadonlyMap<string, string> {
  const sums = new Map<string, string>();
  for (const line of text.split("\n")) {
    const match = /^([0-9a-f]{64})\s+\*?(\S.*?)\s*$/i.exec(line);
    if (match) sums.set(match[2]!, match[1]!.toLowerCase());
  }
  return sums;
}

function untrusted(message: string): OperationalError {
  return new OperationalError(sourceErrors.untrusted, message);
}

function refused(message: string): OperationalError {
  return new OperationalError(sourceErrors.refused, message);
}
