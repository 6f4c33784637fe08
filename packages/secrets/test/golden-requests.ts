/**
 * Requests that a real server (OpenBao) was asked, in this order, with what it answered in `testdata/openbao-answers.json`.
 * The unit tests hold our answers against those; `npm run conformance` holds a real server against them where there is one.
 */
export interface GoldenRequest {
  /** As `POST sys/mounts/kv`. `{name}` stands for what an earlier answer was kept as. */
  readonly line: string;
  readonly body?: unknown;
  /** What of the answer is kept for later requests: a name, and where it is in the JSON. */
  readonly keep?: Readonly<Record<string, string>>;
  /** The name of a kept token; the root token otherwise; `none` for none. */
  readonly as?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Why our answer is meant to be another one. */
  readonly differs?: string;
}

const reader = 'path "secret/data/app" { capabilities = ["read"] }\npath "plain/*" { capabilities = ["create"] }';

export const goldenRequests: readonly GoldenRequest[] = [
  // Paths and permission
  { line: "GET foo/bar" },
  { line: "GET sys/foo" },
  { line: "GET secret/data/app", as: "none", differs: "says that a token is missing" },
  { line: "GET secret/data/app", as: "wrong", differs: "says that the token is not known" },
  { line: "PUT sys/policies/acl/reader", body: { policy: reader } },
  { line: "GET sys/policies/acl/reader" },
  { line: "GET sys/policy/reader" },
  { line: "GET sys/policy" },
  { line: "LIST sys/policies/acl" },
  { line: "GET sys/policy/none" },
  { line: "PUT sys/policies/acl/faulty", body: { policy: "path {" }, differs: "says where the fault is" },
  { line: "PUT sys/policies/acl/empty", body: {} },
  { line: "DELETE sys/policies/acl/none" },
  { line: "DELETE sys/policies/acl/root" },
  { line: "PUT sys/policies/acl/root", body: { policy: reader } },
  {
    line: "POST auth/token/create",
    body: { policies: ["reader"], ttl: "1h", display_name: "deploy", meta: { team: "a" } },
    keep: { limited: "auth.client_token", accessor: "auth.accessor" },
  },
  { line: "GET secret/data/other", as: "limited", differs: "says what is lacking where" },
  { line: "GET secret/data/app", as: "limited" },
  { line: "PUT secret/data/app", body: { data: { a: 1 } }, as: "limited", differs: "says what is lacking where" },
  { line: "GET nowhere/at/all", as: "limited", differs: "says what is lacking where" },
  { line: "GET sys/mounts", as: "limited", differs: "says what is lacking where" },
  { line: "PUT sys/capabilities-self", body: { paths: ["secret/data/app", "x"] }, as: "limited" },
  { line: "PUT sys/capabilities-self", body: { path: "secret/data/app" }, as: "limited" },
  { line: "PUT sys/capabilities-self", body: {} },
  { line: "PUT sys/capabilities", body: { token: "{limited}", paths: ["plain/a"] } },
  { line: "PUT sys/capabilities-accessor", body: { accessor: "{accessor}", paths: ["plain/a"] } },
  // Mounts
  { line: "POST sys/mounts/plain", body: { type: "kv", description: "first" } },
  { line: "POST sys/mounts/plain", body: { type: "kv" } },
  { line: "POST sys/mounts/plain/below", body: { type: "kv" } },
  { line: "POST sys/mounts/sys", body: { type: "kv" } },
  { line: "POST sys/mounts/none", body: { type: "nope" }, differs: "says what the catalog is" },
  { line: "POST sys/mounts/none", body: {} },
  { line: "GET sys/mounts/plain/tune" },
  { line: "GET sys/mounts/none/tune" },
  { line: "GET sys/mounts/none" },
  { line: "POST sys/mounts/plain/tune", body: { default_lease_ttl: "1h", max_lease_ttl: "2h", description: "second" } },
  { line: "GET sys/mounts/plain/tune" },
  { line: "POST sys/mounts/plain/tune", body: { default_lease_ttl: "system" } },
  { line: "GET sys/mounts/plain/tune", differs: "shows no default above the maximum" },
  { line: "GET sys/internal/ui/mounts/plain/a/b" },
  { line: "GET sys/internal/ui/mounts/none" },
  { line: "GET sys/internal/ui/mounts/secret/data/app", as: "limited" },
  { line: "GET sys/internal/ui/mounts/plain2", as: "limited" },
  { line: "GET sys/auth/token/tune" },
  { line: "POST sys/auth/none", body: { type: "nope" }, differs: "says what the catalog is" },
  { line: "DELETE sys/mounts/sys", differs: "says why" },
  { line: "DELETE sys/mounts/none" },
  { line: "POST sys/remount", body: { from: "none", to: "there" } },
  // kv, version 1
  { line: "PUT plain/a", body: { x: 1, y: "text", z: 12345678901 } },
  { line: "GET plain/a" },
  { line: "PUT plain/new", body: { x: 1 }, as: "limited" },
  { line: "PUT plain/new", body: { x: 2 }, as: "limited", differs: "says what is lacking where" },
  { line: "LIST plain" },
  { line: "GET plain/?list=true" },
  { line: "GET plain/none" },
  { line: "LIST plain/none" },
  { line: "DELETE plain/none" },
  { line: "PUT plain/empty", body: {} },
  // kv, version 2
  { line: "PUT secret/data/app", body: { data: { password: "x" } } },
  { line: "GET secret/data/app" },
  { line: "PUT secret/data/app", body: { data: { password: "y" }, options: { cas: 0 } }, differs: "says the version" },
  { line: "DELETE secret/data/app" },
  { line: "GET secret/data/app" },
  { line: "GET secret/data/none" },
  { line: "LIST secret/metadata" },
  // Cubbyhole
  { line: "PUT cubbyhole/mine", body: { a: "b" } },
  { line: "GET cubbyhole/mine" },
  { line: "GET cubbyhole/mine", as: "limited" },
  { line: "LIST cubbyhole" },
  // Tokens
  { line: "GET auth/token/lookup-self", as: "limited" },
  { line: "PUT auth/token/renew-self", body: { increment: "30m" }, as: "limited" },
  { line: "PUT auth/token/lookup", body: { token: "{limited}" } },
  { line: "PUT auth/token/lookup", body: { token: "nope" } },
  { line: "PUT auth/token/lookup-accessor", body: { accessor: "{accessor}" } },
  { line: "PUT auth/token/revoke-self", as: "limited" },
  { line: "GET auth/token/lookup-self", as: "limited", differs: "says that the token is not known" },
  { line: "GET auth/token/lookup-self", differs: "is the root token of init, and not one for development" },
  // Leases
  { line: "PUT sys/leases/lookup", body: { lease_id: "x/y" } },
  { line: "PUT sys/leases/lookup", body: {} },
  { line: "PUT sys/leases/renew", body: { lease_id: "x/y" } },
  { line: "PUT sys/leases/renew", body: {} },
  { line: "PUT sys/leases/revoke", body: { lease_id: "x/y" } },
  { line: "PUT sys/leases/revoke-prefix/x" },
  { line: "LIST sys/leases/lookup/none" },
  // Wrapping
  { line: "GET plain/a", headers: { "x-vault-wrap-ttl": "60s" }, keep: { wrapped: "wrap_info.token" } },
  { line: "PUT sys/wrapping/lookup", body: { token: "{wrapped}" } },
  { line: "PUT sys/wrapping/unwrap", body: { token: "{wrapped}" } },
  { line: "PUT sys/wrapping/unwrap", body: { token: "{wrapped}" } },
  { line: "PUT sys/wrapping/lookup", body: { token: "nope" } },
  {
    line: "PUT sys/wrapping/wrap",
    body: { a: "b" },
    headers: { "x-vault-wrap-ttl": "60" },
    keep: { own: "wrap_info.token" },
  },
  { line: "PUT sys/wrapping/unwrap", as: "own" },
  // Keys, tools, health
  { line: "PUT sys/rotate" },
  { line: "PUT sys/unseal", body: {} },
  { line: "PUT sys/tools/hash/sha2-256", body: { input: "aGVsbG8=" } },
  { line: "PUT sys/tools/hash/nope", body: { input: "aGVsbG8=" } },
  { line: "PUT sys/tools/random/0" },
  { line: "GET sys/init" },
  { line: "PUT sys/init", body: { secret_shares: 1, secret_threshold: 1 } },
  { line: "GET sys/health?activecode=299" },
  { line: "PUT sys/audit-hash/none", body: { input: "a" } },
  // At the end
  { line: "POST sys/remount", body: { from: "plain", to: "moved" }, differs: "is done when it is answered" },
  { line: "DELETE sys/mounts/moved" },
];

