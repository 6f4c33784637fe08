import type { BigFloat } from "./number.ts";

/** What is known of a value that is not known yet (go-cty's refinements). All fields may be left out. */
export interface Refinements {
  /** True: it will not be null. (A value known to be null is simply null.) */
  readonly notNull?: boolean;
  /** Of a string: how it will begin. */
  readonly prefix?: string;
  /** Of a number: bounds; `inclusive` tells whether the bound itself may be reached. */
  readonly minimum?: { readonly value: BigFloat; readonly inclusive: boolean };
  readonly maximum?: { readonly value: BigFloat; readonly inclusive: boolean };
  /** Of a list, set or map: bounds on the number of elements, both inclusive. */
  readonly minimumLength?: number;
  readonly maximumLength?: number;
}

/** The data of an unknown value. */
export class Unknown {
  readonly refinements: Refinements | undefined;

  constructor(refinements: Refinements | undefined) {
    this.refinements = refinements;
  }
}
