import { instance, variable } from "millwright";

const owner = variable("owner", { default: "platform" });

const regions = ["eu", "us"];
const colors = ["blue", "green"];

const services = regions.flatMap((region) => {
  const network = instance(`network-${region}`, "./network", { region });
  return colors.map((color) => {
    const service = instance(`service-${region}-${color}`, "./service", {
      name: `${region}-${color}`,
      owner,
      network: network.name,
      port: network.first_port,
    });
    return service.address;
  });
});

instance("report", "./report", { addresses: services });
