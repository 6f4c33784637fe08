import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { systemClock } from "@millwright/core/ports";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { assumedRole, roleFaults } from "./assumed-role.ts";
import { Settings } from "./settings.ts";

let sts: Server;
let asked: { readonly form: URLSearchParams; readonly by: string }[];
let answer: { readonly status: number; readonly body: string };
let now: number;

const keys = (n: number, end: number) =>
  `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ID${n}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>${new Date(end).toISOString()}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`;

beforeEach(async () => {
  asked = [];
  now = Date.parse("2026-01-01T00:00:00Z");
  answer = { status: 200, body: keys(1, now + 3_600_000) };
  sts = createServer((request, to) => {
    let body = "";
    request.on("data", (piece) => (body += piece));
    request.on("end", () => {
      asked.push({ form: new URLSearchParams(body), by: String(request.headers.authorization) });
      to.statusCode = answer.status;
      to.end(answer.body);
    });
  });
  await new Promise<void>((resolve) => sts.listen(0, "127.0.0.1", resolve));
});
afterEach(async () => {
  sts.closeAllConnections();
  await new Promise((resolve) => sts.close(resolve));
});

function roleOf(role: Readonly<Record<string, unknown>>) {
  const address = `http://127.0.0.1:${(sts.address() as AddressInfo).port}`;
  const config = { region: "eu-west-1", endpoints: { sts: address }, assume_role: role };
  const own = async () => ({ accessKeyId: "OWN", secretAccessKey: "own" });
  return assumedRole(new Settings(config, {}, {}), { ...systemClock, now: () => now }, own);
}

test("a role's keys are asked for with one's own, as the block says", async () => {
  const find = roleOf({
    role_arn: "arn:aws:iam::1:role/state",
    session_name: "ci",
    duration: "1h30m",
    external_id: "x",
    tags: { team: "a&b" },
    transitive_tag_keys: ["team"],
    policy_arns: ["arn:p"],
  });
  expect(await find()).toEqual({ accessKeyId: "ID1", secretAccessKey: "s", sessionToken: "t" });
  expect(Object.fromEntries(asked[0]!.form)).toEqual({
    Action: "AssumeRole",
    Version: "2011-06-15",
    RoleArn: "arn:aws:iam::1:role/state",
    RoleSessionName: "ci",
    DurationSeconds: "5400",
    ExternalId: "x",
    "Tags.member.1.Key": "team",
    "Tags.member.1.Value": "a&b",
    "TransitiveTagKeys.member.1": "team",
    "PolicyArns.member.1.arn": "arn:p",
  });
  expect(asked[0]!.by).toMatch(/^AWS4-HMAC-SHA256 Credential=OWN\/\d{8}\/eu-west-1\/sts\/aws4_request/);
});

test("they are kept until shortly before their end", async () => {
  const find = roleOf({ role_arn: "r" });
  await find();
  now += 54 * 60_000;
  expect((await find()).accessKeyId).toBe("ID1");
  now += 2 * 60_000;
  answer = { status: 200, body: keys(2, now + 3_600_000) };
  expect((await find()).accessKeyId).toBe("ID2");
  expect(asked.length).toBe(2);
});

test("a refusal is told with what to check", async () => {
  answer = {
    status: 403,
    body: "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>",
  };
  await expect(roleOf({ role_arn: "r" })()).rejects.toThrow(
    "The role r cannot be assumed: STS answered 403 AccessDenied no. Check the role's ARN",
  );
});

test("without a role one asks as oneself", async () => {
  const own = async () => ({ accessKeyId: "OWN", secretAccessKey: "own" });
  expect(assumedRole(new Settings({}, {}, {}), systemClock, own)).toBe(own);
});

describe("what is wrong with a role", () => {
  test.each([
    { name: "no ARN", role: {}, want: ["assume_role.role_arn is missing"] },
    {
      name: "no length",
      role: { role_arn: "r", duration: "long" },
      want: [expect.stringContaining("no length of time")],
    },
    { name: "nothing", role: { role_arn: "r", duration: "1h" }, want: [] },
  ])("$name", ({ role, want }) => expect(roleFaults(new Settings(role, {}, {}))).toEqual(want));
});
