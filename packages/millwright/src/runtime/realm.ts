import { refuse } from "./fault.ts";
import { refuseLater } from "./guard.ts";
import { expressionOf, notWith } from "./reference.ts";

type Method = (this: unknown, ...args: unknown[]) => unknown;
type Methods = Record<PropertyKey, Method>;

/**
 * Makes the program's world one in which the same source gives the same graph: no clock, no chance, nothing of this machine,
 * and no function of JavaScript that looks at a text made from a reference.
 */
export function closeRealm(): void {
  refuseClock();
  wrap(Math, ["random"], "Math.random", () => impure("chance (Math.random)", "a random_ resource"));
  for (const name of ["WeakRef", "FinalizationRegistry", "SharedArrayBuffer", "Atomics", "WebAssembly", "Intl"]) {
    Reflect.deleteProperty(globalThis, name);
  }
  watchTexts();
  watchLookups();
  watchConversions();
}

function impure(what: string, instead: string): never {
  return refuse(
    "Not the same twice",
    `A stack cannot read ${what}: the plan would not be the same twice. Use a variable, or ${instead}.`,
  );
}

/** Puts a check before methods of an object. */
function wrap(
  owner: object,
  names: readonly PropertyKey[],
  label: string,
  check: (self: unknown, args: readonly unknown[], name: string) => void,
): void {
  const methods = owner as Methods;
  for (const name of names) {
    const original = methods[name];
    if (typeof original !== "function") continue;
    const checked: Method = function (this: unknown, ...args) {
      check(this, args, label === "" ? String(name) : label);
      return Reflect.apply(original, this, args);
    };
    Object.defineProperty(checked, "name", { value: original.name });
    Object.defineProperty(methods, name, { value: checked, writable: true, configurable: true, enumerable: false });
  }
}

function refuseClock(): void {
  const Original = Date;
  const clock = (): never => impure("the clock", 'the plantimestamp function by call("plantimestamp")');
  const zone = (): never => impure("this machine's time zone", "the getUTC… and toISOString forms");
  const checked = (args: readonly unknown[]): void => {
    if (args.length === 0) clock();
    if (args.length > 1) zone();
    if (typeof args[0] === "string" && !/^\d{4}(-\d\d){0,2}$|(Z|[+-]\d\d:?\d\d)$/.test(args[0])) zone();
  };
  wrap(Original, ["now"], "now", clock);
  wrap(Original, ["parse"], "parse", (_self, args) => checked([args[0]]));
  const local = Object.getOwnPropertyNames(Original.prototype).filter((name) =>
    /^(get|set)(?!UTC|Time$)|^to(Locale|String|Date|Time)/.test(name),
  );
  wrap(Original.prototype, local, "", zone);
  globalThis.Date = new Proxy(Original, {
    apply: clock,
    construct: (target, args, newTarget) => {
      checked(args);
      return Reflect.construct(target, args, newTarget) as Date;
    },
  });
  const locale = (): never => impure("this machine's language", "a form that is the same everywhere");
  for (const owner of [Number, BigInt, Array, Object]) wrap(owner.prototype, ["toLocaleString"], "", locale);
  wrap(String.prototype, ["localeCompare", "toLocaleLowerCase", "toLocaleUpperCase"], "", locale);
}

/** Methods of texts that leave a reference whole, and true of whatever its value will be. All others are watched. */
const harmlessTextMethods = new Set<PropertyKey>([
  ...[
    "concat",
    "constructor",
    "isWellFormed",
    "repeat",
    "replace",
    "replaceAll",
    "toString",
    "toWellFormed",
    "valueOf",
  ],
  ...[
    "anchor",
    "big",
    "blink",
    "bold",
    "fixed",
    "fontcolor",
    "fontsize",
    "italics",
    "link",
    "small",
    "strike",
    "sub",
    "sup",
  ],
  ...["localeCompare", "toLocaleLowerCase", "toLocaleUpperCase"],
]);

