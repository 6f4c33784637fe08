import { resource, variable } from "millwright";

const pathPrefix = variable("path_prefix", { default: "myservice/mycomponent" });

resource("consul_key_prefix", "myservice_config", {
  path_prefix: `${pathPrefix}/`,
  subkeys: {
    appParam1: "val1",
    appParam2: "var2",
    dbHostname: "my-db.service.consul",
    dbHostnameFollower: "slave.my-db.query.consul",
    dbHostnameLeader: "master.my-db.query.consul",
  },
});
