import { createHash } from "node:crypto";
import { isKind, messageOf, OperationalError } from "@millwright/core/errors";
import type { Clock } from "@millwright/core/ports";
import { clientErrors } from "@millwright/clients/errors";
import { type HttpAnswer, type HttpCall, HttpConnections } from "@millwright/clients/http";
import { targetOf } from "@millwright/clients/target";
import { backendErrors } from "@millwright/engine/backend/errors";
import { type LockInfo, parseLockInfo } from "@millwright/engine/backend/lock-info";
import type { LockTry, StateSlot, StateStorage } from "@millwright/engine/backend/storage";
import type { BackendType } from "./backend-type.ts";
import { onlyDefault } from "./only-default.ts";
import { blockSchema, type Settings } from "./settings.ts";

/**
 * `backend "http"`: a state behind any web server that follows
 * https://developer.hashicorp.com/terraform/language/backend/http.
 */
export const httpBackend: BackendType = {
  name: "http",
  schema: blockSchema({
    address: "text",
    client_ca_certificate_pem: "text",
    client_certificate_pem: "text",
    client_private_key_pem: "text",
    lock_address: "text",
    lock_method: "text",
    password: "text",
    retry_max: "number",
    retry_wait_max: "number",
    retry_wait_min: "number",
    skip_cert_verification: "flag",
    unlock_address: "text",
    unlock_method: "text",
    update_method: "text",
    username: "text",
  }),
  environment: {
    address: ["TF_HTTP_ADDRESS"],
    client_ca_certificate_pem: ["TF_HTTP_CLIENT_CA_CERTIFICATE_PEM"],
    client_certificate_pem: ["TF_HTTP_CLIENT_CERTIFICATE_PEM"],
    client_private_key_pem: ["TF_HTTP_CLIENT_PRIVATE_KEY_PEM"],
    lock_address: ["TF_HTTP_LOCK_ADDRESS"],
    lock_method: ["TF_HTTP_LOCK_METHOD"],
    password: ["TF_HTTP_PASSWORD"],
    retry_max: ["TF_HTTP_RETRY_MAX"],
    retry_wait_max: ["TF_HTTP_RETRY_WAIT_MAX"],
    retry_wait_min: ["TF_HTTP_RETRY_WAIT_MIN"],
    skip_cert_verification: [],
    unlock_address: ["TF_HTTP_UNLOCK_ADDRESS"],
    unlock_method: ["TF_HTTP_UNLOCK_METHOD"],
    update_method: ["TF_HTTP_UPDATE_METHOD"],
    username: ["TF_HTTP_USERNAME"],
  },
  check: checkSettings,
  open: async (settings, { clock }) => new HttpStorage(settings, clock),
};

function checkSettings(settings: Settings): readonly string[] {
  const wrong: string[] = [];
  if (settings.text("address") === undefined) wrong.push("address is missing: the URL that the state is read from");
  for (const name of ["address", "lock_address", "unlock_address"]) {
    const text = settings.text(name);
    if (text !== undefined && !isWebAddress(text)) wrong.push(`${name} must be an http or https URL`);
  }
  const pair = ["client_certificate_pem", "client_private_key_pem"].filter((name) => settings.text(name) !== undefined);
  if (pair.length === 1)
    wrong.push("client_certificate_pem and client_private_key_pem are set together, or neither of them");
  return wrong;
}

