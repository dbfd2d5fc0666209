import { expect, onTestFinished, test } from "vitest";
import {
  endpointSlice,
  httpProxy,
  type Manifest,
  service,
  startTlsEcho,
  tlsSecret,
} from "../support/backend.js";
import { request, tlsExchange } from "../support/http.js";
import { type Rig, startRig } from "../support/isoline.js";

const services = [{ name: "a", port: 80 }];
const range = (source: "Peer" | "Remote", cidr: string): readonly Manifest[] => [{ source, cidr }];

const host = (fqdn: string, filter: Manifest, routes: readonly Manifest[] = [{ services }]): Manifest =>
  httpProxy("default", fqdn.replaceAll(".", "-"), { virtualhost: { fqdn, ...filter }, routes });

/** The status for a client at a loopback address, with the header of a proxy before it. */
async function from(rig: Rig, address: string, fqdn: string, path = "/", xff?: string): Promise<number> {
  const headers: Record<string, string> = xff === undefined ? {} : { "x-forwarded-for": xff };
  return (await request({ port: rig.httpPort, host: fqdn, path, from: address, headers })).status;
}

test("by the peer address: allowed or denied ranges of a host, and of routes that replace them", async () => {
  const rig = await startRig({
    backends: ["a"],
    objects: [
      host("allow.test", { ipAllowPolicy: range("Peer", "127.0.0.1") }, [
        { services },
        { conditions: [{ prefix: "/two" }], services, ipAllowPolicy: range("Peer", "127.0.0.2/32") },
        { conditions: [{ prefix: "/not-one" }], services, ipDenyPolicy: range("Peer", "127.0.0.1/32") },
        { conditions: [{ prefix: "/fixed" }], directResponsePolicy: { statusCode: 202 } },
        { conditions: [{ prefix: "/moved" }], requestRedirectPolicy: { hostname: "b.test" } },
      ]),
      host("deny.test", { ipDenyPolicy: [...range("Peer", "127.0.0.8/29"), ...range("Peer", "::1")] }),
      host("nobody.test", { ipAllowPolicy: range("Peer", "2001:db8::/32") }),
      host("bad.test", { ipDenyPolicy: range("Peer", "127.0.0.1/99") }),
    ],
  });

  expect(await from(rig, "127.0.0.1", "allow.test")).toBe(200);
  expect(await from(rig, "127.0.0.2", "allow.test")).toBe(403);
  expect(await from(rig, "127.0.0.1", "allow.test", "/two")).toBe(403);
  expect(await from(rig, "127.0.0.2", "allow.test", "/two")).toBe(200);
  expect(await from(rig, "127.0.0.1", "allow.test", "/not-one")).toBe(403);
  expect(await from(rig, "127.0.0.2", "allow.test", "/not-one")).toBe(200);
  expect(await from(rig, "127.0.0.2", "allow.test", "/fixed")).toBe(403);
  expect(await from(rig, "127.0.0.2", "allow.test", "/moved")).toBe(403);
  expect(await from(rig, "127.0.0.7", "deny.test")).toBe(200);
  expect(await from(rig, "127.0.0.15", "deny.test")).toBe(403);
  expect(await from(rig, "127.0.0.16", "deny.test")).toBe(200);
  expect(await from(rig, "127.0.0.1", "nobody.test")).toBe(403);
  expect(await from(rig, "127.0.0.1", "bad.test")).toBe(404);
  expect(await from(rig, "127.0.0.2", "allow.test", "/", "127.0.0.1")).toBe(403);
  expect(await rig.envoy.rejected()).toEqual([]);
});

test.each([
  { xffNumTrustedHops: 0, forged: 403, told: 403 },
  { xffNumTrustedHops: 1, forged: 403, told: 200 },
])(
  "by x-forwarded-for, as far as $xffNumTrustedHops proxies are trusted",
  async ({ xffNumTrustedHops, forged, told }) => {
    const client = range("Remote", "203.0.113.7/32");
    const rig = await startRig({
      backends: ["a"],
      settings: { xffNumTrustedHops },
      objects: [
        host("remote.test", { ipAllowPolicy: client }),
        host("denied.test", { ipDenyPolicy: client }, [
          { services },
          { conditions: [{ prefix: "/open" }], services, ipDenyPolicy: range("Remote", "198.51.100.0/24") },
        ]),
      ],
    });
    const address = "127.0.0.1";

    expect(await from(rig, address, "remote.test")).toBe(403);
    expect(await from(rig, address, "remote.test", "/", "203.0.113.7")).toBe(told);
    expect(await from(rig, address, "remote.test", "/", "203.0.113.7, 198.51.100.1")).toBe(forged);
    expect(await from(rig, address, "denied.test", "/", "203.0.113.7")).toBe(told === 200 ? 403 : 200);
    expect(await from(rig, address, "denied.test", "/open", "203.0.113.7")).toBe(200);
    expect(await rig.envoy.rejected()).toEqual([]);
  },
);

test("IP filters of a TCP host use the peer address, also for a passthrough", async () => {
  const echo = await startTlsEcho("pass");
  onTestFinished(() => echo.close());
  const tcp = (fqdn: string, tls: Manifest, name: string, filter: Manifest): Manifest =>
    httpProxy("default", fqdn.replaceAll(".", "-"), {
      virtualhost: { fqdn, tls, ...filter },
      tcpproxy: { services: [{ name, port: 80 }] },
    });
  const peer = (cidr: string): readonly Manifest[] => [{ source: "Peer", cidr }];
  const rig = await startRig({
    backends: ["tcp-echo"],
    objects: [
      tlsSecret("default", "tcp"),
      service("default", "pass-echo"),
      endpointSlice("default", "pass-echo", echo.port),
      tcp("pass.test", { passthrough: true }, "pass-echo", { ipAllowPolicy: peer("127.0.0.1/32") }),
      tcp("tcp.test", { secretName: "tcp" }, "tcp-echo", { ipDenyPolicy: peer("127.0.0.2/32") }),
    ],
  });
  const exchange = (sni: string, from: string): Promise<string> =>
    tlsExchange(rig.httpsPort, sni, "ping", from).then(
      ({ received }) => received,
      () => "closed",
    );

  expect(await exchange("pass.test", "127.0.0.1")).toBe("pass\nping");
  expect(await exchange("pass.test", "127.0.0.2")).toBe("closed");
  expect(await exchange("tcp.test", "127.0.0.1")).toBe("tcp-echo\nping");
  expect(await exchange("tcp.test", "127.0.0.2")).toBe("closed");
  expect(await rig.envoy.rejected()).toEqual([]);
});
