import type { BackendType } from "./backend-type.ts";

/** How each backend is loaded, when it is first used. */
const loaders: Readonly<Record<string, () => Promise<BackendType>>> = {
  local: async () => (await import("./local.ts")).localBackend,
  http: async () => (await import("./http.ts")).httpBackend,
  pg: async () => (await import("./pg.ts")).pgBackend,
  consul: async () => (await import("./consul.ts")).consulBackend,
  s3: async () => (await import("./s3.ts")).s3Backend,
  kubernetes: async () => (await import("./kubernetes.ts")).kubernetesBackend,
};

/** Backends that Terraform has and this program has not. */
const absent: ReadonlySet<string> = new Set(["azurerm", "cos", "gcs", "inmem", "oss", "remote", "cloud"]);

export type FoundBackend =
  | { readonly kind: "found"; readonly type: BackendType }
  /** Terraform's, but not here. */
  | { readonly kind: "absent" }
  | { readonly kind: "unknown" };

export async function findBackend(name: string): Promise<FoundBackend> {
  const load = Object.hasOwn(loaders, name) ? loaders[name] : undefined;
  if (load) return { kind: "found", type: await load() };
  return { kind: absent.has(name) ? "absent" : "unknown" };
}

export const backendNames: readonly string[] = Object.keys(loaders);