/** One answer, without what differs from run to run. */
export interface GoldenAnswer {
  readonly line: string;
  readonly status: number;
  readonly body: unknown;
}

export type GoldenAsk = (
  line: string,
  body: unknown,
  options: { readonly token: string; readonly headers: Readonly<Record<string, string>> },
) => Promise<{ readonly status: number; readonly text: string }>;

/** Asks requests, one after another; `known` is kept before the first of them. */
export async function askGolden(
  ask: GoldenAsk,
  rootToken: string,
  requests: readonly GoldenRequest[] = goldenRequests,
  known: Readonly<Record<string, string>> = {},
): Promise<readonly GoldenAnswer[]> {
  const kept = new Map([["root", rootToken], ["none", ""], ["wrong", "hvs.wrong"], ...Object.entries(known)]);
  const fill = (text: string) => text.replace(/\{(\w+)\}/g, (whole, name: string) => kept.get(name) ?? whole);
  const answers: GoldenAnswer[] = [];
  for (const { line, body, keep = {}, as = "root", headers = {} } of requests) {
    const sent = body === undefined ? undefined : JSON.parse(fill(JSON.stringify(body)));
    const { status, text } = await ask(fill(line), sent, { token: kept.get(as) ?? "", headers });
    const answer: unknown = text.trim() === "" ? undefined : JSON.parse(text);
    for (const [name, place] of Object.entries(keep)) kept.set(name, String(at(answer, place)));
    answers.push({ line, status, body: withoutChance(answer) ?? null });
  }
  return answers;
}

