import { bundle } from "../scripts/build.mjs";
await bundle(".tmp-prof/count.ts", ".tmp-prof/count.js", { platform: "node", target: "node20.19", packages: "external" });
