import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { text as textOf } from "node:stream/consumers";
import { afterEach, describe, expect, test } from "vitest";
import { emptyCliConfig } from "./cli-config.ts";
import { Credentials } from "./credentials.ts";
import { ServiceDiscovery } from "./discovery.ts";
import { SourceHttp } from "./http.ts";
import { loginByBrowser, type LoginOffer, loginOffer } from "./login.ts";

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

const host = "app.example.com";

/** Discovery in which that host has these services. */
function discovery(services: Readonly<Record<string, unknown>>): ServiceDiscovery {
  const env = { HOME: "/nonexistent" };
  const http = new SourceHttp({ env, signal: new AbortController().signal });
  return new ServiceDiscovery(http, new Credentials(env, emptyCliConfig), new Map([[host, services]]));
}

async function tokenServer(answer: (form: URLSearchParams) => { status: number; body: unknown }): Promise<string> {
  const server = createServer(async (request: IncomingMessage, response) => {
    const { status, body } = answer(new URLSearchParams(await textOf(request)));
    response.writeHead(status).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ends.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
}

async function browserOffer(token: string): Promise<Extract<LoginOffer, { kind: "browser" }>> {
  const services = {
    "login.v1": { client: "cli", grant_types: ["authz_code"], authz: "/auth", token, ports: [20000, 29999] },
  };
  const offer = await loginOffer(discovery(services), host);
  if (offer.kind !== "browser") throw new Error("it offers a browser");
  return offer;
}

describe("a login", () => {
  test("is not ended by a page that asks its port for what is no address", async () => {
    const offer = await browserOffer(await tokenServer(() => ({ status: 200, body: { access_token: "t0ken" } })));
    const got = await loginByBrowser(offer, discovery({}), async (page) => {
      const back = new URL(page.searchParams.get("redirect_uri") ?? "");
      const asked = request({ host: "127.0.0.1", port: back.port, path: "//" });
      await new Promise((resolve) => asked.once("response", (answer) => resolve(answer.resume())).end());
      back.search = new URLSearchParams({ state: page.searchParams.get("state") ?? "", code: "c" }).toString();
      back.hostname = "127.0.0.1";
      await fetch(back);
    });
    expect(got).toBe("t0ken");
  });

  test("by a browser trades the code that comes back for a token, with proof of who asked for it", async () => {
    let challenge = "";
    const token = await tokenServer((form) => {
      const proof = createHash("sha256")
        .update(form.get("code_verifier") ?? "")
        .digest("base64url");
      const isRight = form.get("code") === "c0de" && proof === challenge && form.get("client_id") === "cli";
      return isRight ? { status: 200, body: { access_token: "t0ken" } } : { status: 400, body: { error: "invalid" } };
    });
    const offer = await browserOffer(token);
    const answers: number[] = [];
    const got = await loginByBrowser(offer, discovery({}), async (page) => {
      expect(page.origin + page.pathname).toBe(`https://${host}/auth`);
      challenge = page.searchParams.get("code_challenge") ?? "";
      const back = page.searchParams.get("redirect_uri");
      const state = page.searchParams.get("state");
      // What somebody else sends counts for nothing.
      answers.push((await fetch(`${back}?code=forged&state=other`)).status);
      answers.push((await fetch(`${back}?code=c0de&state=${state}`)).status);
    });
    expect({ got, answers }).toEqual({ got: "t0ken", answers: [400, 200] });
  });

  test("that the host refuses says why", async () => {
    const token = await tokenServer(() => ({ status: 400, body: { error_description: "not you" } }));
    const refused = loginByBrowser(await browserOffer(token), discovery({}), async (page) => {
      await fetch(`${page.searchParams.get("redirect_uri")}?code=c&state=${page.searchParams.get("state")}`);
    });
    await expect(refused).rejects.toThrow(/not you/);
  });

  test("is by a token to paste where the host has nothing else", async () => {
    const offer = await loginOffer(discovery({ "tfe.v2": "/api/v2/" }), host);
    expect(offer).toMatchObject({ kind: "page" });
  });

  test("is refused where the host offers none", async () => {
    await expect(loginOffer(discovery({}), host)).rejects.toThrow(/offers no login.*TF_TOKEN_app_example_com/);
  });
});
