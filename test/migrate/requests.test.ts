import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { asker, migrated } from "../support/migration.js";

const root = join(import.meta.dirname, "cases");

/** What a peer's documentation says of a request: the Service that it gets to, or the status. */
type Row = readonly [request: string, expected: string, headers?: readonly string[]];

const tables: Readonly<Record<string, readonly Row[]>> = {
  // Longer rules first; PathPrefix is a prefix of text.
  "traefik/plain": [
    ["GET https://web.example.com/", "web"],
    ["GET https://web.example.com/api", "api"],
    ["GET https://web.example.com/apiary", "api"],
    ["GET https://web.example.com/health", "web"],
    ["GET http://web.example.com/", "301"],
  ],
  "traefik/strip-prefix": [
    ["GET http://strip.example.com/api/x", "api"],
    ["GET http://strip.example.com/other", "404"],
  ],
  "traefik/rules": [
    ["GET http://a.example.com/x/1", "web"],
    ["GET http://b.example.com/y", "web"],
    ["GET http://b.example.com/y/1", "404"],
    ["GET http://a.example.com/z?v=2", "beta", ["X-Beta: yes"]],
    ["GET http://a.example.com/z?v=3", "404", ["X-Beta: yes"]],
    ["GET http://a.example.com/items/7", "items"],
    ["GET http://a.example.com/items/7/8", "404"],
    // Of rules that both match, the longer text counts: that with the header.
    ["GET http://a.example.com/items/7?v=2", "beta", ["X-Beta: yes"]],
    ["GET http://a.example.com/new", "web"],
    ["GET http://a.example.com/new", "404", ["X-Old: 1"]],
    ["GET http://c.example.com/", "503"],
  ],
  "traefik/basic-auth": [
    ["GET http://admin.example.com/", "web"],
    ["GET http://admin.example.com/admin", "503"],
    ["GET http://admin.example.com/administrator", "503"],
  ],
  // The first match of the list counts.
  "istio/order": [
    ["GET http://order.example.com/", "web"],
    ["GET http://order.example.com/health", "web"],
    ["GET http://order.example.com/health", "beta", ["x-beta: 1"]],
    ["GET http://order.example.com/never", "web"],
  ],
  "istio/subsets": [
    ["GET http://reviews.example.com/", "reviews-v2", ["end-user: jason"]],
    ["GET http://reviews.example.com/", "reviews-v1 90 reviews-v2 10"],
  ],
  "istio/delegate": [
    ["GET http://delegate.example.com/team/docs/x", "docs"],
    ["GET http://delegate.example.com/team/x", "team"],
    ["GET http://delegate.example.com/other", "web"],
  ],
  "istio/authorization-policy": [["GET http://open.example.com/", "503"]],
  "istio/tls-and-redirect": [
    ["GET http://secure.example.com/", "301"],
    ["GET https://secure.example.com/", "web"],
  ],
  // The prefix is taken off by default; precedence comes before the length of the prefix.
  "emissary/mappings": [
    ["GET https://shop.example.com/", "web"],
    ["GET https://shop.example.com/api/x", "api"],
    ["GET https://shop.example.com/keep/x", "secure"],
    ["GET http://shop.example.com/", "301"],
  ],
  "emissary/matches": [
    ["GET http://match.example.com/items/5", "items"],
    ["GET http://match.example.com/items/5", "first", ["x-first: 1"]],
    ["GET http://match.example.com/?v=2", "beta", ["x-beta: yes", "x-version: 2.1"]],
    ["GET http://match.example.com/", "404"],
  ],
  "emissary/weights-and-shadow": [["GET http://split.example.com/", "web 90 web-next 10"]],
  // Prefix is of segments, ImplementationSpecific a prefix of text, and a regular expression comes before prefixes.
  "kong/paths": [
    ["GET http://paths.example.com/api", "api"],
    ["GET http://paths.example.com/apiary", "web"],
    ["GET http://paths.example.com/textual", "web"],
    ["GET http://paths.example.com/items/12", "items"],
    ["GET http://paths.example.com/items/12x", "web"],
  ],
  "kong/global-plugin": [["GET http://global.example.com/", "503"]],
  "gloo/virtual-service": [
    ["GET https://shop.example.com/api/x", "api"],
    ["GET https://shop.example.com/old", "308"],
    ["GET https://shop.example.com/x", "web 90 web-next 10"],
  ],
  "voyager/plain": [
    ["GET https://voyager.example.com/x", "web"],
    ["GET https://voyager.example.com/api/x", "api"],
  ],
  // Whole segments; the longest path; a canary by header, cookie, weight.
  "nginx/plain": [
    ["GET https://shop.example.com/api", "api"],
    ["GET https://shop.example.com/apiary", "web"],
    ["GET https://shop.example.com/health", "web"],
  ],
  "nginx/canary": [
    ["GET http://canary.example.com/", "web-next", ["X-Canary: always"]],
    ["GET http://canary.example.com/", "web", ["X-Canary: never", "Cookie: canary=always"]],
    ["GET http://canary.example.com/", "web-next", ["X-Canary: other", "Cookie: a=b; canary=always"]],
    ["GET http://canary.example.com/", "web", ["Cookie: canary=never; a=b"]],
    ["GET http://canary.example.com/", "web 90 web-next 10"],
    ["GET http://alone.example.com/", "404"],
  ],
  "nginx/redirects": [
    ["GET http://old.example.com/old/y?z=1", "301"],
    ["GET http://old.example.com/elsewhere", "301"],
    ["GET http://root.example.com/", "302"],
    ["GET https://root.example.com/other", "web"],
    ["GET https://alias.example.com/other", "web"],
    ["GET https://www.root.example.com/foo", "308"],
  ],
  "nginx/rewrite-usual": [
    ["GET http://rewrite.example.com/something/new", "web"],
    ["GET http://rewrite.example.com/something", "web"],
    ["GET http://rewrite.example.com/something-else", "api"],
  ],
};

