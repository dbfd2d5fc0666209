import { describe, expect, it } from "vitest";
import { httpProxy, tlsSecret } from "../support/backend.js";
import { eventually } from "../support/envoy.js";
import { request } from "../support/http.js";
import { http3Client } from "../support/http3.js";
import { startRig } from "../support/isoline.js";

const client = http3Client();
if ("reason" in client) console.log(`HTTP/3 is not tested: ${client.reason}`);

const host = (fqdn: string, to = "a", tls: object = {}) =>
  httpProxy("default", `h-${fqdn.replaceAll(".", "-").replace("*", "any")}`, {
    virtualhost: { fqdn, tls: { secretName: "secure", ...tls } },
    routes: [{ services: [{ name: to, port: 80 }] }],
  });
const http3 = { enabled: true, advertisedPort: 443 };

describe.skipIf("reason" in client)("HTTP/3", () => {
  const ask = client as Exclude<typeof client, { readonly reason: string }>;

  it("serves the hosts with TLS, with their certificates, and says so over TCP", async () => {
    const objects = [
      tlsSecret("default", "secure"),
      tlsSecret("default", "tcp"),
      host("secure.test"),
      host("also-tcp.test", "b", { secretName: "tcp" }),
    ];
    const rig = await startRig({ backends: ["a", "b"], objects, settings: { http3 } });
    const port = rig.httpsPort;
    await eventually(
      async () => (await ask({ port, sni: "secure.test" }))[0]?.status === 200,
      "HTTP/3 answers",
    );
    const [first] = await ask({ port, sni: "secure.test", path: "/x?y=1" });
    expect(first).toMatchObject({ status: 200, protocol: "HTTP/3.0", certificate: "secure.test" });
    expect(first?.headers["Alt-Svc"]).toBe('h3=":443"; ma=86400');
    expect(JSON.parse(first?.body ?? "{}")).toMatchObject({ service: "a", path: "/x?y=1" });
    const [posted] = await ask({ port, sni: "secure.test", body: 300_000 });
    expect(posted?.status).toBe(200);
    const [other] = await ask({ port, sni: "also-tcp.test" });
    expect(other).toMatchObject({ status: 200, certificate: "tcp.test" });
    // Under the rules of one host, no other is reached.
    const [around] = await ask({ port, sni: "secure.test", host: "also-tcp.test" });
    expect(around).toMatchObject({ status: 421, body: "misdirected request" });
    expect((await ask({ port, sni: "unknown.test" }))[0]?.status).toBe(0);
    const overTcp = await request({ port, sni: "secure.test", host: "secure.test" });
    expect(overTcp.headers["alt-svc"]).toBe('h3=":443"; ma=86400');
    expect(await rig.envoy.rejected()).toEqual([]);
  });

  it("is off without the setting, and goes off again without closing the port for TCP", async () => {
    const rig = await startRig({
      backends: ["a"],
      objects: [tlsSecret("default", "secure"), host("secure.test")],
    });
    const port = rig.httpsPort;
    const tcp = () => request({ port, sni: "secure.test", host: "secure.test" });
    expect((await tcp()).headers["alt-svc"]).toBeUndefined();
    expect((await ask({ port, sni: "secure.test" }))[0]?.status).toBe(0);
    await rig.setSettings({ http3 });
    await eventually(
      async () => (await ask({ port, sni: "secure.test" }))[0]?.status === 200,
      "HTTP/3 is on",
    );
    await rig.setSettings({});
    await eventually(async () => (await tcp()).headers["alt-svc"] === undefined, "HTTP/3 is off");
    await eventually(
      async () => (await ask({ port, sni: "secure.test" }))[0]?.status === 0,
      "QUIC is closed",
    );
    expect((await tcp()).status).toBe(200);
    await rig.setSettings({ http3 });
    await eventually(
      async () => (await ask({ port, sni: "secure.test" }))[0]?.status === 200,
      "HTTP/3 is on again",
    );
    expect(await rig.envoy.rejected()).toEqual([]);
  });

  it("never serves a host without HTTP/3 by the chain of a wildcard", async () => {
    const objects = [
      tlsSecret("default", "secure"),
      host("*.example.test", "b"),
      host("clients.example.test", "a", { clientValidation: { skipClientCertValidation: true } }),
      host("old.example.test", "a", { minimumProtocolVersion: "1.2", maximumProtocolVersion: "1.2" }),
      httpProxy("default", "pass", {
        virtualhost: { fqdn: "pass.example.test", tls: { passthrough: true } },
        tcpproxy: { services: [{ name: "a", port: 80 }] },
      }),
    ];
    const rig = await startRig({ backends: ["a", "b"], objects, settings: { http3 } });
    const port = rig.httpsPort;
    await eventually(
      async () => (await ask({ port, sni: "any.example.test" }))[0]?.status === 200,
      "the wildcard answers",
    );
    for (const name of ["clients", "old", "pass"]) {
      const [answer] = await ask({ port, sni: `${name}.example.test` });
      expect([name, answer?.status, answer?.body]).toEqual([name, 421, "misdirected request"]);
    }
    const old = await request({ port, sni: "old.example.test", host: "old.example.test" });
    expect([old.status, old.headers["alt-svc"]]).toEqual([200, undefined]);
    expect(await rig.envoy.rejected()).toEqual([]);
  });

  it("loses no request of a connection while another host comes and goes", async () => {
    const objects = [tlsSecret("default", "secure"), host("secure.test")];
    const rig = await startRig({ backends: ["a"], objects, settings: { http3 } });
    const port = rig.httpsPort;
    await eventually(
      async () => (await ask({ port, sni: "secure.test" }))[0]?.status === 200,
      "HTTP/3 answers",
    );
    const steady = ask({ port, sni: "secure.test", count: 150 });
    await rig.isoline.apply("more", host("more.test"));
    await eventually(
      async () => (await ask({ port, sni: "more.test" }))[0]?.status === 200,
      "the new host answers",
    );
    await rig.isoline.remove("more");
    expect((await steady).filter(({ status }) => status !== 200)).toEqual([]);
    expect(await rig.envoy.rejected()).toEqual([]);
  });
});
