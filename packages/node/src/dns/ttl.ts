/** How long answers may be kept, in seconds; 0 is not at all, and the default. */
export interface TtlSettings {
  readonly node?: number;
  /** By service name; `*` at its end is any rest, `*` alone any service. The longest fitting one holds. */
  readonly service?: Readonly<Record<string, number>>;
  /** For answers without records. */
  readonly negative?: number;
}

/** The settings made ready: the seconds for a service by its name in lower case. */
export function serviceTtls({ service = {} }: TtlSettings): (name: string) => number {
  const exact = new Map<string, number>();
  const prefixes: { readonly prefix: string; readonly seconds: number }[] = [];
  for (const [pattern, seconds] of Object.entries(service)) {
    const name = pattern.toLowerCase();
    if (name.endsWith("*")) prefixes.push({ prefix: name.slice(0, -1), seconds });
    else exact.set(name, seconds);
  }
  prefixes.sort((a, b) => b.prefix.length - a.prefix.length);
  return (name) => exact.get(name) ?? prefixes.find(({ prefix }) => name.startsWith(prefix))?.seconds ?? 0;
}
