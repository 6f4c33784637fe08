import { HttpCaller } from "./http-load.ts";

/** A server that speaks Vault's HTTP API, spoken to over connections that are kept. */
export class VaultLoad {
  readonly #port: number;
  #idle: HttpCaller[] = [];
  #token = "";

  constructor(port: number) {
    this.#port = port;
  }

  close(): void {
    for (const caller of this.#idle.splice(0)) caller.close();
  }

  /** Lines of every request, for other connections. */
  get headers(): string {
    return this.#token === "" ? "" : `X-Vault-Token: ${this.#token}\r\nContent-Type: application/json\r\n`;
  }

  /** Initializes and unseals it, with one key, which it gives, and goes on as root. */
  async init(): Promise<string> {
    const made = await this.call("PUT", "sys/init", { secret_shares: 1, secret_threshold: 1 });
    const keys = made["keys"];
    const key = Array.isArray(keys) ? String(keys[0]) : "";
    await this.call("PUT", "sys/unseal", { key });
    this.use(String(made["root_token"]));
    // A peer leads its cluster of one only some time after it was unsealed.
    for (let tries = 0; tries < 200; tries++) {
      const status = await this.call("GET", "sys/health?standbycode=429").then(
        () => "active",
        () => "not yet",
      );
      if (status === "active") break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return key;
  }

  /** Goes on as a token; nothing is under way. */
  use(token: string): void {
    this.close();
    this.#token = token;
  }

  /** Rejects for every answer from 400 on. */
  async call(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const caller = this.#idle.pop() ?? (await HttpCaller.open(this.#port, this.headers));
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    try {
      const answer = await caller.call(method, `/v1/${path}`, payload);
      const text = answer.status === 204 ? "" : answer.body().toString();
      return text === "" ? {} : JSON.parse(text);
    } finally {
      this.#idle.push(caller);
    }
  }
}
