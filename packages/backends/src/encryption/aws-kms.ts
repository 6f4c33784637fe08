import { awsCredentialsOf, findAwsCredentials, noAwsCredentials } from "@millwright/clients/aws-credentials";
import { HttpConnections } from "@millwright/clients/http";
import { targetOf } from "@millwright/clients/target";
import { messageOf, OperationalError } from "@millwright/core/errors";
import { backendErrors } from "@millwright/engine/backend/errors";
import { AwsV4Signer } from "aws4fetch";
import type { BackendPorts } from "../backend-type.ts";
import { keyUnavailable, type KeyProvider } from "./key-provider.ts";
import type { PartSettings } from "./part-settings.ts";

/**
 * `key_provider "aws_kms"`: a new data key for each run from a key of AWS KMS (`TrentService.GenerateDataKey`), which alone can
 * decrypt what is kept of it (`TrentService.Decrypt`). Source: the API reference of AWS Key Management Service.
 */
export const awsKmsProvider: KeyProvider = {
  arguments: [
    "kms_key_id",
    "key_spec",
    "encryption_context",
    "region",
    "access_key",
    "secret_key",
    "token",
    "profile",
    "shared_credentials_files",
    "shared_config_files",
    "custom_ca_bundle",
    "insecure",
    // Nothing is asked of AWS beforehand, so there is nothing to skip.
    "skip_credentials_validation",
    "skip_requesting_account_id",
    "skip_metadata_api_check",
  ],
  fresh: async (settings, ports) => {
    const spec = settings.text("key_spec");
    if (spec !== "AES_256" && spec !== "AES_128") throw settings.wrong("key_spec is AES_256 or AES_128");
    const made = await ask(settings, ports, "GenerateDataKey", { KeySpec: spec });
    return { key: keyIn(made, settings), metadata: { ciphertext_blob: made.CiphertextBlob } };
  },
  again: async (settings, given, ports) => {
    const { ciphertext_blob: sealed } = (given ?? {}) as { readonly ciphertext_blob?: string };
    if (!sealed) return undefined;
    return keyIn(await ask(settings, ports, "Decrypt", { CiphertextBlob: sealed }), settings);
  },
};

type Answer = Readonly<Record<string, unknown>>;

function keyIn({ Plaintext }: Answer, settings: PartSettings): Uint8Array {
  if (typeof Plaintext !== "string") throw keyUnavailable(settings, "the answer of KMS has no key");
  return Buffer.from(Plaintext, "base64");
}

/** One call of KMS, signed with Signature Version 4. */
async function ask(
  settings: PartSettings,
  { env }: BackendPorts,
  action: "GenerateDataKey" | "Decrypt",
  further: Answer,
): Promise<Answer> {
  const KeyId = settings.text("kms_key_id");
  if (!KeyId) throw settings.wrong("kms_key_id is missing");
  const region = settings.text("region") ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION;
  if (!region) throw settings.wrong("region is missing, and AWS_REGION is not set");
  const context = settings.record("encryption_context");
  const body = Buffer.from(JSON.stringify({ KeyId, ...further, ...(context && { EncryptionContext: context }) }));
  const address = endpointOf(region, env);
  const caFile = settings.text("custom_ca_bundle") ?? env.AWS_CA_BUNDLE;
  const tls = { tlsVerify: settings.text("insecure") !== "true", ...(caFile === undefined ? {} : { caFile }) };
  const connections = new HttpConnections(targetOf({ address, ...tls }, `the endpoint of ${settings.address}`));
  try {
    const signed = await new AwsV4Signer({
      method: "POST",
      url: `${address}/`,
      service: "kms",
      region,
      headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": `TrentService.${action}` },
      body,
      ...credentialsOf(settings, env),
    }).sign();
    const { pathname, search } = signed.url;
    const headers = Object.fromEntries(signed.headers);
    const call = { method: "POST", path: `${pathname}${search}`, headers, body, timeoutMilliseconds: 60_000 };
    const answer = await connections.send(call);
    const text = Buffer.from(await answer.bytes()).toString("utf8");
    if (answer.status !== 200) throw keyUnavailable(settings, `KMS answered ${answer.status}: ${text.slice(0, 300)}`);
    return JSON.parse(text) as Answer;
  } catch (error) {
    if (error instanceof OperationalError && error.code === backendErrors.keyUnavailable.code) throw error;
    throw keyUnavailable(settings, messageOf(error), error);
  } finally {
    await connections.close();
  }
}

function endpointOf(region: string, env: BackendPorts["env"]): string {
  const named = env.AWS_ENDPOINT_URL_KMS || env.AWS_ENDPOINT_URL;
  const usual = `https://kms.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`;
  return (named || usual).replace(/\/$/, "");
}

function credentialsOf(settings: PartSettings, env: BackendPorts["env"]) {
  const given = awsCredentialsOf(settings.text("access_key"), settings.text("secret_key"), settings.text("token"));
  const places = {
    env,
    profile: settings.text("profile"),
    credentialsFiles: settings.texts("shared_credentials_files"),
    configFiles: settings.texts("shared_config_files"),
  };
  const found = given ?? findAwsCredentials(places);
  if (!found) throw keyUnavailable(settings, noAwsCredentials);
  return found;
}
