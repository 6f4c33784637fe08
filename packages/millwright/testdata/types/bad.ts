import { derive, output, ref, resource } from "millwright";

// Each line below a "@ts-expect-error" must be refused by the types.
const pet = resource("random_pet", "p", {});
const n = resource("random_integer", "n", { min: 1, max: 2 });
// @ts-expect-error a reference is no string
const a: string = pet.id;
// @ts-expect-error a reference is no number
const b: number = n.result;
const flag = derive(pet.id, (id) => id.length > 3);
// @ts-expect-error a reference is no boolean
const c: boolean = flag;
// @ts-expect-error it has no methods of its value
pet.id.toUpperCase();
// @ts-expect-error
export const d = pet.id === "x";
// @ts-expect-error
export const e = n.result * 2;
// @ts-expect-error
export const f = n.result < 2;
// @ts-expect-error
for (const x of ref<string[]>("local.x")) output("x", x);
// @ts-expect-error a misspelt attribute
pet.idd;
// @ts-expect-error a misspelt type
resource("random_pett", "q", {});
// @ts-expect-error a misspelt argument
resource("random_pet", "q", { seperator: "" });
// @ts-expect-error a missing argument
resource("random_integer", "q", { min: 1 });
// @ts-expect-error a number where a text is wanted
resource("random_pet", "q", { prefix: 1 });
// @ts-expect-error a reference to a number where a text is wanted
resource("random_pet", "q", { prefix: n.result });
// @ts-expect-error
process.env.HOME;
// @ts-expect-error
fetch("x");
console.log(a, b, c);
