import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@millwright/core/ports";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { SourceHttp } from "./http.ts";

let server: Server;
let asked: IncomingMessage[];
let answer: (to: ServerResponse) => void;
let folder: string;

beforeEach(async () => {
  asked = [];
  folder = mkdtempSync(join(tmpdir(), "mw-http-"));
  server = createServer((request, to) => {
    asked.push(request);
    answer(to);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(async () => {
  rmSync(folder, { recursive: true });
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const place = () => new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/thing?token=secret`);
const client = (env: Readonly<Record<string, string>>, log: string[] = []) =>
  new SourceHttp({
    env,
    signal: new AbortController().signal,
    clock: { ...systemClock, sleep: async () => undefined },
    log: { write: (level, message, fields) => log.push(`${level} ${message} ${JSON.stringify(fields)}`) },
  });

/** Fails so many times, then answers well. */
function failing(times: number): void {
  answer = (to) => {
    to.statusCode = asked.length <= times ? 503 : 200;
    to.end("it");
  };
}

describe("what fails on the way is tried again", () => {
  const cases = [
    { name: "an answer, once", env: {}, kind: "answer", want: 2 },
    { name: "an answer, as often as is set", env: { TF_REGISTRY_DISCOVERY_RETRY: "3" }, kind: "answer", want: 4 },
    { name: "a package, twice", env: {}, kind: "package", want: 3 },
    { name: "a package, as often as is set", env: { TF_PROVIDER_DOWNLOAD_RETRY: "0" }, kind: "package", want: 1 },
  ] as const;
  test.each(cases)("$name", async ({ env, kind, want }) => {
    failing(100);
    const http = client(env);
    const done = kind === "answer" ? http.json(place(), "thing") : http.download(place(), join(folder, "x"), "thing");
    await expect(done).rejects.toThrow("503");
    expect(asked.length).toBe(want);
  });

  test("until it succeeds", async () => {
    failing(2);
    await client({}).download(place(), join(folder, "x"), "thing");
    expect(readFileSync(join(folder, "x"), "utf8")).toBe("it");
  });
});

test("a server that says nothing is not waited for longer than is set", async () => {
  answer = () => undefined;
  const http = client({ TF_REGISTRY_CLIENT_TIMEOUT: "1", TF_REGISTRY_DISCOVERY_RETRY: "0" });
  const start = performance.now();
  await expect(http.get(place())).rejects.toThrow("no answer");
  expect(performance.now() - start).toBeLessThan(5_000);
});

test("servers are told who asks, with what the environment adds; the log has addresses without secrets", async () => {
  failing(0);
  const log: string[] = [];
  await client({ TF_APPEND_USER_AGENT: "ci/7" }, log).get(place());
  expect(asked[0]?.headers["user-agent"]).toBe("Millwright ci/7");
  expect(log.join()).toMatch(/^debug asked http:\/\/127\.0\.0\.1:\d+\/thing.* \{"status":200\}$/);
  expect(log.join()).not.toContain("secret");
});