function isWebAddress(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

class HttpStorage implements StateStorage {
  readonly keepsWorkspaces = false;
  readonly #slot: HttpSlot;

  constructor(settings: Settings, clock: Clock) {
    this.#slot = new HttpSlot(settings, clock);
  }

  async workspaces(): Promise<readonly string[]> {
    return ["default"];
  }

  slot(workspace: string): StateSlot {
    return onlyDefault("http", workspace, this.#slot);
  }

  remove(workspace: string): Promise<void> {
    return onlyDefault("http", workspace, this.#slot).remove();
  }

  close(): Promise<void> {
    return this.#slot.close();
  }
}

/** What is said to one of the three addresses. */
interface Asked {
  readonly address: string;
  readonly method: string;
  readonly what: string;
  readonly body?: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

class HttpSlot implements StateSlot {
  readonly #settings: Settings;
  readonly #clock: Clock;
  readonly #connections = new Map<string, HttpConnections>();
  #lockId: string | undefined;

  constructor(settings: Settings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
  }

  get place(): string {
    return placeOf(this.#address);
  }

  get #address(): string {
    return this.#settings.text("address") ?? "";
  }

  async read(signal: AbortSignal): Promise<Uint8Array | undefined> {
    const answer = await this.#ask({ address: this.#address, method: "GET", what: "read the state", signal });
    const body = await answer.bytes();
    if (answer.status === 200) return body.length === 0 ? undefined : body;
    if (answer.status === 204 || answer.status === 404) return undefined;
    throw this.#refused("stateUnreadable", "read the state", answer.status, body);
  }

  async write(bytes: Uint8Array): Promise<void> {
    const url = new URL(this.#address);
    if (this.#lockId !== undefined) url.searchParams.set("ID", this.#lockId);
    const method = this.#settings.text("update_method") ?? "POST";
    const md5 = createHash("md5").update(bytes).digest("base64");
    const headers = { "content-type": "application/json", "content-md5": md5 };
    const answer = await this.#ask({ address: url.href, method, what: "write the state", body: bytes, headers });
    const said = await answer.bytes();
    if (![200, 201, 204].includes(answer.status))
      throw this.#refused("stateUnwritable", "write the state", answer.status, said);
  }

  async lock(info: LockInfo, signal: AbortSignal): Promise<LockTry> {
    const address = this.#settings.text("lock_address");
    if (address === undefined) return { kind: "held", lock: { info, release: async () => undefined } };
    const sent = { ...info, Path: info.Path };
    const method = this.#settings.text("lock_method") ?? "LOCK";
    const answer = await this.#ask({ address, method, what: "lock the state", ...jsonBody(sent), signal });
    const body = await answer.bytes();
    if (answer.status === 200) {
      this.#lockId = info.ID;
      return { kind: "held", lock: { info: sent, release: () => this.#unlock(sent) } };
    }
    if (answer.status === 409 || answer.status === 423)
      return { kind: "busy", holder: parseLockInfo(body), why: "somebody whom the server does not name" };
    throw this.#refused("stateUnwritable", "lock the state", answer.status, body);
  }

  forceUnlock(id: string): Promise<void> {
    const nobody = { Operation: "", Info: "", Who: "", Version: "", Created: "0001-01-01T00:00:00Z", Path: "" };
    return this.#unlock({ ID: id, ...nobody });
  }

  async remove(): Promise<void> {
    const answer = await this.#ask({ address: this.#address, method: "DELETE", what: "delete the state" });
    const body = await answer.bytes();
    if (![200, 204, 404].includes(answer.status))
      throw this.#refused("stateUnwritable", "delete the state", answer.status, body);
  }

  async close(): Promise<void> {
    for (const connections of this.#connections.values()) await connections.close();
  }

  async #unlock(info: LockInfo): Promise<void> {
    const address = this.#settings.text("unlock_address");
    if (address === undefined) return;
    const method = this.#settings.text("unlock_method") ?? "UNLOCK";
    const answer = await this.#ask({ address, method, what: "unlock the state", ...jsonBody(info) });
    const body = await answer.bytes();
    if (answer.status !== 200) throw this.#refused("notLocked", "unlock the state", answer.status, body);
    this.#lockId = undefined;
  }

  /** Asks as often as is allowed, while nobody answers or the server is at fault. */
  async #ask(asked: Asked): Promise<HttpAnswer> {
    const most = this.#settings.number("retry_max") ?? 2;
    const [least, longest] = [
      this.#settings.number("retry_wait_min") ?? 1,
      this.#settings.number("retry_wait_max") ?? 30,
    ];
    for (let attempt = 0; ; attempt++) {
      const last = attempt >= most;
      try {
        const answer = await this.#send(asked);
        const isServersFault = answer.status === 429 || (answer.status >= 500 && answer.status !== 501);
        if (!isServersFault || last) return answer;
        await answer.bytes();
      } catch (error) {
        if (!(error instanceof OperationalError)) throw error;
        const mayPass = isKind(error, clientErrors.unreachable) || isKind(error, clientErrors.broken);
        if (last || !mayPass) throw failed(asked, attempt + 1, error);
      }
      await this.#clock.sleep(Math.min(longest, least * 2 ** attempt) * 1000, asked.signal);
    }
  }

  #send({ address, method, body, headers = {}, signal }: Asked): Promise<HttpAnswer> {
    const url = new URL(address);
    const call: HttpCall = {
      method,
      path: `${url.pathname}${url.search}`,
      headers: { ...this.#authorization(), ...headers },
      timeoutMilliseconds: 60_000,
      ...(body ? { body } : {}),
      ...(signal ? { signal } : {}),
    };
    return this.#connectionsTo(url.origin).send(call);
  }

  #authorization(): Record<string, string> {
    const user = this.#settings.text("username");
    if (user === undefined) return {};
    const pair = `${user}:${this.#settings.text("password") ?? ""}`;
    return { authorization: `Basic ${Buffer.from(pair).toString("base64")}` };
  }

  #connectionsTo(origin: string): HttpConnections {
    const known = this.#connections.get(origin);
    if (known) return known;
    const pem = (name: string, as: "caPem" | "certPem" | "keyPem") => {
      const text = this.#settings.text(name);
      return text === undefined ? {} : { [as]: text };
    };
    const target = targetOf(
      {
        address: origin,
        tlsVerify: this.#settings.flag("skip_cert_verification") !== true,
        ...pem("client_ca_certificate_pem", "caPem"),
        ...pem("client_certificate_pem", "certPem"),
        ...pem("client_private_key_pem", "keyPem"),
      },
      'address of backend "http"',
    );
    const connections = new HttpConnections(target);
    this.#connections.set(origin, connections);
    return connections;
  }

  #refused(
    kind: "stateUnreadable" | "stateUnwritable" | "notLocked",
    what: string,
    status: number,
    body: Uint8Array,
  ): OperationalError {
    const said = Buffer.from(body).toString("utf8").trim().slice(0, 300);
    const advice =
      status === 401 || status === 403 ? " Check username and password." : " Check the address, and that server's log.";
    return new OperationalError(
      backendErrors[kind],
      `The server at ${this.place} was asked to ${what}, and answered ${status}${said === "" ? "" : `: ${said}`}.${advice}`,
    );
  }
}

function failed({ address, what }: Asked, times: number, error: OperationalError): OperationalError {
  const kind = what === "read the state" ? backendErrors.stateUnreadable : backendErrors.stateUnwritable;
  const tried = times > 1 ? `, tried ${times} times` : "";
  const text = `The server at ${placeOf(address)} cannot be asked to ${what}${tried}: ${messageOf(error)}`;
  return new OperationalError(kind, text, { cause: error });
}

// What stands behind a question mark may be a secret.
function placeOf(address: string): string {
  const { origin, pathname } = new URL(address);
  return `${origin}${pathname}`;
}

function jsonBody(value: unknown): { readonly body: Uint8Array; readonly headers: Readonly<Record<string, string>> } {
  return { body: Buffer.from(JSON.stringify(value)), headers: { "content-type": "application/json" } };
}
