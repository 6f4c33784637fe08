import {
  type AwsCredentials,
  awsCredentialsOf,
  findAwsCredentials,
  noAwsCredentials,
} from "@millwright/clients/aws-credentials";
import { OperationalError } from "@millwright/core/errors";
import { backendErrors } from "@millwright/engine/backend/errors";
import type { BackendPorts } from "./backend-type.ts";
import type { Settings } from "./settings.ts";

/**
 * Finds who asks: the block's own keys, its profile, the environment, then the shared files' default profile. Asked for at each
 * call, so that files may change meanwhile.
 */
export function findCredentials(settings: Settings, { env }: BackendPorts): () => Promise<AwsCredentials> {
  const places = {
    env,
    profile: settings.text("profile"),
    credentialsFiles: [
      ...settings.texts("shared_credentials_files"),
      ...oneOf(settings.text("shared_credentials_file")),
    ],
    configFiles: settings.texts("shared_config_files"),
  };
  return async () => {
    const found =
      awsCredentialsOf(settings.text("access_key"), settings.text("secret_key"), settings.text("token")) ??
      findAwsCredentials(places);
    if (!found) throw new OperationalError(backendErrors.stateUnreadable, noAwsCredentials);
    return found;
  };
}

function oneOf(path: string | undefined): readonly string[] {
  return path === undefined ? [] : [path];
}
