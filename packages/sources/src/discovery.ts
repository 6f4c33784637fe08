import { OperationalError } from "@millwright/core/errors";
import type { Credentials } from "./credentials.ts";
import { sourceErrors } from "./errors.ts";
import type { HttpRequest, SourceHttp } from "./http.ts";
import { type JsonObject, objectIn } from "./json-fields.ts";

/**
 * Which addresses the services of a host have, each host asked once.
 * Source: Terraform's documentation of its remote service discovery protocol.
 */
export class ServiceDiscovery {
  readonly http: SourceHttp;
  readonly #credentials: Credentials;
  readonly #set: ReadonlyMap<string, JsonObject>;
  readonly #found = new Map<string, Promise<DiscoveredServices>>();

  /** `set`: services of hosts that are not asked, as the user's settings have them. */
  constructor(http: SourceHttp, credentials: Credentials, set: ReadonlyMap<string, JsonObject>) {
    this.http = http;
    this.#credentials = credentials;
    this.#set = set;
  }

  /** The address of a service such as `providers.v1`. Throws `notFound` where the host does not offer it. */
  async address(host: string, service: string, what: string): Promise<URL> {
    const { base, services } = await this.services(host);
    const given = services[service];
    if (typeof given !== "string" || !URL.canParse(given, base.href)) {
      const message = `The host ${host} offers no ${what}: its discovery document names no ${service}.`;
      throw new OperationalError(sourceErrors.notFound, message);
    }
    const url = new URL(given, base);
    if (!url.pathname.endsWith("/")) url.pathname += "/";
    return url;
  }

  /** All services of a host, and what their relative addresses are relative to. */
  services(host: string): Promise<DiscoveredServices> {
    const found = this.#found.get(host) ?? this.#discover(host);
    this.#found.set(host, found);
    return found;
  }

  /** What a request to a host's services is sent with: its token, where there is one. */
  async authorized(host: string): Promise<HttpRequest> {
    const token = await this.#credentials.tokenFor(host);
    return token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } };
  }

  async #discover(host: string): Promise<DiscoveredServices> {
    const base = new URL(`https://${host}/.well-known/terraform.json`);
    const set = this.#set.get(host);
    if (set) return { base, services: set };
    try {
      const request = await this.authorized(host);
      const { value, url } = await this.http.json(base, "discovery document", request);
      return { base: url, services: objectIn(value) ?? {} };
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      // A host without the document is one that offers nothing.
      if (error.kind.code === sourceErrors.notFound.code) return { base, services: {} };
      throw new OperationalError(error.kind, `Could not connect to ${host}: ${error.message}`, { cause: error });
    }
  }
}

export interface DiscoveredServices {
  readonly base: URL;
  readonly services: JsonObject;
}
