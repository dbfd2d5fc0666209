import { test } from "vitest";
import { service } from "../support/backend.js";
import { compileAll, parseCase, resourcesOf } from "../support/compile.js";
import { backendRefs, gateway, gatewayRoute, gatewaySettings, onPort } from "../support/gateway.js";

const text = (m: readonly object[]) => m.map((o) => JSON.stringify(o)).join("\n---\n");
const many = (n: number, f: (i: number) => any) => Array.from({ length: n }, (_, i) => f(i));
function run(name: string, objects: readonly object[]) {
  const input = text(objects).length;
  const c = parseCase(text(objects), JSON.stringify(gatewaySettings));
  const t = performance.now();
  const store = compileAll(c.objects);
  const out = resourcesOf(store).reduce((n, r) => n + r.json.length, 0);
  console.log(
    name,
    "in",
    input,
    "out",
    out,
    "ms",
    Math.round(performance.now() - t),
    "rss",
    process.memoryUsage().rss >> 20,
    c.findings.slice(0, 3),
    [...store.findings()].slice(0, 2).map((f) => f.reason + f.message.slice(0, 100)),
  );
}
test("x", () => {
  const headers = (k: string) => ({
    set: many(16, (i) => ({ name: `${k}-${i}`, value: "v".repeat(4096) })),
    add: many(16, (i) => ({ name: `${k}-${i}`, value: "v".repeat(4096) })),
  });
  for (const [hosts, matches] of [
    [1, 16],
    [1, 64],
    [4, 64],
    [16, 64],
  ] as const)
    run(`filters ${hosts}x${matches}`, [
      ...gateway(onPort(9000, "w", "HTTP")),
      service("default", "a"),
      gatewayRoute("HTTPRoute", "r", {
        hostnames: many(hosts, (i) => `h${i}.test`),
        rules: [
          {
            matches: many(matches, (i) => ({ path: { type: "PathPrefix", value: `/${i}` } })),
            backendRefs: backendRefs("a"),
            filters: [
              { type: "RequestHeaderModifier", requestHeaderModifier: headers("q") },
              { type: "ResponseHeaderModifier", responseHeaderModifier: headers("p") },
            ],
          },
        ],
      }),
    ]);
  const ls = many(64, (i) => onPort(9000 + i, `l${i}`, "HTTP"));
  const same = many(64, (i) => onPort(9000, `l${i}`, "HTTP", { hostname: `h${i}.test` }));
  for (const [p, l] of [
    [1, ls],
    [32, ls],
    [1, same],
    [32, same],
  ] as const) {
    const r = gatewayRoute("HTTPRoute", "r", {
      hostnames: many(16, (i) => `h${i}.test`),
      rules: [{ backendRefs: backendRefs("a") }],
    }) as any;
    r.spec.parentRefs = many(p, () => r.spec.parentRefs[0]);
    run(`parents ${p}`, [...gateway(...l), service("default", "a"), r]);
  }
}, 600000);
