import { canonical } from "@millwright/jobs/canonical";
import { expect, test } from "vitest";
import { inheritedEnvironment, noSecrets, taskEnvironment, type TaskPlace } from "./environment.ts";
import { taskFolders } from "./folders.ts";

function place(driver: string, env: Readonly<Record<string, string>> = {}): TaskPlace {
  const task = { name: "main", driver, env, meta: { colour: "red", "a-b": "x" } };
  const job = canonical({ id: "shop", meta: { colour: "blue", size: "L" }, groups: [{ name: "web", tasks: [task] }] });
  const group = job.groups[0]!;
  return {
    wanted: {
      ...{ ID: "0a1b2c3d-0000-0000-0000-000000000000", Namespace: "default", JobID: "shop", JobVersion: 0 },
      ...{ TaskGroup: "web", Name: "shop.web[2]", Index: 2, DesiredStatus: "run", DesiredDescription: "" },
      ...{
        AllocModifyIndex: 1,
        ClientStatus: "pending",
        Deployment: null,
        PreviousAllocation: null,
        CreateTime: 0,
        JobSubmitTime: 0,
      },
      Ports: [
        { Task: null, Label: "http-api", Value: 4711, To: 0 },
        { Task: "main", Label: "db", Value: 5432, To: 80 },
        { Task: "other", Label: "rpc", Value: 9000, To: 0 },
      ],
      Holding: { CPU: 1, Cores: 0, MemoryMB: 1, DiskMB: 1 },
    },
    ...{ job, group, task: group.tasks[0]! },
    node: {
      ...{ id: "n", name: "node-1", region: "eu", datacenter: "dc1", pool: "default", nodeClass: "" },
      ...{ address: "10.0.0.1", attributes: {}, meta: {} },
    },
    folders: taskFolders("/data/alloc/1", "main"),
  };
}

test("a task has Nomad's names", () => {
  expect(taskEnvironment(place("raw_exec"), noSecrets, {})).toEqual({
    NOMAD_ALLOC_ID: "0a1b2c3d-0000-0000-0000-000000000000",
    NOMAD_SHORT_ALLOC_ID: "0a1b2c3d",
    NOMAD_ALLOC_NAME: "shop.web[2]",
    NOMAD_ALLOC_INDEX: "2",
    NOMAD_GROUP_NAME: "web",
    NOMAD_JOB_ID: "shop",
    NOMAD_JOB_NAME: "shop",
    NOMAD_NAMESPACE: "default",
    NOMAD_DC: "dc1",
    NOMAD_REGION: "eu",
    NOMAD_ALLOC_DIR: "/data/alloc/1/alloc",
    NOMAD_TASK_DIR: "/data/alloc/1/main/local",
    NOMAD_SECRETS_DIR: "/data/alloc/1/main/secrets",
    NOMAD_TASK_NAME: "main",
    NOMAD_CPU_LIMIT: "100",
    NOMAD_MEMORY_LIMIT: "300",
    NOMAD_IP_http_api: "10.0.0.1",
    NOMAD_PORT_http_api: "4711",
    NOMAD_ADDR_http_api: "10.0.0.1:4711",
    NOMAD_HOST_IP_http_api: "10.0.0.1",
    NOMAD_HOST_PORT_http_api: "4711",
    NOMAD_HOST_ADDR_http_api: "10.0.0.1:4711",
    NOMAD_IP_db: "10.0.0.1",
    NOMAD_PORT_db: "80",
    NOMAD_ADDR_db: "10.0.0.1:5432",
    NOMAD_HOST_IP_db: "10.0.0.1",
    NOMAD_HOST_PORT_db: "5432",
    NOMAD_HOST_ADDR_db: "10.0.0.1:5432",
    NOMAD_ALLOC_PORT_db: "80",
    NOMAD_IP_main_db: "10.0.0.1",
    NOMAD_PORT_main_db: "5432",
    NOMAD_ADDR_main_db: "10.0.0.1:5432",
    NOMAD_IP_other_rpc: "10.0.0.1",
    NOMAD_PORT_other_rpc: "9000",
    NOMAD_ADDR_other_rpc: "10.0.0.1:9000",
    NOMAD_META_COLOUR: "red",
    NOMAD_META_colour: "red",
    NOMAD_META_SIZE: "L",
    NOMAD_META_size: "L",
    NOMAD_META_A_B: "x",
    NOMAD_META_a_b: "x",
  });
});

test("a task with an image of its own sees its folders where they are in there", () => {
  expect(taskEnvironment(place("docker"), noSecrets, {})).toMatchObject({
    NOMAD_ALLOC_DIR: "/alloc",
    NOMAD_TASK_DIR: "/local",
    NOMAD_SECRETS_DIR: "/secrets",
  });
});

test("what stands later wins: the agent's own, Nomad's, identities, the task's env block, templates", () => {
  const secrets = {
    vault: { address: "http://vault", token: "t", namespace: "" },
    identities: { NOMAD_TOKEN: "jwt" },
    templates: { B: "of a template" },
  };
  const own = place("raw_exec", { A: "${NOMAD_ALLOC_INDEX} ${HOME}", B: "of the block", HOME: "/home/app" });
  expect(taskEnvironment(own, secrets, { HOME: "/root", PATH: "/bin" })).toMatchObject({
    ...{ A: "2 /root", B: "of a template", HOME: "/home/app", PATH: "/bin" },
    ...{ VAULT_TOKEN: "t", VAULT_ADDR: "http://vault", NOMAD_TOKEN: "jwt" },
  });
});

test("no credential of the agent's own goes to a task", () => {
  const own = {
    ...{ PATH: "/bin", HOME: "/root", LANG: "C", VAULT_TOKEN: "x", CONSUL_HTTP_TOKEN: "x", NOMAD_TOKEN: "x" },
    ...{ MILLWRIGHT_KEY: "x", AWS_SECRET_ACCESS_KEY: "x", PGPASSWORD: "x", GITHUB_TOKEN: "x", MYSQL_PWD: "x" },
    ...{ DENIED: "x", PWD: "/somewhere", OLDPWD: "/elsewhere", EMPTY: undefined },
  };
  expect(inheritedEnvironment(own, ["DENIED"])).toEqual({ PATH: "/bin", HOME: "/root", LANG: "C" });
});
