import { readFileSync } from "node:fs";
import { clientErrors } from "@millwright/clients/errors";
import { VaultClient } from "@millwright/clients/vault";
import type { VaultCallOptions } from "@millwright/clients/vault-api";
import type { VaultConfig } from "@millwright/clients/vault-config";
import { isKind, messageOf } from "@millwright/core/errors";
import { failure } from "@millwright/provider/problem";
import type { ChildToken, Environment, Settings } from "./settings.ts";
import { addressSource, attemptsOf, childTokenOf, connectionConfig } from "./settings.ts";

/**
 * What the vault resources work with: one client for all, with a token that is a child of the user's own and lives shortly.
 * It is made at the first call that needs one, so that what asks no server needs none.
 */
export class VaultConnection {
  readonly client: VaultClient;
  /** Where the address was said, as a sentence for whoever cannot reach it. */
  readonly addressSource: string;
  readonly #config: VaultConfig;
  readonly #settings: Settings;
  readonly #env: Environment;
  readonly #child: ChildToken | undefined;
  #token: Promise<string> | undefined;

  /** Throws `badConfiguration` where certificates or numbers of the environment cannot be read. */
  constructor(settings: Settings, env: Environment) {
    this.#config = connectionConfig(settings, env);
    this.client = new VaultClient(this.#config, { attempts: attemptsOf(settings, env) });
    this.addressSource = addressSource(settings, env);
    this.#settings = settings;
    this.#env = env;
    this.#child = childTokenOf(settings, env);
  }

  /** What to send with each call for a resource, whose namespace is below the provider's own. */
  async optionsFor(
    { namespace }: { readonly namespace: string | null },
    signal: AbortSignal,
  ): Promise<VaultCallOptions> {
    this.#token ??= this.#makeToken(signal);
    try {
      return { token: await this.#token, signal, ...this.#namespace(namespace) };
    } catch (error) {
      this.#token = undefined;
      throw error;
    }
  }

  close(): Promise<void> {
    return this.client.close();
  }

  #namespace(namespace: string | null): Pick<VaultCallOptions, "namespace"> {
    const parts = [this.#config.namespace, namespace].map((part) => part?.replace(/^\/+|\/+$/g, ""));
    const path = parts.filter(Boolean).join("/");
    return path === "" ? {} : { namespace: path };
  }

  async #makeToken(signal: AbortSignal): Promise<string> {
    const token = (await this.#logIn(signal)) ?? this.#config.token;
    if (!token) {
      const ways = "Set VAULT_TOKEN or token, log in with the vault command, or use an auth_login block.";
      throw failure("No Vault token", `There is no token to ask ${this.client.address} with. ${ways}`);
    }
    const child = this.#child;
    if (!child) return token;
    const ttl = `${child.ttl}s`;
    const wish = { display_name: child.name, ttl, explicit_max_ttl: ttl, renewable: false };
    try {
      const made = await this.client.write("auth/token/create", wish, { token, signal });
      if (made?.auth) return made.auth.clientToken;
    } catch (error) {
      if (!isKind(error, clientErrors.denied)) throw error;
      const why = `${messageOf(error)}\nThe token must be valid and be allowed to update auth/token/create; with skip_child_token = true it is used as it is.`;
      throw failure("Cannot make a child token", why);
    }
    throw failure("Cannot make a child token", `${this.client.address} answered auth/token/create without a token.`);
  }

  /** The token that a login gives; undefined where no login is configured. */
  async #logIn(signal: AbortSignal): Promise<string | undefined> {
    const [any] = this.#settings.auth_login;
    const [jwt] = this.#settings.auth_login_jwt;
    const [file] = this.#settings.auth_login_token_file;
    if (file) return this.#tokenOfFile(file.filename || this.#env.TERRAFORM_VAULT_TOKEN_FILENAME);
    if (any) return this.#login(any.path, any.parameters ?? {}, any, signal);
    if (!jwt) return undefined;
    const text = jwt.jwt || this.#env.TERRAFORM_VAULT_AUTH_JWT;
    if (!text) throw failure("No JWT to log in with", "Set jwt in auth_login_jwt, or TERRAFORM_VAULT_AUTH_JWT.");
    return this.#login(`auth/${jwt.mount ?? "jwt"}/login`, { role: jwt.role, jwt: text }, jwt, signal);
  }

  async #login(
    path: string,
    parameters: Readonly<Record<string, string>>,
    place: { readonly namespace: string | null; readonly use_root_namespace: boolean | null },
    signal: AbortSignal,
  ): Promise<string> {
    const where = place.use_root_namespace ? { namespace: "" } : this.#namespace(place.namespace);
    const { auth } = (await this.client.write(path, parameters, { token: "", signal, ...where })) ?? {};
    if (auth) return auth.clientToken;
    throw failure("Login gave no token", `${this.client.address} answered ${path} without a token: is it a login?`);
  }

  #tokenOfFile(path: string | undefined): string {
    if (!path)
      throw failure("No token file", "Set filename in auth_login_token_file, or TERRAFORM_VAULT_TOKEN_FILENAME.");
    try {
      return readFileSync(path, "utf8").trim();
    } catch (error) {
      throw failure("Cannot read the token file", `${messageOf(error)}. Check the path and its permissions.`);
    }
  }
}
