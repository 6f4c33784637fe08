import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AwsPlaces, findAwsCredentials } from "./aws-credentials.ts";

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "millwright-aws-"));
  const keys = (name: string) => `aws_access_key_id = ${name}\naws_secret_access_key=s-${name}\n`;
  writeFileSync(join(home, "credentials"), `[default]\n${keys("d")}[other]\n${keys("o")}aws_session_token = t\n`);
  writeFileSync(join(home, "config"), `[profile third]\nregion = x\n${keys("c")}[profile empty]\nregion = y\n`);
});
afterAll(() => rmSync(home, { recursive: true }));

const found = (places: Partial<AwsPlaces>) => {
  const files = { AWS_SHARED_CREDENTIALS_FILE: join(home, "credentials"), AWS_CONFIG_FILE: join(home, "config") };
  return findAwsCredentials({ ...places, env: { HOME: home, ...files, ...places.env } });
};
const own = { AWS_ACCESS_KEY_ID: "e", AWS_SECRET_ACCESS_KEY: "s-e" };
const cases: readonly { readonly name: string; readonly places: Partial<AwsPlaces>; readonly want: unknown }[] = [
  { name: "the environment's keys", places: { env: own }, want: { accessKeyId: "e", secretAccessKey: "s-e" } },
  { name: "the default profile", places: {}, want: { accessKeyId: "d", secretAccessKey: "s-d" } },
  {
    name: "the profile that the environment names",
    places: { env: { AWS_PROFILE: "other" } },
    want: { accessKeyId: "o", secretAccessKey: "s-o", sessionToken: "t" },
  },
  {
    name: "a profile that is asked for, whatever keys the environment has",
    places: { env: own, profile: "third" },
    want: { accessKeyId: "c", secretAccessKey: "s-c" },
  },
  { name: "nothing of a profile without keys", places: { profile: "empty" }, want: undefined },
  {
    name: "files that are named, from the home folder too",
    places: {
      profile: "other",
      credentialsFiles: ["~/none", "~/credentials"],
      env: { AWS_SHARED_CREDENTIALS_FILE: "" },
    },
    want: { accessKeyId: "o", secretAccessKey: "s-o", sessionToken: "t" },
  },
  {
    name: "nothing of an access key without its secret",
    places: { env: { AWS_ACCESS_KEY_ID: "e", AWS_PROFILE: "empty" } },
    want: undefined,
  },
];
test.each(cases)("credentials are $name", ({ places, want }) => {
  expect(found(places)).toEqual(want);
});
