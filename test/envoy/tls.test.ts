import { expect, onTestFinished, test } from "vitest";
import {
  endpointSlice,
  hostProxy,
  httpProxy,
  ingressRoute,
  service,
  startTlsEcho,
  tlsSecret,
} from "../support/backend.js";
import { eventually } from "../support/envoy.js";
import { request, tlsExchange } from "../support/http.js";
import { startRig } from "../support/isoline.js";

const secureHost = (fqdn: string, secretName: string, to: string) =>
  httpProxy("default", fqdn.replaceAll(".", "-"), {
    virtualhost: { fqdn, tls: { secretName } },
    routes: [{ services: [{ name: to, port: 80 }] }],
  });

test("HTTPS: the certificate by SNI, 301 from HTTP, 421 if Host differs from the SNI", async () => {
  const objects = [
    tlsSecret("default", "secure"),
    tlsSecret("default", "tcp"),
    secureHost("secure.test", "secure", "a"),
    secureHost("also-tcp.test", "tcp", "b"),
  ];
  const rig = await startRig({ backends: ["a", "b"], objects });
  const ask = (sni: string, host: string) => request({ port: rig.httpsPort, sni, host });

  const secure = await ask("secure.test", "secure.test");
  expect([secure.status, secure.certificate, secure.echo().service]).toEqual([200, "secure.test", "a"]);
  const other = await ask("also-tcp.test", "also-tcp.test");
  expect([other.status, other.certificate, other.echo().service]).toEqual([200, "tcp.test", "b"]);
  const around = await ask("secure.test", "also-tcp.test");
  expect([around.status, around.body]).toEqual([421, "misdirected request"]);
  await expect(ask("unknown.test", "secure.test")).rejects.toThrow();

  const plain = await request({ port: rig.httpPort, host: "secure.test", path: "/x?y=1" });
  expect([plain.status, plain.headers.location]).toEqual([301, "https://secure.test/x?y=1"]);
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("a replaced certificate is served without a failed request", async () => {
  const host = (secret: "secure" | "tcp") => [
    tlsSecret("default", "secure"),
    tlsSecret("default", "tcp"),
    secureHost("rotated.test", secret, "a"),
  ];
  const rig = await startRig({ backends: ["a"], objects: [hostProxy("steady.test", "a")] });
  await rig.isoline.apply("host", ...host("secure"));
  const ask = () => request({ port: rig.httpsPort, sni: "rotated.test", host: "rotated.test" });
  await eventually(async () => (await ask()).certificate === "secure.test", "the first certificate");

  await rig.isoline.apply("host", ...host("tcp"));
  await eventually(async () => {
    const answer = await ask();
    expect(answer.status).toBe(200);
    return answer.certificate === "tcp.test";
  }, "the second certificate");
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("TCP: TLS terminated at Envoy, and TLS passed through to the backend", async () => {
  const passthrough = await startTlsEcho("pass");
  onTestFinished(() => passthrough.close());
  const proxy = (fqdn: string, tls: object, to: string) =>
    httpProxy("default", fqdn.replaceAll(".", "-"), {
      virtualhost: { fqdn, tls },
      tcpproxy: { services: [{ name: to, port: 80 }] },
    });
  const objects = [
    tlsSecret("default", "tcp"),
    proxy("tcp.test", { secretName: "tcp" }, "tcp-echo"),
    proxy("pass.test", { passthrough: true }, "pass-echo"),
    ingressRoute("default", "also-pass", {
      virtualhost: { fqdn: "also-pass.test", tls: { passthrough: true } },
      tcpproxy: { delegate: { name: "child" } },
    }),
    ingressRoute("default", "child", { tcpproxy: { services: [{ name: "pass-echo", port: 80 }] } }),
    service("default", "pass-echo"),
    endpointSlice("default", "pass-echo", passthrough.port),
  ];
  const rig = await startRig({ backends: ["tcp-echo"], objects });

  expect(await tlsExchange(rig.httpsPort, "tcp.test", "ping")).toEqual({
    certificate: "tcp.test",
    received: "tcp-echo\nping",
  });
  for (const name of ["pass.test", "also-pass.test"])
    expect(await tlsExchange(rig.httpsPort, name, "ping")).toEqual({
      certificate: "pass.test",
      received: "pass\nping",
    });
  expect(await rig.envoy.rejected()).toEqual([]);
});
