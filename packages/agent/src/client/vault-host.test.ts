import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { type OpenVaultHost, openVaultHost } from "./vault-host.ts";

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A secrets server that answers everything alike. */
async function answering(status: number, errors: readonly string[]): Promise<OpenVaultHost> {
  const server = createServer((_, answer) => answer.writeHead(status).end(JSON.stringify({ errors })));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const host = openVaultHost({ address: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  closers.push(
    () => host.close(),
    () => new Promise((resolve) => server.close(resolve)),
  );
  return host;
}

const cases = [
  {
    name: "a login method that is not there is told as that, and how to mount it",
    status: 403,
    errors: ["permission denied", "missing client token: give one in X-Vault-Token, or log in first"],
    want: /takes no task's login at auth\/jwt-nomad\. .*vault auth enable -path=jwt-nomad jwt/s,
  },
  {
    name: "a role that is not there is named, and where it is looked for",
    status: 400,
    errors: ['role "app" could not be found'],
    want: /refused the task's login as role "app": role "app" could not be found\. Look at auth\/jwt-nomad\/role\/app,/,
  },
] as const;

test.each(cases)("$name", async ({ status, errors, want }) => {
  const host = await answering(status, errors);
  const login = host.login("app", "eyJ.secret.identity", AbortSignal.timeout(5_000));
  const { message } = (await login.catch((error: unknown) => error)) as Error;
  expect(message).toMatch(want);
  expect(message).not.toMatch(/VAULT_TOKEN|secret\.identity|\n/);
});
