import { bundle } from "../scripts/build.mjs";
await bundle(".tmp-prof/prof.ts", ".tmp-prof/prof.js", { platform: "node", target: "node20.19", packages: "external" });
