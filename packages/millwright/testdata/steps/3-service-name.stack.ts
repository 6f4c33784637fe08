import { resource, variable } from "millwright";

const pathPrefix = variable("path_prefix", { default: "myservice/mycomponent" });
const db = variable("service_db_name");

resource("consul_key_prefix", "myservice_config", {
  path_prefix: `${pathPrefix}/`,
  subkeys: {
    appParam1: "val1",
    appParam2: "var2",
    dbHostname: `${db}.service.consul`,
    dbHostnameFollower: `slave.${db}.query.consul`,
    dbHostnameLeader: `master.${db}.query.consul`,
  },
});
