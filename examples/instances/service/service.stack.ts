import { derive, json, output, ref, resource, variable } from "millwright";

const name = variable("name", { type: "string" });
const owner = variable("owner", { type: "string" });
const network = variable("network", { type: "string" });
const port = variable("port", { type: "number" });

const address = derive([name, network, port], ([host, net, number]) => `http://${host}.${net}.internal:${number}`);

resource("local_file", "settings", {
  filename: `${ref("path.cwd")}/../made/${name}.json`,
  content: json({ name, owner, address }),
});

output("address", address);
