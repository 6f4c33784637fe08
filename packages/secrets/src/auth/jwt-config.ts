import { createPublicKey } from "node:crypto";
import { OperationalError } from "@millwright/core/errors";
import { secretsErrors } from "../errors.ts";
import { fieldsOf } from "../request-fields.ts";

/** Where the keys come from that tokens are signed with. */
export type KeySource =
  /** Each a public key or a certificate in PEM. */
  | { readonly kind: "keys"; readonly pems: readonly string[] }
  | { readonly kind: "jwks"; readonly url: string; readonly caPem: string }
  /** An issuer whose metadata (OpenID Connect Discovery 1.0) tell where its keys are. */
  | { readonly kind: "discovery"; readonly url: string; readonly caPem: string };

/** The configuration of the login. */
export interface JwtConfig {
  readonly source: KeySource;
  /** The `iss` that tokens must have; empty where any will do, and with discovery that of the issuer. */
  readonly boundIssuer: string;
  readonly algorithms: readonly string[];
  /** Of a login that names none. */
  readonly defaultRole: string;
}

/** Signatures by a private key. Those by a shared secret are not among them: whoever checks one could make one. */
export const signatureAlgorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
] as const;

export const jwtConfigFields = [
  "jwt_validation_pubkeys",
  "jwks_url",
  "jwks_ca_pem",
  "oidc_discovery_url",
  "oidc_discovery_ca_pem",
  "bound_issuer",
  "jwt_supported_algs",
  "default_role",
  "skip_jwks_validation",
] as const;

/** The configuration that a write says, whole: what it does not name is not kept. Throws `badRequest` for what cannot be. */
export function configOf(data: Readonly<Record<string, unknown>>): JwtConfig {
  const fields = fieldsOf(data);
  const algorithms = fields.texts("jwt_supported_algs") ?? [];
  const unknown = algorithms.filter((name) => !signatureAlgorithms.some((known) => known === name));
  if (unknown.length > 0) {
    throw refusal(`jwt_supported_algs: there are ${signatureAlgorithms.join(", ")}, not ${unknown.join(", ")}`);
  }
  return {
    source: sourceOf(data),
    boundIssuer: fields.text("bound_issuer") ?? "",
    algorithms,
    defaultRole: fields.text("default_role") ?? "",
  };
}

function sourceOf(data: Readonly<Record<string, unknown>>): KeySource {
  const fields = fieldsOf(data);
  const pems = pemsOf(data["jwt_validation_pubkeys"]);
  const jwks = fields.text("jwks_url") ?? "";
  const discovery = fields.text("oidc_discovery_url") ?? "";
  if ([pems.length > 0, jwks !== "", discovery !== ""].filter(Boolean).length !== 1) {
    throw refusal("exactly one of 'jwt_validation_pubkeys', 'jwks_url' or 'oidc_discovery_url' must be set");
  }
  if (jwks !== "") return { kind: "jwks", url: webAddress("jwks_url", jwks), caPem: fields.text("jwks_ca_pem") ?? "" };
  if (discovery !== "") {
    const url = webAddress("oidc_discovery_url", discovery);
    return { kind: "discovery", url, caPem: fields.text("oidc_discovery_ca_pem") ?? "" };
  }
  for (const pem of pems) checkKey(pem);
  return { kind: "keys", pems };
}

// One text may hold several, one after another, also with commas between.
function pemsOf(value: unknown): readonly string[] {
  if (value === undefined || value === null || value === "") return [];
  const texts = Array.isArray(value) ? value : [value];
  if (!texts.every((text) => typeof text === "string")) throw refusal("jwt_validation_pubkeys: texts are expected");
  const pems = texts.flatMap((text) => text.match(/-----BEGIN [^-]+-----[^-]+-----END [^-]+-----/g) ?? [text]);
  return pems.filter((text) => text.trim() !== "");
}

function checkKey(pem: string): void {
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) {
    throw refusal(
      "jwt_validation_pubkeys: this is a private key, which belongs to the issuer alone; give the public one",
    );
  }
  try {
    createPublicKey(pem);
  } catch (error) {
    const why = "jwt_validation_pubkeys: this is no public key and no certificate in PEM";
    throw new OperationalError(secretsErrors.badRequest, why, { cause: error });
  }
}

function webAddress(field: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && (url.protocol === "https:" || url.protocol === "http:") && url.username === "" && url.password === "") {
    return text;
  }
  throw refusal(`${field}: an address that begins with https:// is expected, without a password in it`);
}

/** What a read of the configuration tells. */
export function configData({
  source,
  boundIssuer,
  algorithms,
  defaultRole,
}: JwtConfig): Readonly<Record<string, unknown>> {
  return {
    jwt_validation_pubkeys: source.kind === "keys" ? source.pems : [],
    jwks_url: source.kind === "jwks" ? source.url : "",
    jwks_ca_pem: source.kind === "jwks" ? source.caPem : "",
    oidc_discovery_url: source.kind === "discovery" ? source.url : "",
    oidc_discovery_ca_pem: source.kind === "discovery" ? source.caPem : "",
    bound_issuer: boundIssuer,
    jwt_supported_algs: algorithms,
    default_role: defaultRole,
  };
}

function refusal(message: string): OperationalError {
  return new OperationalError(secretsErrors.badRequest, message);
}
