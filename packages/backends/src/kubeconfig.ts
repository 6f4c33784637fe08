import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { messageOf, OperationalError } from "@millwright/core/errors";
import { backendErrors } from "@millwright/engine/backend/errors";
import { parse } from "yaml";

/** A cluster and a user as one context of kubeconfig files has them. */
export interface KubeContext {
  readonly cluster: KubeEntry | undefined;
  readonly user: KubeEntry | undefined;
}

/** What one entry says, and the folder that its paths are relative to. */
export interface KubeEntry {
  readonly name: string;
  readonly folder: string;
  readonly values: Readonly<Record<string, unknown>>;
}

export interface KubeChoice {
  /** In place of what the files say. */
  readonly context?: string | undefined;
  readonly cluster?: string | undefined;
  readonly user?: string | undefined;
}

/**
 * Reads kubeconfig files, of which the first that says a thing is right, and picks a context. Files that are not there say
 * nothing. Throws `stateUnreadable` for one that cannot be read, and for names that none of them has.
 * Source: Kubernetes's documentation of kubeconfig files.
 */
export function readKubeContext(paths: readonly string[], choice: KubeChoice): KubeContext {
  const files = paths.filter((path) => existsSync(path)).map(readFile);
  const entries = (list: string, inside: string): readonly KubeEntry[] =>
    files.flatMap(({ folder, content }) =>
      recordsIn(content[list]).map((entry) => ({
        name: String(entry["name"]),
        folder,
        values: recordOf(entry[inside]) ?? {},
      })),
    );
  const named = (found: readonly KubeEntry[], name: string | undefined, what: string) => {
    if (name === undefined) return undefined;
    const entry = found.find((one) => one.name === name);
    if (entry) return entry;
    const known = found.map((one) => one.name).join(", ") || "none";
    throw unusable(`there is no ${what} ${JSON.stringify(name)} in ${paths.join(", ")}. There are: ${known}`);
  };
  const current = files.map(({ content }) => content["current-context"]).find(isText);
  const name = choice.context ?? current;
  const isWhole = choice.cluster !== undefined && choice.user !== undefined;
  const context = isWhole ? undefined : named(entries("contexts", "context"), name, "context");
  const textOf = (key: string) => [context?.values[key]].find(isText);
  return {
    cluster: named(entries("clusters", "cluster"), choice.cluster ?? textOf("cluster"), "cluster"),
    user: named(entries("users", "user"), choice.user ?? textOf("user"), "user"),
  };
}

/** A text of an entry that may stand there in base64, or in a file. */
export function dataOf({ values, folder }: KubeEntry, name: string): string | undefined {
  const data = values[`${name}-data`];
  if (isText(data)) return Buffer.from(data, "base64").toString("utf8");
  const path = values[name];
  return isText(path) ? readText(path.startsWith("/") ? path : join(folder, path)) : undefined;
}

export function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw unusable(`${path} cannot be read: ${messageOf(error)}`);
  }
}

/** That the way to the cluster is not known, and why. */
export function unusable(why: string): OperationalError {
  return new OperationalError(backendErrors.stateUnreadable, `The Kubernetes cluster cannot be asked: ${why}.`);
}

export function recordOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  const isRecord = typeof value === "object" && value !== null && !Array.isArray(value);
  return isRecord ? (value as Readonly<Record<string, unknown>>) : undefined;
}

export function recordsIn(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.map(recordOf).filter((record) => record !== undefined) : [];
}

export function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function readFile(path: string) {
  const text = readText(path);
  try {
    return { folder: dirname(path), content: recordOf(parse(text)) ?? {} };
  } catch (error) {
    // The lines behind the first show the place, which may hold a token.
    const [why = ""] = messageOf(error).split("\n");
    throw unusable(`${path} is no YAML: ${why.replace(/:$/, "")}`);
  }
}
