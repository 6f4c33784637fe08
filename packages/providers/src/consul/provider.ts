import { clientErrors } from "@millwright/clients/errors";
import { isKind } from "@millwright/core/errors";
import { ConsulClient } from "@millwright/clients/consul";
import type { ConsulConfig } from "@millwright/clients/consul-config";
import type { DefinedProvider } from "@millwright/provider/define";
import { defineProvider } from "@millwright/provider/define";
import { failure, problem } from "@millwright/provider/problem";
import { atMostOneOf } from "@millwright/provider/rules";
import { consulNodesData, consulServicesData } from "./catalog-data.ts";
import { ConsulConnection } from "./connection.ts";
import { consulServiceHealthData } from "./health-data.ts";
import { consulKeyPrefix } from "./key-prefix.ts";
import { consulKeys } from "./keys.ts";
import { consulKeyPrefixData, consulKeysData } from "./keys-data.ts";
import { consulNode } from "./node.ts";
import { consulService } from "./service.ts";
import type { Environment, Settings } from "./settings.ts";
import { addressSource, connectionConfig, settingsFields } from "./settings.ts";

/** `hashicorp/consul`: keys and services of Consul, or of any server that speaks its API. */
export function consulProvider(env: Environment = process.env): DefinedProvider {
  return defineProvider({
    name: "consul",
    version: "2.21.0",
    schema: settingsFields,
    *validate({ config }) {
      yield* atMostOneOf(config, ["ca_file", "ca_pem"]);
      yield* atMostOneOf(config, ["cert_file", "cert_pem"]);
      yield* atMostOneOf(config, ["key_file", "key_pem"]);
      const isPlain = config.scheme !== undefined && (config.scheme ?? env.CONSUL_HTTP_SCHEME ?? "http") !== "https";
      if (config.insecure_https && isPlain && !config.address?.startsWith("https:") && !env.CONSUL_HTTP_SSL) {
        yield problem(
          "Invalid attribute combination",
          'insecure_https needs scheme = "https": without TLS there is no certificate to accept.',
          ["insecure_https"],
        );
      }
    },
    configure: async ({ config, signal }) => {
      const target = connectionConfig(config, env);
      const token = await logIn(config, target, { env, signal });
      return new ConsulConnection(token === undefined ? target : { ...target, token }, addressSource(config, env));
    },
    explain: (error, connection) => {
      if (!connection || !isKind(error, clientErrors.unreachable)) return undefined;
      return problem(
        `Cannot reach Consul at ${connection.client.address}`,
        `${error.message} ${connection.addressSource}`,
      );
    },
    close: (connection) => connection.close(),
    resources: {
      consul_keys: consulKeys,
      consul_key_prefix: consulKeyPrefix,
      consul_node: consulNode,
      consul_service: consulService,
    },
    dataSources: {
      consul_keys: consulKeysData,
      consul_key_prefix: consulKeyPrefixData,
      consul_nodes: consulNodesData,
      consul_services: consulServicesData,
      consul_service_health: consulServiceHealthData,
    },
  });
}

interface Surroundings {
  readonly env: Environment;
  readonly signal: AbortSignal;
}

/** The token that an `auth_jwt` block is traded for; undefined where there is none. */
async function logIn(
  settings: Settings,
  target: ConsulConfig,
  { env, signal }: Surroundings,
): Promise<string | undefined> {
  const [login] = settings.auth_jwt;
  if (!login) return undefined;
  const bearerToken = login.use_terraform_cloud_workload_identity
    ? env.TFC_WORKLOAD_IDENTITY_TOKEN
    : login.bearer_token;
  if (!bearerToken) {
    const missing = login.use_terraform_cloud_workload_identity
      ? "The environment has no TFC_WORKLOAD_IDENTITY_TOKEN, which use_terraform_cloud_workload_identity takes."
      : "Set bearer_token or use_terraform_cloud_workload_identity.";
    throw failure("No token to log in with", missing, ["auth_jwt", 0, "bearer_token"]);
  }
  const client = new ConsulClient(target);
  try {
    const request = { authMethod: login.auth_method, bearerToken, ...(login.meta ? { meta: login.meta } : {}) };
    return await client.login(request, { signal, ...(settings.namespace ? { namespace: settings.namespace } : {}) });
  } finally {
    await client.close();
  }
}
