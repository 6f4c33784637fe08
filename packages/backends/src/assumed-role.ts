import { readS3Refusal } from "@millwright/clients/s3-answers";
import type { AwsCredentials } from "@millwright/clients/aws-credentials";
import { HttpConnections } from "@millwright/clients/http";
import { targetOf } from "@millwright/clients/target";
import { OperationalError } from "@millwright/core/errors";
import type { Clock } from "@millwright/core/ports";
import { backendErrors } from "@millwright/engine/backend/errors";
import { parseDuration, toMilliseconds } from "@millwright/text/duration";
import { AwsV4Signer } from "aws4fetch";
import type { Settings } from "./settings.ts";

/** How long before its end a role's keys are asked for anew. */
const margin = 5 * 60_000;

/**
 * The keys of the role that `assume_role` names, asked for with one's own, and again before they end.
 * Source: AWS STS API, AssumeRole, version 2011-06-15.
 */
export function assumedRole(
  settings: Settings,
  clock: Clock,
  own: () => Promise<AwsCredentials>,
): () => Promise<AwsCredentials> {
  const role = settings.nested("assume_role");
  if (!role) return own;
  let known: { readonly keys: AwsCredentials; readonly until: number } | undefined;
  return async () => {
    if (known && clock.now() < known.until - margin) return known.keys;
    known = await assume(settings, formOf(role), await own());
    return known.keys;
  };
}

/** What is wrong with an `assume_role`. */
export function roleFaults(role: Settings | undefined): readonly string[] {
  if (!role) return [];
  const wrong = role.text("role_arn") ? [] : ["assume_role.role_arn is missing"];
  const duration = role.text("duration");
  if (duration !== undefined && !parseDuration(duration).ok)
    wrong.push(`assume_role.duration is ${JSON.stringify(duration)}, which is no length of time such as 1h`);
  return wrong;
}

function formOf(role: Settings): URLSearchParams {
  const form = new URLSearchParams({ Action: "AssumeRole", Version: "2011-06-15" });
  const put = (name: string, value: string | undefined) => void (value !== undefined && form.set(name, value));
  put("RoleArn", role.text("role_arn"));
  put("RoleSessionName", role.text("session_name") ?? `millwright-${process.pid}`);
  put("ExternalId", role.text("external_id"));
  put("Policy", role.text("policy"));
  put("SourceIdentity", role.text("source_identity"));
  const duration = parseDuration(role.text("duration") ?? "");
  if (duration.ok) put("DurationSeconds", String(Math.round(toMilliseconds(duration.duration) / 1000)));
  for (const [i, arn] of role.texts("policy_arns").entries()) put(`PolicyArns.member.${i + 1}.arn`, arn);
  for (const [i, [key, value]] of Object.entries(role.textMap("tags")).entries()) {
    put(`Tags.member.${i + 1}.Key`, key);
    put(`Tags.member.${i + 1}.Value`, value);
  }
  for (const [i, key] of role.texts("transitive_tag_keys").entries()) put(`TransitiveTagKeys.member.${i + 1}`, key);
  return form;
}

async function assume(settings: Settings, form: URLSearchParams, own: AwsCredentials) {
  const region = settings.text("sts_region") ?? settings.text("region") ?? "us-east-1";
  const ending = region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  const given = settings.nested("endpoints")?.text("sts") ?? settings.text("sts_endpoint");
  const url = new URL(given ?? `https://sts.${region}.${ending}`);
  const caFile = settings.text("custom_ca_bundle");
  const tls = { tlsVerify: settings.flag("insecure") !== true, ...(caFile === undefined ? {} : { caFile }) };
  const connections = new HttpConnections(targetOf({ address: url.origin, ...tls }, 'endpoints of backend "s3"'));
  try {
    const signed = await new AwsV4Signer({
      method: "POST",
      url: url.href,
      service: "sts",
      region,
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: form.toString(),
      ...own,
    }).sign();
    const answer = await connections.send({
      method: "POST",
      path: `${signed.url.pathname}${signed.url.search}`,
      headers: Object.fromEntries(signed.headers),
      timeoutMilliseconds: 60_000,
      body: Buffer.from(form.toString()),
    });
    return readKeys(answer.status, await answer.bytes(), form.get("RoleArn") ?? "");
  } finally {
    await connections.close();
  }
}

function readKeys(status: number, body: Uint8Array, role: string) {
  const text = Buffer.from(body).toString("utf8");
  const [id, secret, token, end] = ["AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"].map(
    (name) => new RegExp(`<${name}>\\s*([^<]*?)\\s*</${name}>`).exec(text)?.[1],
  );
  if (status === 200 && id && secret && token && end)
    return { keys: { accessKeyId: id, secretAccessKey: secret, sessionToken: token }, until: Date.parse(end) };
  const { code = "", message = "" } = readS3Refusal(body);
  const why = `The role ${role} cannot be assumed: STS answered ${status} ${code} ${message}`.trimEnd();
  throw new OperationalError(
    backendErrors.stateUnreadable,
    `${why}. Check the role's ARN, who may assume it, and the credentials that ask.`,
  );
}
