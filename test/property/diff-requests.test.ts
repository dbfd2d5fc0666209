import { expect, it } from "vitest";
import type { EnvoyConfig } from "../../src/explain/config.js";
import { mismatch } from "../../src/explain/match.js";
import type { SeenRequest } from "../../src/explain/request.js";
import { review } from "../../src/explain/review.js";
import type { Any, HeaderMatcher, QueryParameterMatcher, Route, RouteMatch } from "../../src/gen/envoy.js";
import { fc } from "../support/fast-check.js";

/** Route tables with all kinds of overlapping matches, and all requests that could distinguish them. */
const words = ["/", "/a", "/a/", "/ab", "/a/b", "/a/b/", "/b"];
const path = fc.oneof(
  fc.constantFrom(...words).map((prefix): RouteMatch => ({ prefix })),
  fc.constantFrom(...words).map((exact): RouteMatch => ({ path: exact })),
  fc
    .constantFrom("/a", "/ab", "/a/b", "/b")
    .map((segment): RouteMatch => ({ path_separated_prefix: segment })),
);
const values = ["x", "xy", "y"];
const text = fc.oneof(
  fc.constantFrom(...values).map((exact) => ({ exact })),
  fc.constantFrom(...values).map((prefix) => ({ prefix })),
  fc.constantFrom(...values).map((contains) => ({ contains })),
  fc.constantFrom(...values).map((exact) => ({ exact, ignore_case: true })),
);
const headers: fc.Arbitrary<HeaderMatcher[]> = fc.array(
  fc.oneof(
    fc.record({ name: fc.constantFrom("h", "i"), string_match: text, invert_match: fc.boolean() }),
    fc.record({
      name: fc.constantFrom("h", "i"),
      present_match: fc.constant(true),
      invert_match: fc.boolean(),
    }),
    fc.record({
      name: fc.constantFrom("h"),
      string_match: text,
      invert_match: fc.boolean(),
      treat_missing_header_as_empty: fc.constant(true),
    }),
    fc.constantFrom("GET", "POST").map((exact) => ({ name: ":method", string_match: { exact } })),
  ),
  { maxLength: 2 },
);
const query: fc.Arbitrary<QueryParameterMatcher[]> = fc.array(
  fc.oneof(
    fc.record({ name: fc.constant("q"), string_match: text }),
    fc.constant({ name: "q", present_match: true }),
  ),
  { maxLength: 1 },
);
const route: fc.Arbitrary<Route> = fc
  .record({
    path,
    headers,
    query,
    to: fc.constantFrom("default/a/80", "default/b/80"),
    rewrite: fc.constantFrom("", "", "", "/r"),
  })
  .map(({ path, headers, query, to, rewrite }) => ({
    match: {
      ...path,
      ...(headers.length > 0 ? { headers } : {}),
      ...(query.length > 0 ? { query_parameters: query } : {}),
    },
    route: { cluster: to, ...(rewrite ? { prefix_rewrite: rewrite } : {}) },
  }));
const routes = fc.array(route, { minLength: 1, maxLength: 5 });

/** The same path text with another match type. */
function inKind({ match = {}, ...action }: Route, kind: string): Route {
  const { prefix, path, path_separated_prefix, ...conditions } = match;
  const text = prefix ?? path ?? path_separated_prefix ?? "/";
  const isSegment = kind !== "path_separated_prefix" || !text.endsWith("/");
  return { ...action, match: { [isSegment ? kind : "prefix"]: text, ...conditions } };
}

/** The second list often is the first one, with routes dropped, moved or doubled. */
const pair = routes.chain((before) =>
  fc.tuple(
    fc.constant(before),
    fc.oneof(
      routes,
      fc.shuffledSubarray(before, { minLength: 1 }),
      fc.array(fc.constantFrom(...before), { minLength: 1, maxLength: 6 }),
      route.map((one) => [...before, one]),
      fc
        .constantFrom("prefix", "path", "path_separated_prefix")
        .map((kind) => before.map((one) => inKind(one, kind))),
    ),
  ),
);

const config = (list: readonly Route[]): EnvoyConfig => ({
  listeners: new Map([
    [
      "ingress_http",
      {
        name: "ingress_http",
        filter_chains: [
          {
            filters: [
              {
                name: "http",
                typed_config: {
                  "@type":
                    "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                  rds: { route_config_name: "ingress_http" },
                } as Any,
              },
            ],
          },
        ],
      },
    ],
  ]),
  tables: new Map([
    [
      "ingress_http",
      { name: "ingress_http", virtual_hosts: [{ name: "x.test", domains: ["x.test"], routes: [...list] }] },
    ],
  ]),
  clusters: new Map(["default/a/80", "default/b/80"].map((name) => [name, { name }])),
  endpoints: new Map(),
  secrets: new Map(),
});

const some = [undefined, "x", "xy", "X", "y", "yx", "xz", "z"];
const paths = "/ /a /a/ /ab /abc /ab/ /a/b /a/bc /a/b/ /a/b/c /a/c /b /bc /b/c /c".split(" ");
/** The methods and headers of all requests. */
const headerSets = ["GET", "POST", "PUT"].flatMap((method) =>
  some.flatMap((h) =>
    some.map((i) => {
      const given = Object.entries({ ":method": method, h, i });
      return new Map(given.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
    }),
  ),
);
const all: readonly SeenRequest[] = paths.flatMap((one) =>
  headerSets.flatMap((set) =>
    [undefined, "q=x", "q=xy", "q=y", "q=X", "q=zx", "q="].map((query) => ({
      method: set.get(":method") ?? "",
      host: "x.test",
      path: one,
      query,
      headers: set,
    })),
  ),
);

/** The cluster of a request with the path that it gets, or `404`. */
function outcome(list: readonly Route[], request: SeenRequest): string {
  const found = list.find(({ match = {} }) => mismatch(match, request) === undefined);
  if (!found) return "404";
  const { prefix_rewrite: to, cluster } = found.route ?? {};
  const { prefix, path_separated_prefix } = found.match ?? {};
  const rest = request.path.slice((prefix ?? path_separated_prefix ?? request.path).length);
  return `${cluster} ${to ? to + rest : request.path}`;
}

it("requests show the difference of two route lists, or that there is none", { timeout: 300_000 }, () => {
  const counts = { rewritten: 0, different: 0, incomplete: 0 };
  fc.assert(
    fc.property(pair, ([before, after]) => {
      const side = (list: readonly Route[]) => ({ config: config(list), knowsEndpoints: () => false });
      const { hosts, rewritten } = review(side(before), side(after));
      const told = hosts[0];
      const differs = all.find((request) => outcome(before, request) !== outcome(after, request));
      if (rewritten.length > 0) {
        counts.rewritten++;
        expect(differs).toBeUndefined();
      } else if (told?.requests.complete) {
        counts.different += differs ? 1 : 0;
        expect(told.requests.differing > 0).toBe(differs !== undefined);
      } else counts.incomplete += told ? 1 : 0;
      if (differs) expect(told).toBeDefined();
    }),
    { numRuns: 150 },
  );
  // Few runs come to few of each.
  if (fc.full) for (const count of Object.values(counts)) expect(count).toBeGreaterThan(5);
});
