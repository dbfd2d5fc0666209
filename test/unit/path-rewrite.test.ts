import { describe, expect, it } from "vitest";
import type { Explanation } from "../../src/explain/explanation.js";
import type { VirtualHost } from "../../src/gen/envoy.js";
import { type KubeObject, parseObject } from "../../src/schema/object.js";
import { parseSettings } from "../../src/schema/settings.js";
import { httpProxy, type Manifest, service } from "../support/backend.js";
import { compileAll } from "../support/compile.js";
import { explainer } from "../support/explain.js";
import { gateway, gatewaySettings, onPort } from "../support/gateway.js";
import {
  gatewayRewriteObjects,
  gatewayRewriteProbes,
  rewriteObjects,
  rewriteProbes,
} from "../support/rewrites.js";

function parse(manifests: readonly Manifest[]): KubeObject[] {
  return [service("default", "a"), service("default", "b"), ...manifests].map((manifest) => {
    const parsed = parseObject(manifest);
    if (!("object" in parsed)) throw new Error(JSON.stringify(parsed));
    return parsed.object;
  });
}

const lines = (headers: Readonly<Record<string, string>> = {}): string[] =>
  Object.entries(headers).map(([name, value]) => `${name}: ${value}`);

/** In the form of a probe: the Service and the path that it receives, the path of a `Location`, or a status. */
function outcome(found: Explanation, path: string): string {
  if (found.outcome === "redirect") return found.location?.replace(/^http:\/\/[^/]+/, "") ?? "";
  if (found.outcome !== "forward") return String(found.status);
  const query = /\?.*/.exec(path)?.[0] ?? "";
  const seen = found.path ?? normal(path.replace(/\?.*/, ""));
  return `${found.backends[0]?.cluster.split("/")[1]} ${seen}${query}`;
}

const normal = (path: string): string => new URL(path.replaceAll("//", "/"), "http://x").pathname;

describe("a rewritten prefix", () => {
  const explain = explainer(parse(rewriteObjects));
  it.each(rewriteProbes)("$host$path $headers", ({ host, path, headers, to }) => {
    expect(outcome(explain("GET", `http://${host}${path}`, lines(headers)), path)).toBe(to);
  });

  const { settings } = parseSettings(gatewaySettings);
  const through = explainer([
    ...parse([...gateway(onPort(8080, "web", "HTTP")), ...gatewayRewriteObjects]),
    settings,
  ]);
  it.each(gatewayRewriteProbes)("for an HTTPRoute: $host$path", ({ host, path, to }) => {
    expect(outcome(through("GET", `http://${host}${path}`), path)).toBe(to);
  });
});

/** mulberry32: the same numbers for one seed on every machine. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const prefixes = ["/", "/a", "/a/", "/ab", "/a/b", "/a/b/", "/a/bc/"];
const conditions: readonly (readonly Manifest[])[] = [
  [],
  [{ header: { name: "x-h", present: true } }],
  [{ header: { name: "x-h", exact: "1" } }, { header: { name: "x-i", present: true } }],
  [{ queryParameter: { name: "q", present: true } }],
];

/** Routes over few paths, each with or without a rewrite. */
function randomRoutes(random: (below: number) => number): Manifest[] {
  const paths = [
    ...prefixes.map((prefix) => ({ prefix })),
    { exact: "/a" },
    { exact: "/a/b" },
    { regex: "/a/?" },
  ];
  return Array.from({ length: 2 + random(6) }, () => {
    const path = paths[random(paths.length)] ?? {};
    const rewrite = "prefix" in path && random(3) > 0;
    const replacement = ["/", "/n", "/n/"][random(3)] ?? "/";
    const change =
      random(2) > 0
        ? {
            services: [{ name: "a", port: 80 }],
            ...(rewrite ? { pathRewritePolicy: { replacePrefix: [{ replacement }] } } : {}),
          }
        : { requestRedirectPolicy: { statusCode: 301, ...(rewrite ? { prefix: replacement } : {}) } };
    return { conditions: [path, ...(conditions[random(conditions.length)] ?? [])], ...change };
  });
}

const withoutRewrite = ({
  pathRewritePolicy: _,
  requestRedirectPolicy: redirect,
  ...route
}: Manifest): Manifest => ({
  ...route,
  ...(redirect ? { requestRedirectPolicy: { statusCode: 301 } } : {}),
});

it("a prefix that is too long for any request makes no regular expression, which Envoy could refuse", () => {
  for (const end of ["a", "/"]) {
    const prefix = `/${"a".repeat(1_000_000)}${end}`;
    const routes = [
      {
        conditions: [{ prefix }],
        services: [{ name: "a", port: 80 }],
        pathRewritePolicy: { replacePrefix: [{ replacement: "/" }] },
      },
    ];
    const objects = parse([httpProxy("default", "x", { virtualhost: { fqdn: "x.test" }, routes })]);
    const [host] = compileAll(objects).resources("virtual-host", "ingress_http");
    expect(host?.json).toContain('"prefix_rewrite":"/"');
    expect(host?.json).not.toContain("regex_rewrite");
  }
});

describe("routes with rewrites", () => {
  it("never have duplicate matches", () => {
    const hosts = [...compileAll(parse(rewriteObjects)).resources("virtual-host", "ingress_http")];
    expect(hosts.length).toBeGreaterThan(40);
    for (const { json } of hosts) {
      const matches = (JSON.parse(json) as VirtualHost).routes?.map(({ match }) => JSON.stringify(match));
      expect(matches).toEqual([...new Set(matches)]);
    }
  });

  it("are selected as without rewrites, except for a prefix without its final slash that no more specific route matches", () => {
    const paths = ["/", "/a", "/a/", "/ab", "/a/b", "/a/b/", "/a/bc", "/a/b/c", "/a/bc/", "/x"];
    const headers = [[], ["x-h: 1"], ["x-h: 1", "x-i: 1"]];
    let added = 0;
    for (let seed = 0; seed < 25; seed++) {
      const routes = randomRoutes(numbers(seed));
      const rewriting = hostOf(routes);
      const plain = hostOf(routes.map(withoutRewrite));
      for (const path of paths)
        for (const query of ["", "?q=1"])
          for (const lines of headers) {
            const url = `http://x.test${path}${query}`;
            const [now, before] = [rewriting("GET", url, lines).route, plain("GET", url, lines).route];
            const field = now?.origin?.field;
            if (field === before?.origin?.field) continue;
            added++;
            const told = `seed ${seed}: ${url} ${lines.join(", ")}`;
            const at = Number(/\d+/.exec(field ?? "")?.[0]);
            const written = (routes[at]?.conditions as Manifest[] | undefined)?.[0]?.prefix;
            expect(written, told).toBe(`${path}/`);
            expect(before?.match ?? "prefix /", told).not.toMatch(
              new RegExp(`^(?:path|regex|prefix ${path}(?:,|$))`),
            );
          }
    }
    expect(added).toBeGreaterThan(5);
  });
});

const hostOf = (routes: readonly Manifest[]): ReturnType<typeof explainer> =>
  explainer(parse([httpProxy("default", "x", { virtualhost: { fqdn: "x.test" }, routes })]));
