import { clientErrors } from "@millwright/clients/errors";
import { VaultClient } from "@millwright/clients/vault";
import { VaultRefusal } from "@millwright/clients/vault-api";
import type { VaultConfig } from "@millwright/clients/vault-config";
import { OperationalError } from "@millwright/core/errors";
import { vaultPort } from "@millwright/render/vault-port";
import type { VaultHost } from "../allocation/host.ts";

/** The secrets server of an agent's tasks. */
export interface VaultSettings extends VaultConfig {
  /** Where workload identities are traded for tokens; `jwt-nomad` by default. */
  readonly mount?: string;
  /** The role of tasks that name none; `nomad-workloads` by default. */
  readonly defaultRole?: string;
}

/** A secrets server with what a node asks of it. */
export interface OpenVaultHost extends VaultHost {
  /** Undefined where it does not answer. */
  version(signal: AbortSignal): Promise<string | undefined>;
  close(): Promise<void>;
}

/** Opens the way to a secrets server; nothing is sent yet. Throws `badConfiguration`. */
export function openVaultHost(settings: VaultSettings): OpenVaultHost {
  const { mount = "jwt-nomad", defaultRole = "nomad-workloads", ...config } = settings;
  const patient = new VaultClient(config);
  // Whoever renders repeats by itself.
  const once = new VaultClient(config, { attempts: 1 });
  return {
    address: patient.address,
    mount,
    defaultRole,
    login: async (role, identity, signal) => {
      const path = `auth/${mount}/login`;
      const login = patient.write(path, { role, jwt: identity }, { token: "", signal });
      const secret = await login.catch((error: unknown) => {
        throw refusedLogin(error, { address: patient.address, mount, role });
      });
      if (!secret?.auth) {
        const text = `${patient.address} answered a login at ${path} without a token. Check vault { jwt_auth_backend_path }.`;
        throw new OperationalError(clientErrors.badAnswer, text);
      }
      const { clientToken: token, policies, leaseDuration, renewable } = secret.auth;
      return { token, policies, leaseDuration, renewable };
    },
    as: (token) => vaultPort(once, token),
    revoke: async (token, signal) => {
      try {
        const path = "auth/token/revoke-self";
        await patient.request({ method: "PUT", path, body: {}, options: { token, signal }, repeatable: true });
      } catch (error) {
        // A token that has ended is no token any more.
        if (error instanceof OperationalError && error.kind.status === 403) return;
        throw error;
      }
    },
    version: async (signal) => {
      const path = "sys/health";
      const query = { standbyok: "true", sealedcode: "200", uninitcode: "200" };
      const options = { token: "", signal };
      const answer = await once
        .request({ method: "GET", path, query, options, repeatable: true })
        .catch(() => undefined);
      const { version } = (answer?.body ?? {}) as { readonly version?: unknown };
      return typeof version === "string" ? version : undefined;
    },
    close: async () => {
      await Promise.all([patient.close(), once.close()]);
    },
  };
}

interface Login {
  readonly address: string;
  readonly mount: string;
  readonly role: string;
}

// What the server says is for whoever logs in by hand; here it is read by whoever wrote the job.
function refusedLogin(error: unknown, { address, mount, role }: Login): unknown {
  if (!(error instanceof OperationalError && error.cause instanceof VaultRefusal) || error.kind.retryable) return error;
  const { status, errors } = error.cause;
  // Without a login method at the path the server asks for a token first.
  const text =
    status === 403 || status === 404
      ? `The secrets server at ${address} takes no task's login at auth/${mount}. Mount the login by JWT there ` +
        `(vault auth enable -path=${mount} jwt), with jwks_url at the keys of the servers of jobs, or set the agent's ` +
        `vault { jwt_auth_backend_path }.`
      : `The secrets server at ${address} refused the task's login as role ${JSON.stringify(role)}: ` +
        `${errors.join("; ")}. Look at auth/${mount}/role/${role}, and correct it or the job's vault block.`;
  return new OperationalError(error.kind, text, { cause: error });
}
