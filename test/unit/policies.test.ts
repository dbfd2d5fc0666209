import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { policies } from "../../src/graph/policies/index.js";
import { httpProxySpec } from "../../src/schema/httpproxy.js";
import { defaultSettings } from "../../src/schema/settings.js";
import { filterStages } from "../../src/xds/filter-stages.js";
import { httpFilters } from "../../src/xds/http-filters.js";
import { filterFacts, policyFilters } from "../../src/xds/policies/index.js";
import type { WrittenPolicy } from "../../src/xds/policies/policy.js";

const src = join(import.meta.dirname, "../../src");

/** The imports of a table: names by file. */
function importsOf(file: string): Map<string, string> {
  const text = readFileSync(join(src, file), "utf8");
  const found = [...text.matchAll(/^import (?:type )?\{([^}]*)\} from "\.\/([a-z-]+)\.js";/gm)];
  return new Map(
    found.flatMap(([, names = "", from = ""]) =>
      names.split(",").map((name) => [name.trim(), from] as const),
    ),
  );
}

it("a policy has the same file name in graph/policies and xds/policies", () => {
  const [read, written] = [importsOf("graph/policies/index.ts"), importsOf("xds/policies/index.ts")];
  const names = Object.keys(policies);
  expect(names.map((name) => [name, written.get(name)])).toEqual(names.map((name) => [name, read.get(name)]));
  expect(names.filter((name) => !read.has(name))).toEqual([]);
});

it("a policy does not compile without the members that its scopes require", () => {
  const describe = () => [];
  const read = { host: () => "enabled", route: () => "enabled" } as const;
  const timeout = { route: () => ({}) };
  const headers = { ...timeout, service: () => ({}) };
  const token = { write: { ...timeout, host: () => ({}) }, describe };
  const incomplete = [
    // @ts-expect-error a writer of routes
    { write: {}, describe } satisfies WrittenPolicy<"timeout">,
    // @ts-expect-error facts
    { write: timeout } satisfies WrittenPolicy<"timeout">,
    // @ts-expect-error facts of a backend
    { write: headers, describe } satisfies WrittenPolicy<"requestHeaders">,
    // @ts-expect-error a writer of clusters
    { write: {} } satisfies WrittenPolicy<"slowStart">,
    // @ts-expect-error the values of a protection
    token satisfies WrittenPolicy<"jwt">,
    // @ts-expect-error a reader of virtual hosts
    { protects: false, fields: {}, read: { route: read.route } } satisfies (typeof policies)["compression"],
    // @ts-expect-error whether it protects
    { fields: {}, read } satisfies (typeof policies)["compression"],
    // @ts-expect-error its fields
    { protects: false, read } satisfies (typeof policies)["compression"],
  ];
  expect(incomplete).toHaveLength(8);
});

const fieldsOf = (scope: "host" | "route" | "service"): Set<string> =>
  new Set(Object.values(policies).flatMap(({ fields }) => fields[scope] ?? []));

it("every field of a virtual host, route or service belongs to a policy, or to the object itself", () => {
  const { virtualhost, routes } = httpProxySpec.shape;
  const route = routes.unwrap().element.shape;
  const service = route.services.unwrap().element.shape;
  const others = (shape: object, scope: "host" | "route" | "service"): string[] =>
    Object.keys(shape).filter((field) => !fieldsOf(scope).has(field));
  expect(others(virtualhost.unwrap().shape, "host")).toEqual(["fqdn", "tls"]);
  expect(others(route, "route")).toEqual([
    "conditions",
    "services",
    "permitInsecure",
    "requestRedirectPolicy",
    "directResponsePolicy",
  ]);
  expect(others(service, "service")).toEqual([
    "name",
    "port",
    "healthPort",
    "protocol",
    "weight",
    "validation",
    "mirror",
  ]);
});

it("every filter of a policy has a unique name and is before the router", () => {
  const names = policyFilters.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(policyFilters.map(({ stage }) => stage)).not.toContain("router");
  expect(Object.keys(filterStages).at(-1)).toBe("router");
});

it("explanations list the effects of policies in the order of the filters", () => {
  const type = "type.googleapis.com/envoy.extensions.filters.http";
  const route = {
    typed_per_filter_config: {
      "envoy.filters.http.jwt_authn": {
        "@type": `${type}.jwt_authn.v3.PerRouteConfig`,
        requirement_name: "a",
      },
      "envoy.filters.http.rbac": {
        "@type": `${type}.rbac.v3.RBACPerRoute`,
        rbac: { rules: { policies: {} } },
      },
      "envoy.filters.http.compressor": {
        "@type": `${type}.compressor.v3.CompressorPerRoute`,
        disabled: true,
      },
      "envoy.filters.http.cors": { "@type": `${type}.cors.v3.CorsPolicy` },
    },
  } as const;
  const shown = filterFacts({ route, virtualHost: {}, manager: undefined }, () => "");
  expect(shown.map(({ what }) => what)).toEqual(["compression", "CORS", "addresses", "JWT"]);
});

it("HTTP filters are in the order of their stages, and those of plain HTTP do not depend on a host", () => {
  const service = { cluster: "extension/a/b", authority: "b" };
  const services = {
    authorization: { ...service, failOpen: false },
    rateLimits: { ...service, domain: "d", failOpen: false, limitHeaders: false, resourceExhausted: false },
  };
  const names = (chain: Partial<Parameters<typeof httpFilters>[0]>): string[] =>
    httpFilters({ settings: defaultSettings, services, ...chain }).map(({ name = "" }) => name);
  const route = { jwt: "nobody" };
  const host = {
    policies: {},
    routes: [
      {
        match: { path: { kind: "prefix", value: "/" }, headers: [], queries: [] },
        action: { kind: "respond", status: 200 },
        policies: route,
        insecure: "serve",
        from: "HTTPProxy/a/b",
        field: "spec.routes[0]",
      },
    ],
    clusterOf: () => "",
  } as const;
  expect(names({ checkSni: true, host })).toEqual([
    "isoline.misdirected_request",
    "envoy.filters.http.compressor",
    "envoy.filters.http.grpc_web",
    "envoy.filters.http.grpc_stats",
    "envoy.filters.http.cors",
    "envoy.filters.http.local_ratelimit",
    "envoy.filters.http.rbac",
    "envoy.filters.http.jwt_authn",
    "envoy.filters.http.ext_authz",
    "envoy.filters.http.ratelimit",
    "router",
  ]);
  expect(names({})).toEqual([
    "envoy.filters.http.compressor",
    "envoy.filters.http.grpc_web",
    "envoy.filters.http.grpc_stats",
    "envoy.filters.http.cors",
    "envoy.filters.http.local_ratelimit",
    "envoy.filters.http.lua",
    "envoy.filters.http.rbac",
    "envoy.filters.http.ext_authz",
    "envoy.filters.http.ratelimit",
    "router",
  ]);
});
