import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Where credentials for AWS are looked for. */
export interface AwsPlaces {
  /** Has AWS_ACCESS_KEY_ID, AWS_PROFILE, AWS_SHARED_CREDENTIALS_FILE, AWS_CONFIG_FILE and the rest of them. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where one is named, keys of the environment are not looked at. */
  readonly profile?: string | undefined;
  /** In place of `~/.aws/credentials` and `~/.aws/config`; a `~` is the home folder. */
  readonly credentialsFiles?: readonly string[];
  readonly configFiles?: readonly string[];
}

/** What to do where there are none. */
export const noAwsCredentials =
  "No credentials for AWS were found. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN), or a profile in ~/.aws/credentials. Roles, single sign-on and instance metadata are not asked by this program: let the AWS CLI write them out (aws configure export-credentials --format env).";

/** Finds keys in the environment, then in the shared files' profile. */
export function findAwsCredentials(places: AwsPlaces): AwsCredentials | undefined {
  const { env, profile } = places;
  const own = awsCredentialsOf(env.AWS_ACCESS_KEY_ID, env.AWS_SECRET_ACCESS_KEY, env.AWS_SESSION_TOKEN);
  return (profile === undefined ? own : undefined) ?? profileCredentials(places);
}

/** Undefined where a key or its secret is missing. */
export function awsCredentialsOf(
  id: string | undefined,
  secret: string | undefined,
  token: string | undefined,
): AwsCredentials | undefined {
  if (!id || !secret) return undefined;
  return { accessKeyId: id, secretAccessKey: secret, ...(token ? { sessionToken: token } : {}) };
}

function profileCredentials(places: AwsPlaces): AwsCredentials | undefined {
  const { env, credentialsFiles = [], configFiles = [] } = places;
  const profile = places.profile ?? env.AWS_PROFILE ?? "default";
  const home = env.HOME ?? homedir();
  const usual = (name: string, file: string) => [env[name] ?? join(home, ".aws", file)];
  const credentials =
    credentialsFiles.length > 0 ? credentialsFiles : usual("AWS_SHARED_CREDENTIALS_FILE", "credentials");
  const config = configFiles.length > 0 ? configFiles : usual("AWS_CONFIG_FILE", "config");
  const sections = [
    ...credentials.map((path) => sectionOf(path, [profile], home)),
    ...config.map((path) => sectionOf(path, [`profile ${profile}`, profile], home)),
  ];
  for (const section of sections) {
    const { aws_access_key_id: id, aws_secret_access_key: secret, aws_session_token: token } = section;
    const found = awsCredentialsOf(id, secret, token);
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
