import { OperationalError } from "@millwright/core/errors";
import { createHash, randomBytes } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { ServiceDiscovery } from "./discovery.ts";
import { sourceErrors } from "./errors.ts";
import { objectIn, textIn, textsIn } from "./json-fields.ts";

/** How a host lets people log in. */
export type LoginOffer =
  /** By a page in a browser, which hands a code to a port of this machine. */
  | {
      readonly kind: "browser";
      readonly client: string;
      readonly authorization: URL;
      readonly token: URL;
      readonly ports: readonly [number, number];
      readonly scopes: readonly string[];
    }
  /** By a token that people make on a page and type in. */
  | { readonly kind: "page"; readonly page: URL };

/** What a host offers. Throws `refused` where that is nothing. Source: Terraform's documentation of its login protocol. */
export async function loginOffer(discovery: ServiceDiscovery, host: string): Promise<LoginOffer> {
  const { base, services } = await discovery.services(host);
  const login = objectIn(services["login.v1"]);
  const grants = textsIn(login?.["grant_types"]);
  if (login && (grants.length === 0 || grants.includes("authz_code"))) {
    const address = (name: string) => {
      const text = textIn(login[name]);
      if (text !== undefined && URL.canParse(text, base.href)) return new URL(text, base.href);
      throw refused(`The host ${host} offers a login without the address ${name}. Tell who runs it.`);
    };
    const [low, high] = Array.isArray(login["ports"]) ? login["ports"].map(Number) : [];
    const ports = [low && low >= 1024 ? low : 1024, high && high <= 65535 ? high : 65535] as const;
    const client = textIn(login["client"]) ?? "";
    const scopes = textsIn(login["scopes"]);
    return { kind: "browser", client, authorization: address("authz"), token: address("token"), ports, scopes };
  }
  if (services["tfe.v2"] !== undefined)
    return { kind: "page", page: new URL(`https://${host}/app/settings/tokens?source=terraform-login`) };
  throw refused(
    `The host ${host} offers no login. If it has tokens, put one into the variable TF_TOKEN_${variable(host)}.`,
  );
}

/**
 * Lets somebody log in by a browser: `show` is told the page to open; a code comes back to a port of this machine, and is traded
 * for a token. Rejects when the signal aborts.
 */
export async function loginByBrowser(
  offer: Extract<LoginOffer, { kind: "browser" }>,
  discovery: ServiceDiscovery,
  show: (page: URL) => Promise<void>,
): Promise<string> {
  const verifier = randomBytes(32).toString("base64url");
  const state = randomBytes(16).toString("base64url");
  const server = await listenWithin(offer.ports);
  try {
    const { port } = server.address() as AddressInfo;
    const back = `http://localhost:${port}/login`;
    const page = new URL(offer.authorization);
    page.searchParams.set("client_id", offer.client);
    page.searchParams.set("code_challenge", createHash("sha256").update(verifier).digest("base64url"));
    page.searchParams.set("code_challenge_method", "S256");
    page.searchParams.set("redirect_uri", back);
    page.searchParams.set("response_type", "code");
    page.searchParams.set("state", state);
    if (offer.scopes.length > 0) page.searchParams.set("scope", offer.scopes.join(" "));
    const coming = codeFrom(server, state, discovery.http.signal);
    await show(page);
    const fields = {
      client_id: offer.client,
      code: await coming,
      code_verifier: verifier,
      grant_type: "authorization_code",
      redirect_uri: back,
    };
    const { status, value } = await discovery.http.form(offer.token, "token", fields);
    const token = textIn(objectIn(value)?.["access_token"]);
    if (status === 200 && token !== undefined) return token;
    const why =
      textIn(objectIn(value)?.["error_description"]) ?? textIn(objectIn(value)?.["error"]) ?? `status ${status}`;
    throw new OperationalError(sourceErrors.unauthorized, `The server gave no token for the login: ${why}. Try again.`);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

async function listenWithin([low, high]: readonly [number, number]): Promise<Server> {
  for (let port = low; port <= high; port++) {
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false)).listen(port, "127.0.0.1", () => resolve(true));
    });
    if (isFree) return server;
  }
  throw new OperationalError(sourceErrors.machine, `No port from ${low} to ${high} is free for the login's answer.`);
}

function codeFrom(server: Server, state: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    server.on("request", (request, response) => {
      // Any page in the browser may ask this port for anything, also for what is no address.
      const { pathname, searchParams } =
        URL.parse(request.url ?? "/", "http://localhost") ?? new URL("http://localhost");
      const code = searchParams.get("code");
      const isOurs = pathname === "/login" && searchParams.get("state") === state;
      const text = isOurs && code ? "You are logged in. This page can be closed." : "This was no answer to the login.";
      response.writeHead(isOurs ? 200 : 400, { "content-type": "text/plain", connection: "close" }).end(`${text}\n`);
      if (!isOurs) return;
      signal.removeEventListener("abort", onAbort);
      if (code) resolve(code);
      else
        reject(
          new OperationalError(
            sourceErrors.unauthorized,
            `The login was refused: ${searchParams.get("error") ?? "no code came"}.`,
          ),
        );
    });
  });
}

function variable(host: string): string {
  return host.replaceAll("-", "__").replaceAll(".", "_");
}

function refused(message: string): OperationalError {
  return new OperationalError(sourceErrors.refused, message);
}
