import { expect, test } from "vitest";
import { interpolate, interpolateAll, type Names } from "./interpolate.ts";

const names: Names = {
  environment: { NOMAD_PORT_http: "4711", HOME: "/root", "NOMAD_META_a.b": "dotted" },
  node: {
    ...{ id: "n1", name: "node-1", region: "eu", datacenter: "dc1", pool: "default", nodeClass: "big" },
    address: "10.0.0.1",
    attributes: { "kernel.name": "linux" },
    meta: { rack: "r1", "a-b": "dash" },
  },
  owner: { JOB: "shop", TASKGROUP: "web", TASK: "main", BASE: "shop-web-main", ALLOC_INDEX: "3" },
};

test.each([
  { name: "a variable of the environment", text: "http://x:${NOMAD_PORT_http}/", want: "http://x:4711/" },
  { name: "with a dot in it", text: "${NOMAD_META_a.b}", want: "dotted" },
  { name: "by name in brackets", text: '${env["HOME"]}', want: "/root" },
  { name: "an attribute", text: "${attr.kernel.name}", want: "linux" },
  { name: "the node's own", text: "${node.unique.id} ${node.unique.name} ${node.datacenter}", want: "n1 node-1 dc1" },
  { name: "its class and region", text: "${node.class} ${node.region}", want: "big eu" },
  { name: "its meta", text: '${meta.rack} ${meta["a-b"]}', want: "r1 dash" },
  { name: "the names of 2016", text: "${TASKGROUP}-$JOB $BASE ${ALLOC_INDEX}", want: "web-shop shop-web-main 3" },
  {
    name: "what names nothing stays",
    text: "${nothing} ${attr.none} $HOME $$",
    want: "${nothing} ${attr.none} $HOME $$",
  },
  { name: "a longer name is another one", text: "$JOBS $TASKGROUPS", want: "$JOBS $TASKGROUPS" },
  { name: "what a value holds is not looked at again", text: "${NOMAD_PORT_http}{x}", want: "4711{x}" },
])("$name", ({ text, want }) => {
  expect(interpolate(text, names)).toBe(want);
});

test("all texts of a value, keys too", () => {
  const value = { "${TASK}": ["${TASKGROUP}", 1, null, { a: true }] };
  expect(interpolateAll(value, names)).toEqual({ main: ["web", 1, null, { a: true }] });
});
