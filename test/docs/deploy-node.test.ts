import { certificateFor, ownManifests, untilAnswered, untilShopIsServed, walk } from "../support/walk.js";

walk("docs/deploy-node.md", {
  given: async (machine) => {
    await ownManifests(machine);
    await certificateFor(machine, "xds.example.com");
  },
  after: {
    "envoy -c": async (machine) => {
      await untilShopIsServed(machine);
      await untilAnswered(machine, "--unix-socket /run/envoy/admin.sock http://envoy/ready", /^LIVE$/m);
    },
  },
});
