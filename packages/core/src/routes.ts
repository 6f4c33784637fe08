import { invariant } from "./errors.ts";

/**
 * Where a route is found. The pattern's segments are literal, `:name` (one segment, not empty) or, as the last one,
 * `*name` (the rest of the path with its slashes, possibly empty): `/v1/kv/*key`, `/v1/session/info/:id`.
 */
export interface RoutePlace {
  readonly method: string;
  readonly pattern: string;
}

export type RouteMatch<R extends RoutePlace> =
  | { readonly kind: "found"; readonly route: R; readonly params: Readonly<Record<string, string>> }
  /** The path is known, with these other methods, in the table's order. */
  | { readonly kind: "wrong-method"; readonly methods: readonly string[] }
  | { readonly kind: "bad-encoding" }
  | { readonly kind: "unknown" };

/** Finds the route of a method and a percent-encoded path. Literal segments win over `:name`, those over `*name`. */
export type RouteFinder<R extends RoutePlace> = (method: string, path: string) => RouteMatch<R>;

/** Compiles a table of routes. Two routes with the same method and pattern are a bug. */
export function compileRoutes<R extends RoutePlace>(routes: readonly R[]): RouteFinder<R> {
  const places = new Map<string, Place<R>>();
  for (const route of routes) {
    const place = places.get(route.pattern) ?? { segments: parsePattern(route.pattern), methods: new Map() };
    invariant(!place.methods.has(route.method), `the route ${route.method} ${route.pattern} is in the table twice`);
    place.methods.set(route.method, route);
    places.set(route.pattern, place);
  }
  const ordered = [...places.values()].sort((a, b) => compareBySpecificity(a.segments, b.segments));
  const below = bySecondSegment(ordered);
  return (method, path) => {
    const raw = path.split("/").slice(1);
    const place = below(raw[1]).find(({ segments }) => matches(segments, raw));
    if (!place) return { kind: "unknown" };
    const route = place.methods.get(method);
    if (!route) return { kind: "wrong-method", methods: [...place.methods.keys()] };
    const params = decodeParams(place.segments, raw);
    return params ? { kind: "found", route, params } : { kind: "bad-encoding" };
  };
}

interface Place<R> {
  readonly segments: readonly Segment[];
  readonly methods: Map<string, R>;
}

// Paths of an API begin alike (`/v1/`): what stands behind tells most of them apart, so that few patterns are tried.
function bySecondSegment<R>(ordered: readonly Place<R>[]): (text: string | undefined) => readonly Place<R>[] {
  const literalOf = ({ segments: [, second] }: Place<R>) => (second?.kind === "literal" ? second.text : undefined);
  const groups = new Map(
    ordered.map(literalOf).map((text) => {
      return [text, ordered.filter((place) => [text, undefined].includes(literalOf(place)))];
    }),
  );
  const others = groups.get(undefined) ?? ordered.filter((place) => literalOf(place) === undefined);
  return (text) => groups.get(text) ?? others;
}

type Segment = { readonly kind: "literal" | "one" | "rest"; readonly text: string };

const rankOf = { literal: 0, one: 1, rest: 2 } as const;

function parsePattern(pattern: string): Segment[] {
  invariant(pattern.startsWith("/"), `the route pattern ${pattern} does not start with a slash`);
  return pattern
    .split("/")
    .slice(1)
    .map((text, i, all) => {
      if (text.startsWith(":")) return { kind: "one", text: text.slice(1) };
      if (!text.startsWith("*")) return { kind: "literal", text };
      invariant(i === all.length - 1, `the route pattern ${pattern} goes on behind ${text}`);
      return { kind: "rest", text: text.slice(1) };
    });
}

function compareBySpecificity(a: readonly Segment[], b: readonly Segment[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const difference = rankOf[a[i]!.kind] - rankOf[b[i]!.kind];
    if (difference !== 0) return difference;
  }
  return b.length - a.length;
}

function matches(segments: readonly Segment[], raw: readonly string[]): boolean {
  const hasRest = segments.at(-1)?.kind === "rest";
  if (hasRest ? raw.length < segments.length : raw.length !== segments.length) return false;
  return segments.every(({ kind, text }, i) => kind === "rest" || (kind === "one" ? raw[i] !== "" : raw[i] === text));
}

function decodeParams(segments: readonly Segment[], raw: readonly string[]): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  for (const [i, { kind, text }] of segments.entries()) {
    if (kind === "literal") continue;
    const decoded = decode(kind === "rest" ? raw.slice(i).join("/") : raw[i]!);
    if (decoded === undefined) return undefined;
    params[text] = decoded;
  }
  return params;
}

function decode(text: string): string | undefined {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    // The only thing it throws is URIError, for bytes that are no UTF-8.
    return undefined;
  }
}