/** Whether an answer has all that the other has; where not, what it lacks. */
export function lacks(own: unknown, wanted: unknown, place = ""): readonly string[] {
  if (Array.isArray(wanted) || typeof wanted !== "object" || wanted === null) {
    if (JSON.stringify(own) === JSON.stringify(wanted)) return [];
    return [`${place}: ${JSON.stringify(own)} instead of ${JSON.stringify(wanted)}`];
  }
  return Object.entries(wanted).flatMap(([name, value]) => lacks(at(own, name), value, `${place}.${name}`));
}

function at(value: unknown, place: string): unknown {
  let found = value;
  for (const name of place.split("."))
    found = typeof found === "object" && found !== null ? (found as Record<string, unknown>)[name] : undefined;
  return found;
}

const chancy = new Set([
  ...["request_id", "accessor", "uuid", "client_token", "token", "id", "creation_time", "created_time", "expire_time"],
  ...["updated_time", "connection_url"],
  ...["deletion_time", "issue_time", "last_renewal", "last_renewal_time", "migration_id", "entity_id", "ttl"],
  ...["lease_duration", "creation_ttl", "server_time_utc", "cluster_name", "cluster_id", "lease_id"],
  ...["bound_cidrs", "external_namespace_policies", "wrapped_accessor"],
]);

// Keys that a real server has and that say nothing there: of plugins, namespaces, and editions.
const foreign = new Set([
  ...["plugin_version", "running_plugin_version", "running_sha256", "deprecation_status", "local", "seal_wrap"],
  ...["external_entropy_access", "namespace", "type_name", "cas_required", "expiration", "modified", "data_base64"],
  ...["allow_wildcards_in_identity_templates", "allow_slashes_in_identity_templates"],
  ...["metadata_cas_required", "current_metadata_version"],
]);

function withoutChance(value: unknown, name = ""): unknown {
  if (name === "version" && /^\d+\.\d+/.test(String(value))) return "<version>";
  if (chancy.has(name) && (typeof value === "string" || typeof value === "number")) return `<${name}>`;
  // Of a login that was made.
  if ((name === "username" || name === "password") && /^[\w-]{20,}$/.test(String(value))) return `<${name}>`;
  if (Array.isArray(value)) return value.map((item) => withoutChance(item));
  if (typeof value !== "object" || value === null) return value;
  const isPolicy = "policy" in value || "rules" in value;
  const entries = Object.entries(value).filter(([key]) => !foreign.has(key) && !(isPolicy && key === "version"));
  return Object.fromEntries(entries.map(([key, item]) => [key, withoutChance(item, key)]));
}
