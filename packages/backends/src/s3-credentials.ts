import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { OperationalError } from "@millwright/core/errors";
import { backendErrors } from "@millwright/engine/backend/errors";
import type { BackendPorts } from "./backend-type.ts";
import type { Settings } from "./settings.ts";

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/**
 * Finds who asks: the block's own keys, its profile, the environment, then the shared files' default profile. Asked for at each
 * call, so that files may change meanwhile.
 */
export function findCredentials(settings: Settings, { env }: BackendPorts): () => Promise<AwsCredentials> {
  return async () => {
    const found =
      credentialsOf(settings.text("access_key"), settings.text("secret_key"), settings.text("token")) ??
      (settings.isSet("profile") ? undefined : environmentCredentials(env)) ??
      profileCredentials(settings, env);
    if (!found) throw noCredentials();
    return found;
  };
}

function credentialsOf(
  id: string | undefined,
  secret: string | undefined,
  token: string | undefined,
): AwsCredentials | undefined {
  if (!id || !secret) return undefined;
  return { accessKeyId: id, secretAccessKey: secret, ...(token ? { sessionToken: token } : {}) };
}

function environmentCredentials(env: BackendPorts["env"]): AwsCredentials | undefined {
  return credentialsOf(env.AWS_ACCESS_KEY_ID, env.AWS_SECRET_ACCESS_KEY, env.AWS_SESSION_TOKEN);
}

function profileCredentials(settings: Settings, env: BackendPorts["env"]): AwsCredentials | undefined {
  const profile = settings.text("profile") ?? env.AWS_PROFILE ?? "default";
  const given = [...settings.texts("shared_credentials_files"), ...(settings.text("shared_credentials_file") ?? [])];
  const home = env.HOME ?? homedir();
  const credentials = given.length > 0 ? given : [env.AWS_SHARED_CREDENTIALS_FILE ?? join(home, ".aws", "credentials")];
  const configs = settings.texts("shared_config_files");
  const config = configs.length > 0 ? configs : [env.AWS_CONFIG_FILE ?? join(home, ".aws", "config")];
  const sections = [
    ...credentials.map((path) => sectionOf(path, [profile], home)),
    ...config.map((path) => sectionOf(path, [`profile ${profile}`, profile], home)),
  ];
  for (const section of sections) {
    const { aws_access_key_id: id, aws_secret_access_key: secret, aws_session_token: token } = section;
    const found = credentialsOf(id, secret, token);
    if (found) return found;
  }
  return undefined;
}

function sectionOf(path: string, names: readonly string[], home: string): Readonly<Record<string, string>> {
  const file = path.replace(/^~(?=\/)/, home);
  if (!existsSync(file)) return {};
  const words: Record<string, string> = {};
  let within = false;
  for (const line of readFileSync(file, "utf8").split("\n")) {
    const header = /^\s*\[\s*(.*?)\s*\]/.exec(line);
    if (header) within = names.includes(header[1]!);
    const pair = /^\s*([a-z_]+)\s*=\s*(.*?)\s*$/.exec(line);
    if (within && pair) words[pair[1]!] = pair[2]!;
  }
  return words;
}

function noCredentials(): OperationalError {
  return new OperationalError(
    backendErrors.stateUnreadable,
    "No credentials for S3 were found. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN), or a profile in ~/.aws/credentials. Roles, single sign-on and instance metadata are not asked by this program: let the AWS CLI write them out (aws configure export-credentials --format env).",
  );
}
