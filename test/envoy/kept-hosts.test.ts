import { expect, onTestFinished, test } from "vitest";
import {
  endpointSlice,
  httpProxy,
  ingressRoute,
  service,
  startTlsEcho,
  tlsSecret,
} from "../support/backend.js";
import { eventually } from "../support/envoy.js";
import { backendRefs, gateway, gatewayRoute, gatewaySettings, listener } from "../support/gateway.js";
import { tlsOf } from "../support/gateway-threat.js";
import { request, tlsExchange } from "../support/http.js";
import { startRig } from "../support/isoline.js";

const wide = (kind: string, to: string, section: string) =>
  gatewayRoute(kind, section, { hostnames: ["*.test"], rules: [{ backendRefs: backendRefs(to) }] }, section);

test("a reserved host that no object claims responds with 404 or a closed connection, and is served again without the setting", async () => {
  const echo = await startTlsEcho("pass");
  onTestFinished(() => echo.close());
  const [web, secure, pass] = [
    await listener("web", "HTTP"),
    await listener("secure", "HTTPS", tlsOf("secure")),
    await listener("pass", "TLS", { tls: { mode: "Passthrough" } }),
  ];
  const hostOwners = [
    { host: "kept.test", namespaces: ["shop"] },
    { host: "*.kept.test", namespaces: ["shop"] },
  ];
  const { envoy, setSettings } = await startRig({
    backends: ["a"],
    objects: [
      ...gateway(web.spec, secure.spec, pass.spec),
      tlsSecret("infra", "secure"),
      service("default", "pass-echo"),
      endpointSlice("default", "pass-echo", echo.port),
      wide("HTTPRoute", "a", "web"),
      { ...wide("HTTPRoute", "a", "secure") },
      wide("TLSRoute", "pass-echo", "pass"),
    ],
    settings: { ...gatewaySettings, hostOwners },
  });
  const status = async (host: string): Promise<readonly number[]> => [
    (await request({ port: web.port, host })).status,
    (await request({ port: secure.port, host, sni: host })).status,
  ];
  // Envoy closes connections of a listener that it has not created yet, or replaces.
  const bothAnswer = (host: string): Promise<boolean> =>
    status(host).then(
      (codes) => codes.join() === "200,200",
      () => false,
    );
  await eventually(() => bothAnswer("free.test"), "the wide routes");
  for (const host of ["kept.test", "a.kept.test", "b.a.kept.test"]) {
    expect(await status(host), host).toEqual([404, 404]);
    await expect(tlsExchange(pass.port, host, "ping"), host).rejects.toThrow();
  }
  expect((await tlsExchange(pass.port, "free.test", "ping")).received).toBe("pass\nping");

  await setSettings({ ...gatewaySettings, hostOwners: [] });
  await eventually(() => bothAnswer("a.kept.test"), "the routes without owners");
  expect((await tlsExchange(pass.port, "a.kept.test", "ping")).received).toBe("pass\nping");
  expect(await envoy.rejected()).toEqual([]);
});

test("an IngressRoute for the host of an HTTPProxy serves no connection; without it the host is served again", async () => {
  const proxy = httpProxy("default", "web", {
    virtualhost: { fqdn: "web.test", tls: { secretName: "secure" } },
    routes: [{ services: [{ name: "a", port: 80 }] }],
  });
  const other = ingressRoute("default", "same-host", {
    virtualhost: { fqdn: "web.test", tls: { secretName: "tcp" } },
    tcpproxy: { services: [{ name: "tcp-sink", port: 80 }] },
  });
  const { envoy, httpsPort, isoline } = await startRig({
    backends: ["a", "tcp-sink"],
    objects: [tlsSecret("default", "secure"), tlsSecret("default", "tcp"), proxy],
  });
  const ask = () => request({ port: httpsPort, host: "web.test", sni: "web.test" });
  expect((await ask()).echo().service).toBe("a");
  await isoline.apply("other", other);
  await eventually(
    async () =>
      ask().then(
        () => false,
        () => true,
      ),
    "the host is refused",
  );
  await expect(tlsExchange(httpsPort, "web.test", "ping")).rejects.toThrow();
  await isoline.remove("other");
  await eventually(
    async () =>
      ask().then(
        (answer) => answer.status === 200,
        () => false,
      ),
    "the host is back",
  );
  expect((await ask()).echo().service).toBe("a");
  expect(await envoy.rejected()).toEqual([]);
});
