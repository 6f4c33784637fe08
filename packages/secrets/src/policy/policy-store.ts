import type { Diagnostic } from "@millwright/core/diagnostics";
import type { SecretStorage } from "../storage.ts";
import type { Acl } from "./acl.ts";
import { compileAcl } from "./acl.ts";
import { defaultPolicyText } from "./default-policy.ts";
import { parsePolicy } from "./parse-policy.ts";
import type { Policy } from "./policy.ts";

/** The policies by name. Names are compared in lower case. */
export interface PolicyStore {
  /** Sorted, with `default` and `root`. */
  list(): Promise<readonly string[]>;
  get(name: string): Promise<StoredPolicy | undefined>;
  put(name: string, text: string): Promise<PolicyOutcome>;
  /** Of a policy that there is not, nothing happens. */
  delete(name: string): Promise<PolicyOutcome>;
  /** What these policies allow together; names that there is no policy of give nothing. */
  aclOf(names: readonly string[]): Promise<Acl>;
}

/** What tokens have that hold an answer: there is no such policy, so they open nothing else. */
export const wrappingPolicy = "response-wrapping";

export interface StoredPolicy {
  readonly name: string;
  /** As it was written; empty for `root`. */
  readonly text: string;
}

export type PolicyOutcome =
  | { readonly kind: "done"; readonly warnings: readonly Diagnostic[] }
  /** It has faults; their ranges name the file `NAME.hcl`. */
  | { readonly kind: "faulty"; readonly diagnostics: readonly Diagnostic[] }
  /** A policy that is built in, or a name that cannot be. */
  | { readonly kind: "refused"; readonly why: string };

/** `storage` holds nothing but policies. Each answer is as what is stored now, also where another server wrote it. */
export function openPolicies({ storage }: { readonly storage: SecretStorage }): PolicyStore {
  const compiled = new CompiledPolicies();
  const read = async (name: string): Promise<Revised | undefined> => {
    if (name === "root") return { name, text: "", revision: 0 };
    const stored = isName(name) ? await storage.get(name) : undefined;
    if (stored) return { name, text: Buffer.from(stored.value).toString(), revision: stored.revision };
    return name === "default" ? { name, text: defaultPolicyText, revision: 0 } : undefined;
  };
  return {
    list: async () => [...new Set([...(await storage.list("")), "default", "root"])].sort(),
    get: async (given) => {
      const found = await read(given.toLowerCase());
      return found && { name: found.name, text: found.text };
    },
    put: async (given, text) => {
      const name = given.toLowerCase();
      if (["root", wrappingPolicy].includes(name)) return { kind: "refused", why: `cannot update "${name}" policy` };
      if (!isName(name)) return { kind: "refused", why: `invalid policy name: ${nameRule}` };
      if (text.trim() === "") return { kind: "refused", why: "'policy' parameter not supplied or empty" };
      const { diagnostics } = parsePolicy(name, text);
      const errors = diagnostics.filter(({ severity }) => severity === "error");
      if (errors.length > 0) return { kind: "faulty", diagnostics: errors };
      await storage.commit([{ op: "put", path: name, value: Buffer.from(text) }]);
      return { kind: "done", warnings: diagnostics };
    },
    delete: async (given) => {
      const name = given.toLowerCase();
      if (name === "root" || name === "default") return { kind: "refused", why: `cannot delete "${name}" policy` };
      if (isName(name)) await storage.commit([{ op: "delete", path: name }]);
      return { kind: "done", warnings: [] };
    },
    aclOf: async (names) => {
      const unique = [...new Set(names.map((name) => name.toLowerCase()))].sort();
      const found = await Promise.all(unique.map(read));
      return compiled.acl(found.filter((policy) => policy !== undefined));
    },
  };
}

const nameRule = "a name is up to 256 characters without slashes, spaces and control characters";

// A name is one segment of a path.
function isName(name: string): boolean {
  return /^[^/\s\p{Cc}]{1,256}$/u.test(name) && name !== "." && name !== "..";
}

interface Revised extends StoredPolicy {
  readonly revision: number;
}

/** Reads a policy once for each revision of it, and puts together once what is asked for again and again. */
class CompiledPolicies {
  readonly #policies = new Map<string, { readonly revision: number; readonly policy: Policy }>();
  readonly #acls = new Map<string, Acl>();

  acl(found: readonly Revised[]): Acl {
    const key = found.map(({ name, revision }) => `${name} ${revision}`).join("\n");
    const known = this.#acls.get(key);
    if (known) return known;
    const acl = compileAcl(found.map((policy) => this.#policy(policy)));
    // What is old is of no use any more, and which that is cannot be told: the rest is made again as it is asked for.
    if (this.#acls.size >= 1000) this.#acls.clear();
    this.#acls.set(key, acl);
    return acl;
  }

  #policy({ name, text, revision }: Revised): Policy {
    const known = this.#policies.get(name);
    if (known?.revision === revision) return known.policy;
    const { value: policy } = parsePolicy(name, text);
    this.#policies.set(name, { revision, policy });
    return policy;
  }
}
