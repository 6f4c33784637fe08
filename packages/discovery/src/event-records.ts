import { joined, jsonTable } from "@millwright/records/table";

/** A custom event; its key is its number, padded so that keys are in the order of numbers. */
export interface EventRecord {
  readonly id: string;
  readonly name: string;
  /** In base 64; empty for none. */
  readonly payload: string;
  /** Expressions for the nodes, the services and their tags that it is meant for; empty for all. */
  readonly nodeFilter: string;
  readonly serviceFilter: string;
  readonly tagFilter: string;
  /** Counts events from 1. */
  readonly number: number;
}

export const eventTable = jsonTable<EventRecord>({
  fields: {
    id: true,
    name: true,
    payload: true,
    nodeFilter: true,
    serviceFilter: true,
    tagFilter: true,
    number: true,
  },
  lists: ({ name }) => [eventLists.named(name)],
});

export const eventLists = {
  named: (name: string) => joined("named", name),
} as const;

export function eventKey(number: number): string {
  return String(number).padStart(16, "0");
}
