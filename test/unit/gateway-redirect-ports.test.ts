import { expect, it } from "vitest";
import { compile, explain } from "../../src/index.js";
import { type Manifest, tlsSecret } from "../support/backend.js";
import { classListener, classSettings, gatewayAt, gatewayClass, routeOf } from "../support/gateways.js";

const tls = { tls: { certificateRefs: [{ name: "secure" }] } };

/** The `Location` for a request to a listener of each protocol at a port. */
function locationOf(url: string, requestRedirect: Manifest): string | undefined {
  const [, scheme = "http", port = "80"] = /^(\w+):\/\/[^/:]+:(\d+)/.exec(url) ?? [];
  const listener =
    scheme === "http"
      ? classListener("one", "HTTP", Number(port))
      : classListener("one", "HTTPS", Number(port), tls);
  const route = routeOf("HTTPRoute", "r", ["edge"], "none", {
    hostnames: ["x.test", "*.w.test"],
    rules: [{ filters: [{ type: "RequestRedirect", requestRedirect }] }],
  });
  const objects = [
    gatewayClass(),
    gatewayAt("edge", "10.80.0.1", [listener]),
    tlsSecret("infra", "secure"),
    route,
  ];
  return explain(compile(objects, { settings: classSettings }), { url }).location;
}

// Gateway API, HTTPRequestRedirectFilter.port: the port of the filter, else the usual one of the scheme, else the
// listener's. A usual port should not be in Location.
it.each<[url: string, redirect: Manifest, location: string]>([
  ["http://x.test:8080/p", { scheme: "https" }, "https://x.test/p"],
  ["http://a.w.test:8080/p", { scheme: "https" }, "https://a.w.test:443/p"],
  ["http://x.test:80/p", { scheme: "https" }, "https://x.test/p"],
  ["http://a.w.test:80/p", { scheme: "https" }, "https://a.w.test/p"],
  ["http://x.test:8080/p", { scheme: "http" }, "http://x.test/p"],
  ["https://x.test:8443/p", { scheme: "http" }, "http://x.test/p"],
  ["https://x.test:443/p", { scheme: "http" }, "http://x.test/p"],
  ["http://x.test:8080/p", { hostname: "n.test" }, "http://n.test:8080/p"],
  ["http://x.test:8080/p", { hostname: "n.test", scheme: "https" }, "https://n.test/p"],
  ["http://x.test:8080/p", { hostname: "n.test", port: 80 }, "http://n.test/p"],
  ["http://x.test:8080/p", { port: 80 }, "http://x.test/p"],
  ["http://x.test:8080/p", { port: 8081 }, "http://x.test:8081/p"],
  ["http://x.test:8080/p", { scheme: "https", port: 443 }, "https://x.test/p"],
  ["http://x.test:8080/p", { scheme: "https", port: 8443 }, "https://x.test:8443/p"],
  ["http://x.test:80/p", { scheme: "https", port: 80 }, "https://x.test:80/p"],
  ["https://x.test:8443/p", { port: 443 }, "https://x.test/p"],
  [
    "http://x.test:8080/p",
    { path: { type: "ReplaceFullPath", replaceFullPath: "/n" } },
    "http://x.test:8080/n",
  ],
])("%s with %j is sent to %s", (url, redirect, location) => {
  expect(locationOf(url, redirect)).toBe(location);
});
