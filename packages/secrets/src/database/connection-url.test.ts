import { describe, expect, test } from "vitest";
import { holdsPassword, parseConnection, withoutPassword } from "./connection-url.ts";

const login = { username: "admin", password: "p@ss/w?rd", isVerbatim: false };

describe("a connection URL", () => {
  const base = { host: "db", port: 5432, database: "app", user: "admin", password: "p@ss/w?rd", tls: "prefer" };
  test.each([
    {
      url: "postgresql://{{username}}:{{password}}@db:5433/app?sslmode=disable",
      want: { ...base, port: 5433, tls: "disable" },
    },
    { url: "postgres://{{username}}:{{password}}@db/app", want: base },
    { url: "postgresql://u:a%40b@db/app", want: { ...base, user: "u", password: "a@b" } },
    { url: "postgresql://u:x@[::1]:6000", want: { host: "::1", port: 6000, database: "u" } },
    {
      url: "postgresql:///app?host=/run/postgresql&user=u",
      want: { host: "/run/postgresql", user: "u", database: "app" },
    },
    { url: "host=db user={{username}} password='{{password}}' dbname=app", want: base },
    {
      url: "host=db user=u password='a \\'b' sslmode=require",
      want: { password: "a 'b", tls: "require", database: "u" },
    },
    {
      url: "host=db user=u sslmode=require sslrootcert=/ca.pem",
      want: { tls: "verify-ca", tlsFiles: { ca: "/ca.pem" } },
    },
  ])("$url is read", ({ url, want }) => {
    expect(parseConnection(url, login)).toMatchObject({ ok: true, place: want });
  });

  test.each([
    { url: "mysql://u:hunter2@db/app", want: /is neither postgresql:/ },
    { url: "postgresql://u:hunter2@db:port/app", want: /is neither postgresql:/ },
    { url: "postgresql://u:%zz@db/app", want: /is neither postgresql:/ },
    { url: "host=db user=u password='hunter2", want: /is neither postgresql:/ },
    { url: "postgresql://db/app", want: /names no user/ },
    { url: "postgresql://u:hunter2@db/app?sslmode=maybe", want: /sslmode is one of/ },
    { url: "postgresql://u:hunter2@db/app?pool=5", want: /the parameter pool is not supported/ },
    { url: "host=a,b user=u", want: /several hosts/ },
  ])("$url is refused without its password", ({ url, want }) => {
    const parsed = parseConnection(url, login);
    expect(parsed).toMatchObject({ ok: false, fault: expect.stringMatching(want) });
    expect(JSON.stringify(parsed)).not.toContain("hunter2");
  });
});

test.each([
  { url: "postgresql://{{username}}:{{password}}@db/app", want: "postgresql://{{username}}:{{password}}@db/app" },
  { url: "postgresql://u:hunter2@db/app", want: "postgresql://u:*****@db/app" },
  { url: "postgresql://u:hunt@er2@db/app", want: "postgresql://u:*****@db/app" },
  { url: "postgresql://u:hun/t?er2@db/app", want: "postgresql://u:*****@db/app" },
  { url: "postgresql://u@db/app?password=hunter2&x=1", want: "postgresql://u@db/app?password=*****&x=1" },
  { url: "postgresql://u@db/app", want: "postgresql://u@db/app" },
  { url: "host=db password=hunter2 user=u", want: "host=db password=***** user=u" },
  { url: "host=db password='hunter2 x' user=u", want: "host=db password=***** user=u" },
  { url: "host=db password={{password}} user=u", want: "host=db password={{password}} user=u" },
])("of $url no password is shown", ({ url, want }) => {
  expect(withoutPassword(url)).toBe(want);
  expect(holdsPassword(url)).toBe(url !== want);
});
