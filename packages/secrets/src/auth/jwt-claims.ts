import { matchesGlob } from "../text-glob.ts";
import { isObject } from "../objects.ts";
import type { JwtRole } from "./jwt-role.ts";

/** The claims of a token whose signature was found good. */
export type Claims = Readonly<Record<string, unknown>>;

/** What is wrong with the claims for a role, without a word of what they hold; nothing where they fit. Pure. */
export function faultOfClaims(claims: Claims, role: JwtRole, nowSeconds: number): string | undefined {
  return (
    faultOfTimes(claims, role, nowSeconds) ??
    faultOfAudience(claims["aud"], role) ??
    (role.boundSubject !== "" && claims["sub"] !== role.boundSubject
      ? "sub claim does not match bound subject"
      : undefined) ??
    faultOfBoundClaims(claims, role)
  );
}

/** Seconds of leeway that hold where a role says 0; a negative number takes them all away. */
const standardLeeway = { clockSkew: 60, expiration: 150, notBefore: 150 };

function faultOfTimes(claims: Claims, role: JwtRole, now: number): string | undefined {
  const times: Record<"exp" | "nbf" | "iat", number | undefined> = { exp: undefined, nbf: undefined, iat: undefined };
  for (const name of ["exp", "nbf", "iat"] as const) {
    const value = claims[name];
    if (value === undefined) continue;
    if (typeof value !== "number" || !Number.isFinite(value)) return `${name} claim is no number`;
    times[name] = value;
  }
  const { iat } = times;
  if (times.exp === undefined && times.nbf === undefined && iat === undefined) {
    return "no issue time, not before, or expiration time encoded in token";
  }
  const begin = Math.max(iat ?? 0, times.nbf ?? 0);
  const exp = times.exp ?? begin + leewayOf(role.expirationLeeway, standardLeeway.expiration);
  const nbf = times.nbf ?? iat ?? exp - leewayOf(role.notBeforeLeeway, standardLeeway.notBefore);
  const skew = leewayOf(role.clockSkewLeeway, standardLeeway.clockSkew);
  if (now > exp + skew) return "token is expired";
  if (now < nbf - skew) return "token is not valid yet";
  return iat !== undefined && now < iat - skew ? "token was issued in the future: are the clocks right?" : undefined;
}

function leewayOf(seconds: number, standard: number): number {
  if (seconds < 0) return 0;
  return seconds === 0 ? standard : seconds;
}

function faultOfAudience(aud: unknown, { boundAudiences }: JwtRole): string | undefined {
  const audiences = aud === undefined ? [] : Array.isArray(aud) ? aud : [aud];
  if (boundAudiences.length === 0) {
    return audiences.length === 0 ? undefined : "audience claim found in JWT but no audiences bound to the role";
  }
  const fits = audiences.some((audience) => typeof audience === "string" && boundAudiences.includes(audience));
  return fits ? undefined : "aud claim does not match any bound audience";
}

function faultOfBoundClaims(claims: Claims, { boundClaims, boundClaimsType }: JwtRole): string | undefined {
  for (const [name, allowed] of Object.entries(boundClaims)) {
    const claim = claimAt(claims, name);
    if (claim === undefined || claim === null) return `claim "${name}" is missing`;
    const values = (Array.isArray(claim) ? claim : [claim]).flatMap((value) => textOf(value) ?? []);
    const fits = values.some((value) =>
      allowed.some((bound) => (boundClaimsType === "glob" ? matchesGlob(bound, value) : bound === value)),
    );
    if (!fits) return `claim "${name}" does not match any associated bound claim values`;
  }
  return undefined;
}

/** The name that the token's holder goes by, or why there is none. */
export function userOf(claims: Claims, { userClaim }: JwtRole): { readonly name: string } | { readonly fault: string } {
  const name = textOf(claimAt(claims, userClaim));
  if (name === undefined || name === "") return { fault: `claim "${userClaim}" not found in token` };
  return { name };
}

/** What a role takes over from the claims; one that is not there is left out. */
export function metadataOf(claims: Claims, { name, claimMappings }: JwtRole): Readonly<Record<string, string>> {
  const metadata: Record<string, string> = { role: name };
  for (const [claim, key] of Object.entries(claimMappings)) {
    const value = claimAt(claims, claim);
    const text = textOf(value) ?? (value === undefined || value === null ? undefined : JSON.stringify(value));
    if (text !== undefined) metadata[key] = text;
  }
  return metadata;
}

/** A claim by name, or by JSON pointer (RFC 6901) where the name begins with a slash. */
export function claimAt(claims: Claims, name: string): unknown {
  if (!name.startsWith("/")) return Object.hasOwn(claims, name) ? claims[name] : undefined;
  let value: unknown = claims;
  for (const part of name.slice(1).split("/")) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (Array.isArray(value)) value = /^\d+$/.test(key) ? value[Number(key)] : undefined;
    else value = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  }
  return value;
}

function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}