describe.each(Object.entries(tables))("%s as HTTPProxies", (name, rows) => {
  const ask = asker(
    migrated(readFileSync(join(root, `${name}.yaml`), "utf8"), "httpproxy").text,
    "httpproxy",
  );

  it.each(rows.map(([request, expected, headers = []]) => ({ request, expected, headers })))(
    "$request $headers: $expected",
    ({ request, expected, headers }) => {
      const [method = "", url = ""] = request.split(" ");
      const { outcome, status, backends } = ask(method, url, headers);
      const shares = [...backends].sort((a, b) => b.weight - a.weight);
      const names = shares.map(({ cluster, percent }) => {
        const [, service = ""] = cluster.split("/");
        return backends.length > 1 ? `${service} ${Math.round(percent)}` : service;
      });
      expect(outcome === "forward" ? names.join(" ") : String(status)).toBe(expected);
    },
  );
});

/** What a peer's documentation says of the path that the backend receives. */
const rewrittenPaths: Readonly<Record<string, readonly (readonly [asked: string, path: string])[]>> = {
  "nginx/rewrite-groups": [
    ["http://groups.example.com/api/items/1", "/items/1"],
    ["http://groups.example.com/API", "/"],
    ["http://groups.example.com/de/page", "/page"],
    ["http://groups.example.com/anything", "/"],
  ],
  "traefik/regex-middlewares": [
    ["http://regex.example.com/v2/items", "/items/version-2"],
    ["http://regex.example.com/t/acme/x", "/x"],
    ["http://regex.example.com/t/acme", "/"],
    ["http://regex.example.com/de/shop/1", "/shop/1"],
    ["http://regex.example.com/a/b/c", "/c"],
    ["http://regex.example.com/a/c", "/a/c"],
  ],
  "istio/regex-rewrite": [["http://regex.example.com/users/7", "/u/7"]],
  "emissary/regex-rewrite": [["http://regex.example.com/api/a1/list/2", "/list/a1/2"]],
  "gloo/regex-rewrite": [["http://regex.example.com/api/a/b", "/b/a"]],
  "kong/captures": [["http://regex.example.com/shop/12", "/items/12"]],
};

describe.each(Object.entries(rewrittenPaths))("%s as HTTPProxies", (name, rows) => {
  const ask = asker(
    migrated(readFileSync(join(root, `${name}.yaml`), "utf8"), "httpproxy").text,
    "httpproxy",
  );

  it.each(rows)("rewrites %s to %s", (asked, path) => {
    const { outcome, path: sent } = ask("GET", asked);
    expect([outcome, sent ?? new URL(asked).pathname]).toEqual(["forward", path]);
  });
});
