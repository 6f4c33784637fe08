import type { Platform } from "./platform.ts";
import type { ProviderSource } from "./provider-source.ts";

/** A place that has provider packages: a registry, a mirror, or several of them as one. */
export interface ProviderOrigin {
  /** The versions that it has. Throws `notFound` where it does not know the provider. */
  versions(source: ProviderSource): Promise<OfferedVersions>;
  /** A package of one version. Throws `otherPlatform` where there is none for the platform. */
  offer(source: ProviderSource, version: string, platform: Platform): Promise<PackageOffer>;
}

export interface OfferedVersions {
  readonly versions: readonly string[];
  /** What whoever has them wants users to know. */
  readonly warnings: readonly string[];
}

/** A package that can be had, and what is known of its bytes. */
export interface PackageOffer {
  readonly source: ProviderSource;
  readonly version: string;
  readonly platform: Platform;
  readonly place: PackagePlace;
  /**
   * Checks a package that has been fetched to `path`. Throws `untrusted` where its bytes are not those that were promised, or
   * are signed by nobody who may.
   */
  check(path: string): Promise<PackageTrust>;
}

export type PackagePlace =
  /** Unpacked, and used where it is. */
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "url"; readonly url: URL };

/** How much is known of who made a package. */
export type PackageTrust =
  | { readonly kind: "unauthenticated" }
  | { readonly kind: "checksum" }
  | {
      readonly kind: "signed";
      readonly by: "hashicorp" | "its developer";
      readonly keyId: string;
      /** What the signer says of the packages for all platforms: they may all be installed. */
      readonly hashes: readonly string[];
    };
