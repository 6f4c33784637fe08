import { OperationalError } from "@millwright/core/errors";
import type { Constraint } from "@millwright/text/versions";
import type { ServiceDiscovery } from "./discovery.ts";
import { sourceErrors } from "./errors.ts";
import { type HttpAnswer, refusal, wholeOf } from "./http.ts";
import { objectIn, objectsIn, textIn } from "./json-fields.ts";
import { isAllowedModule } from "./module-constraints.ts";
import {
  packageText,
  parseModuleSource,
  type RegistrySource,
  type RemoteSource,
  shownSource,
} from "./module-source.ts";
import { newestFirst } from "./provider-constraints.ts";

/** Registries of modules. Source: Terraform's documentation of the module registry protocol. */
export class ModuleRegistry {
  readonly #discovery: ServiceDiscovery;
  readonly #versions = new Map<string, Promise<readonly string[]>>();
  readonly #locations = new Map<string, Promise<RemoteSource>>();

  constructor(discovery: ServiceDiscovery) {
    this.#discovery = discovery;
  }

  /** The newest version that is allowed. Throws `notFound` where there is none, with those that there are. */
  async newest(source: RegistrySource, constraints: readonly Constraint[]): Promise<string> {
    const key = packageText(source);
    const asked = this.#versions.get(key) ?? this.#ask(source);
    this.#versions.set(key, asked);
    const versions = newestFirst(await asked);
    const found = versions.find((text) => isAllowedModule(text, constraints));
    if (found !== undefined) return found;
    const newest = versions[0] === undefined ? "It has no versions." : `The newest one is ${versions[0]}.`;
    throw new OperationalError(sourceErrors.notFound, `No version of ${key} meets the constraints. ${newest}`);
  }

  /** Where the package of a version is to be fetched from; asked once. */
  location(source: RegistrySource, version: string): Promise<RemoteSource> {
    const key = `${packageText(source)} ${version}`;
    const asked = this.#locations.get(key) ?? this.#askLocation(source, version);
    this.#locations.set(key, asked);
    return asked;
  }

  async #askLocation(source: RegistrySource, version: string): Promise<RemoteSource> {
    const what = `package of module ${packageText(source)} ${version}`;
    const url = new URL(`${encodeURIComponent(version)}/download`, await this.#base(source));
    const request = await this.#discovery.authorized(source.host);
    const answer = await this.#discovery.http.get(url, request);
    if (answer.status !== 200 && answer.status !== 204) throw await refusal(answer, what);
    const said = await saidLocation(answer);
    if (said === undefined) throw badAnswer(`The registry ${source.host} does not say where the ${what} is.`);
    // What is neither an address nor the name of a getter is relative to the question.
    const isWhole = /^([a-z0-9]+::|[a-z][a-z0-9+.-]*:\/\/|[\w.-]+\.[a-z]+\/|git@)/i.test(said);
    const location = parseModuleSource(isWhole ? said : new URL(said, answer.url).href);
    if (location.kind === "remote") return location;
    const reason = location.kind === "bad" ? location.reason : "it is no address of a package";
    throw badAnswer(`The registry ${source.host} says that the ${what} is at ${shownSource(said)}: ${reason}.`);
  }

  async #base(source: RegistrySource): Promise<URL> {
    const base = await this.#discovery.address(source.host, "modules.v1", "module registry");
    return new URL(`${source.namespace}/${source.name}/${source.system}/`, base);
  }

  async #ask(source: RegistrySource): Promise<readonly string[]> {
    const url = new URL("versions", await this.#base(source));
    const request = await this.#discovery.authorized(source.host);
    const { value } = await this.#discovery.http.json(url, `module ${packageText(source)}`, request);
    const [module] = objectsIn(objectIn(value)?.["modules"]);
    return objectsIn(module?.["versions"]).flatMap((entry) => textIn(entry["version"]) ?? []);
  }
}

async function saidLocation({ headers, body, status, url }: HttpAnswer): Promise<string | undefined> {
  const header = headers["x-terraform-get"];
  if (typeof header === "string" && header !== "") {
    body.destroy();
    return header;
  }
  if (status === 204) return undefined;
  try {
    return textIn(
      objectIn(JSON.parse((await wholeOf(body, url, "place of the module")).toString("utf8")))?.["location"],
    );
  } catch {
    // Neither of the two ways to say it.
    return undefined;
  }
}

function badAnswer(message: string): OperationalError {
  return new OperationalError(sourceErrors.badAnswer, message);
}
