import { resource, variable } from "millwright";

const leader = variable("db_leader_tag", { default: "leader" });
const follower = variable("db_follower_tag", { default: "follower" });
const pathPrefix = variable("path_prefix", { default: "myservice/mycomponent" });
const db = variable("service_db_name");

const query = (tag: typeof leader) => `${tag}.${db}.query.consul`;

resource("consul_key_prefix", "myservice_config", {
  path_prefix: `${pathPrefix}/`,
  subkeys: {
    appParam1: "val1",
    appParam2: "var2",
    dbHostname: `${db}.service.consul`,
    dbHostnameFollower: query(follower),
    dbHostnameLeader: query(leader),
  },
});
