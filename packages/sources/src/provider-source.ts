/** Where a provider comes from: `registry.terraform.io/hashicorp/consul`. */
export interface ProviderSource {
  readonly host: string;
  readonly namespace: string;
  readonly type: string;
}

export const defaultRegistry = "registry.terraform.io";
/** Where OpenTofu has providers from by default: the same ones, by the same names. */
export const tofuRegistry = "registry.opentofu.org";
/** The namespace of what is part of the program itself: `terraform.io/builtin/terraform`. */
export const builtinTerraform: ProviderSource = { host: "terraform.io", namespace: "builtin", type: "terraform" };

/** The namespace of providers in states of before namespaces, which nobody serves: `state replace-provider` gives them theirs. */
export const legacyNamespace = "-";

export function providerSourceText(source: ProviderSource): string {
  return `${source.host}/${source.namespace}/${source.type}`;
}

/** As people read it: without the default registry's host. */
export function providerSourceShort(source: ProviderSource): string {
  return source.host === defaultRegistry ? `${source.namespace}/${source.type}` : providerSourceText(source);
}

/** `consul`, `hashicorp/consul` or `host/hashicorp/consul`; undefined where it is none of these. */
export function parseProviderSource(text: string): ProviderSource | undefined {
  const parts = text.split("/");
  const isNamed = (part: string, at: number) => part !== legacyNamespace || at !== parts.length - 2;
  if (
    parts
      .filter(isNamed)
      .some((part) => !/^[0-9A-Za-z](?:[0-9A-Za-z-_]*[0-9A-Za-z])?(?:[.:][0-9A-Za-z-.:]+)?$/.test(part))
  )
    return undefined;
  const [a, b, c] = parts.map((part) => part.toLowerCase());
  if (parts.length === 1) return { host: defaultRegistry, namespace: "hashicorp", type: a! };
  if (parts.length === 2) return { host: defaultRegistry, namespace: a!, type: b! };
  if (parts.length === 3) return { host: a!, namespace: b!, type: c! };
  return undefined;
}

/** The provider that a local name means when `required_providers` does not say: `terraform` is built in. */
export function impliedProviderSource(localName: string): ProviderSource {
  if (localName === "terraform") return builtinTerraform;
  return { host: defaultRegistry, namespace: "hashicorp", type: localName };
}
