import { test } from "vitest";
import { tlsSecret } from "../support/backend.js";
import { compileAll, parseCase, protoErrors, resourcesOf } from "../support/compile.js";
import { gateway, gatewaySettings, onPort } from "../support/gateway.js";
import { forTenant } from "../support/poison.js";
import { filters, matches } from "../support/poison-gateway.js";
import { attachments, backends, policies } from "../support/poison-gateway-objects.js";

const text = (m: readonly object[]) => m.map((o) => JSON.stringify(o)).join("\n---\n");
test("x", () => {
  const gw = gateway(
    onPort(9000, "web", "HTTP"),
    onPort(9443, "secure", "HTTPS", { tls: { certificateRefs: [{ name: "secure" }] } }),
    onPort(9443, "t", "TLS", { hostname: "*.tls.test", tls: { mode: "Passthrough" } }),
    onPort(9002, "tcp", "TCP"),
  );
  for (const [n, list] of Object.entries({ matches, filters, backends, attachments, policies })) {
    let refused = 0,
      vhosts = 0,
      chains = 0,
      clusters = 0,
      faults = 0,
      errs = 0,
      clean = 0;
    for (const [i, p] of list.entries()) {
      const c = parseCase(
        text([...gw, tlsSecret("infra", "secure"), ...forTenant(p, `1-${i}`)]),
        JSON.stringify(gatewaySettings),
      );
      if (c.findings.length) refused++;
      const store = compileAll(c.objects);
      const r = resourcesOf(store);
      if (r.some((x) => x.type === "virtual-host")) vhosts++;
      if (r.some((x) => x.type === "filter-chain")) chains++;
      const f = [...store.findings()];
      if (f.some((x) => x.reason === "CompilerFault")) faults++;
      if (f.some((x) => x.severity === "error")) errs++;
      if (!c.findings.length && !f.length) clean++;
      if (protoErrors(store).length) console.log(p.name, protoErrors(store));
    }
    console.log(n, list.length, { refused, vhosts, chains, clusters, faults, errs, clean });
  }
}, 600000);
