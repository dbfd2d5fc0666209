import { describe, expect, it } from "vitest";
import { compile, explain, RequestSyntaxError } from "../../src/index.js";
import { hostProxy, type Manifest, service } from "../support/backend.js";
import {
  classListener,
  classSettings,
  gatewayAt,
  gatewayClass,
  routeOf,
  threeGateways,
} from "../support/gateways.js";

const ask =
  (objects: readonly Manifest[]) =>
  (url: string, choice: { gateway?: string; address?: string; headers?: Record<string, string> } = {}) =>
    explain(compile(objects, { settings: classSettings }), { url, ...choice });

describe("requests to one of several Gateways", () => {
  const explained = ask(threeGateways());

  it("asks for the Gateway where several serve a host on a port, and names each with its addresses", () => {
    const asked = (): unknown => explained("http://www.test/");
    expect(asked).toThrow(RequestSyntaxError);
    expect(asked).toThrow(
      /www\.test .* port 80: Gateway infra\/private \(10\.80\.0\.2\), Gateway infra\/public \(10\.80\.0\.1\); choose one/,
    );
  });

  it.each([
    ["a Gateway", "http://www.test/", { gateway: "infra/public" }, "web"],
    ["another Gateway", "http://www.test/", { gateway: "infra/private" }, "inner"],
    ["an address", "http://www.test/", { address: "10.80.0.2" }, "inner"],
    ["the address of the URL", "http://10.80.0.1/", { headers: { host: "www.test" } }, "web"],
    ["the port, which one Gateway alone has", "http://www.test:8080/", {}, "admin"],
  ] as const)("is chosen by %s", (_, url, choice, backend) => {
    expect(explained(url, choice).summary).toBe(`goes to shop/${backend}/80`);
  });

  it("names the Gateway, the listener and its address", () => {
    expect(explained("http://www.test/", { gateway: "infra/private" }).listener).toEqual({
      name: "infra/private/http-80",
      address: "10.80.0.2",
      port: 80,
      seat: { gateway: "infra/private", listener: "http", port: 80 },
    });
    expect(explained("http://set.test:8081/").listener?.seat).toMatchObject({
      listener: "own",
      listenerSet: "shop/more",
    });
  });

  it("refuses a Gateway and an address that no listener has", () => {
    expect(() => explained("http://www.test/", { gateway: "infra/gone" })).toThrow(
      "Gateway infra/gone is not served; served Gateways: infra/admin, infra/private, infra/public",
    );
    expect(() => explained("http://www.test/", { address: "10.80.0.9" })).toThrow(
      /no listener has the address/,
    );
    expect(() => explained("http://www.test/", { gateway: "gone" })).toThrow(/NAMESPACE\/NAME/);
    expect(() => explained("http://www.test/", { address: "gone" })).toThrow(/IP address/);
  });

  it("says which listeners a chosen Gateway has, where none takes the request", () => {
    const { outcome, summary } = explained("http://www.test/", { gateway: "infra/admin" });
    expect(outcome).toBe("closed");
    expect(summary).toBe(
      "nothing listens for http of Gateway infra/admin; open: http on port 8080, Gateway infra/admin",
    );
    expect(explained("https://www.test:8080/").summary).toMatch(/infra\/admin accepts no TLS/);
  });

  it("does not ask where one Gateway alone has a route for the host", () => {
    const one = ask([
      ...threeGateways(),
      routeOf("HTTPRoute", "only", ["public"], "web", { hostnames: ["only.test"] }),
    ]);
    expect(one("http://only.test/").summary).toBe("goes to shop/web/80");
    expect(one("http://nobody.test/").outcome).toBe("not-found");
  });

  it("asks where an HTTPProxy and a Gateway serve a host; an address chooses", () => {
    const both = ask([...threeGateways(), service("default", "old"), hostProxy("www.test", "old")]);
    expect(() => both("http://www.test:8080/")).toThrow(
      /Gateway infra\/admin \(10\.80\.0\.3\), address 0\.0\.0\.0/,
    );
    expect(both("http://www.test:8080/", { address: "0.0.0.0" }).summary).toBe("goes to default/old/80");
  });

  it("says that a closer listener without a route has the host", () => {
    const listeners = [
      classListener("any", "HTTP", 80),
      classListener("own", "HTTP", 80, { hostname: "own.test" }),
    ];
    const isolated = ask([
      gatewayClass(),
      gatewayAt("edge", "10.80.0.1", listeners),
      service("shop", "web"),
      routeOf("HTTPRoute", "any", ["edge#any"], "web"),
    ]);
    expect(isolated("http://other.test/").summary).toBe("goes to shop/web/80");
    expect(isolated("http://own.test/").summary).toBe(
      "404: host own.test belongs to the listener own of Gateway infra/edge, which has no route with a backend for it",
    );
  });
});

describe("connections to TCP, TLS and UDP listeners", () => {
  const explained = ask(threeGateways());

  it.each([
    ["tcp://10.80.0.1:5432", "tcp", "the connection is passed through to shop/db/80", "TCPRoute/shop/db"],
    ["udp://10.80.0.1:53", "udp", "datagrams are passed through to shop/dns", "UDPRoute/shop/dns"],
    ["tls://a.pass.test:8443", "tcp", "the connection is passed through to shop/tls/80", undefined],
  ])("%s", (url, outcome, summary, from) => {
    const found = explained(url);
    expect(found).toMatchObject({ outcome, summary, listener: { seat: { gateway: "infra/public" } } });
    expect(found.origin?.ref).toBe(from);
  });

  it.each([
    ["tls://b.pass.test:8443", /\*\.pass\.test belongs to the listener pass of Gateway infra\/public/],
    ["tls://other.test:8443", /no filter chain matches the server name other\.test|is closed/],
    ["udp://10.80.0.1:54", /nothing listens for udp on port 54 at 10\.80\.0\.1; open: .*udp on port 53/],
    ["tcp://10.80.0.3:8080", /does not take tcp: ask for a URL with http:\/\//],
  ])("%s is closed", (url, summary) => {
    expect(explained(url)).toMatchObject({ outcome: "closed", summary: expect.stringMatching(summary) });
  });

  it("asks where several Gateways have the port", () => {
    const two = ask([
      ...threeGateways(),
      gatewayAt("other", "10.80.0.4", [classListener("dns", "UDP", 53)]),
      routeOf("UDPRoute", "other", ["other#dns"], "dns", {
        rules: [{ backendRefs: [{ name: "dns", port: 53 }] }],
      }),
    ]);
    expect(() => two("udp://dns.test:53")).toThrow(/infra\/other \(10\.80\.0\.4\), Gateway infra\/public/);
    expect(two("udp://10.80.0.4:53").origin?.ref).toBe("UDPRoute/shop/other");
    expect(two("udp://dns.test:53", { gateway: "infra/other" }).origin?.ref).toBe("UDPRoute/shop/other");
  });

  it.each(["tcp://host", "udp://host/path", "tls://:5"])("refuses %s", (url) => {
    expect(() => explained(url)).toThrow(RequestSyntaxError);
  });
});
