import type { Machine } from "../support/machine.js";
import { certificateFor, ownManifests, untilAnswered, untilShopIsServed, walk } from "../support/walk.js";

/** The files of the page's image, which holds no package that is for development alone. */
async function runImage(machine: Machine): Promise<void> {
  const packages =
    "npm ls --omit=dev --all --parseable | sed -n 's#.*/isoline/node_modules/#node_modules/#p' | sort -u";
  await machine.must(`mkdir image && cp -r package.json dist image &&
    for one in $(${packages}); do mkdir -p image/$(dirname $one) && cp -r $one image/$one; done &&
    test -d image/node_modules/node-sqlite3-wasm && test ! -e image/node_modules/hono && test ! -e image/node_modules/vitest`);
  await machine.must("cd image && node dist/isoline.js check -f ../manifests");
}

walk("docs/deploy-node.md", {
  given: async (machine) => {
    await ownManifests(machine);
    await certificateFor(machine, "xds.example.com");
  },
  after: {
    "npm run build": runImage,
    "envoy -c": async (machine) => {
      await untilShopIsServed(machine);
      await untilAnswered(machine, "--unix-socket /run/envoy/admin.sock http://envoy/ready", /^LIVE$/m);
    },
  },
});