function watchTexts(): void {
  const looked = (name: string) => `looked at or changed by ${name}`;
  const methods = Reflect.ownKeys(String.prototype).filter((name) => !harmlessTextMethods.has(name));
  wrap(String.prototype, methods, "", (self, args, name) => {
    refuseLater(self, looked(name));
    for (const arg of args) refuseLater(arg, looked(name));
  });
  // A replacement may hold a reference; what is searched may not.
  wrap(String.prototype, ["replace", "replaceAll"], "", (self, args, name) => {
    refuseLater(self, looked(name));
    refuseLater(args[0], looked(name));
  });
  wrap(RegExp.prototype, ["exec"], "", (_self, args) => refuseLater(args[0], looked("a regular expression")));
  const stringify = JSON.stringify;
  JSON.stringify = (value: unknown, ...rest: unknown[]) => {
    const text = Reflect.apply(stringify, JSON, [value, ...rest]) as string;
    refuseLater(
      text,
      "written as JSON here: quotes in its value would break the document. Use json(document), in which anything may be a reference",
    );
    return text;
  };
  wrap(JSON, ["parse"], "", (_self, args) => refuseLater(args[0], looked("JSON.parse")));
}

function watchLookups(): void {
  const sought = "searched for";
  wrap(Array.prototype, ["includes", "indexOf", "lastIndexOf"], "", (self, args) => {
    refuseLater(args[0], sought);
    for (const element of self as unknown[]) refuseLater(element, "compared");
  });
  wrap(Array.prototype, ["sort", "toSorted"], "", (self, args) => {
    if (args[0] === undefined) for (const element of self as unknown[]) refuseLater(element, "sorted");
  });
  wrap(Set.prototype, ["has", "add", "delete"], "", (_self, args) =>
    refuseLater(args[0], "an element of a Set, which compares"),
  );
  wrap(Map.prototype, ["has", "get", "set", "delete"], "", (_self, args) =>
    refuseLater(args[0], "a key of a Map, which compares"),
  );
  for (const name of ["filter", "some", "every", "find", "findIndex", "findLast", "findLastIndex"])
    watchDecision(Array.prototype, name, 0);
  watchDecision(Map, "groupBy", 1);
  watchDecision(Object, "groupBy", 1);
  wrap(Reflect, ["get", "has", "getOwnPropertyDescriptor"], "", (_self, args) => refuseLater(args[1], sought));
  wrap(Object, ["keys", "values", "entries", "getOwnPropertyDescriptor"], "", (_self, args) => {
    for (const arg of args) if (typeof arg === "string") refuseLater(arg, "taken apart");
  });
  wrap(Object, ["is", "hasOwn"], "", (_self, args) => {
    for (const arg of args) refuseLater(arg, "compared");
  });
  wrap(Object.prototype, ["hasOwnProperty", "propertyIsEnumerable"], "", (_self, args) => refuseLater(args[0], sought));
  wrap(Array, ["isArray"], "", (_self, args) => {
    const expression = expressionOf(args[0]);
    if (expression) notWith(expression, "asked whether it is a list", "Say what it is where it is passed");
  });
}

/** Watches what the callback of a method gives, where JavaScript decides by it. */
function watchDecision(owner: object, name: string, position: number): void {
  const methods = owner as Methods;
  const original = methods[name];
  if (typeof original !== "function") return;
  const watched: Method = function (this: unknown, ...args) {
    const callback = args[position];
    if (typeof callback === "function") {
      args[position] = function (this: unknown, ...given: unknown[]) {
        const decision: unknown = Reflect.apply(callback as Method, this, given);
        refuseLater(decision, `what ${name} decides by`);
        return decision;
      };
    }
    return Reflect.apply(original, this, args);
  };
  Object.defineProperty(methods, name, { value: watched, writable: true, configurable: true, enumerable: false });
}

function watchConversions(): void {
  const converted = (name: string) => `turned into something else by ${name}`;
  const names = [
    "parseInt",
    "parseFloat",
    "isNaN",
    "isFinite",
    "encodeURIComponent",
    "encodeURI",
    "decodeURIComponent",
    "decodeURI",
    "escape",
    "unescape",
  ];
  wrap(globalThis, names, "", (_self, args, name) => refuseLater(args[0], converted(name)));
  wrap(Number, ["parseInt", "parseFloat", "isNaN", "isFinite", "isInteger", "isSafeInteger"], "", (_self, args, name) =>
    refuseLater(args[0], converted(name)),
  );
  for (const name of ["Number", "Boolean"] as const) {
    const original = globalThis[name];
    const checked = new Proxy(original, {
      apply: (target, self, args: unknown[]) => {
        refuseLater(args[0], converted(name));
        return Reflect.apply(target as unknown as Method, self, args);
      },
    });
    Object.defineProperty(globalThis, name, { value: checked, writable: true, configurable: true });
  }
}
