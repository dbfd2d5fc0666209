import { expect, it } from "vitest";
import { stringify } from "yaml";
import type { NginxAnnotation } from "../../src/schema/ingress-nginx.js";
import { type KubeObject, parseObject } from "../../src/schema/object.js";
import { parseSettings } from "../../src/schema/settings.js";
import { update } from "../../src/update.js";
import { secret, service, tlsSecret } from "../support/backend.js";
import { compileAll, dump, parseCase, platform, protoErrors } from "../support/compile.js";
import { fc } from "../support/fast-check.js";
import { type NginxIngress, nginxIngress } from "../support/nginx-probes.js";

/** What an annotation that restricts access puts before a route. */
const filters: Partial<Record<NginxAnnotation, string>> = {
  "auth-type": "envoy.filters.http.basic_auth",
  "auth-url": "envoy.filters.http.ext_authz",
  "whitelist-source-range": "envoy.filters.http.rbac",
  "allowlist-source-range": "envoy.filters.http.rbac",
  "denylist-source-range": "envoy.filters.http.rbac",
  "limit-rps": "envoy.filters.http.local_ratelimit",
  "limit-rpm": "envoy.filters.http.local_ratelimit",
};
/** Those that have no counterpart: with these no request may be let through. */
const closing: readonly NginxAnnotation[] = ["auth-snippet", "enable-modsecurity"];

/** What a snippet demands: that nothing is forwarded, a filter, or nothing. */
const snippetDemands: Readonly<Record<string, string | undefined>> = {
  "deny all;": "envoy.filters.http.rbac",
  "deny 10.0.0.1; allow all;": "envoy.filters.http.rbac",
  "allow 10.0.0.0/8; deny all;": "envoy.filters.http.rbac",
  "allow 10.0.0.0/8; deny 192.0.2.1;": "closed",
  "satisfy any; deny all;": "closed",
  "if ($x) { return 403; }": "closed",
  "return 403;": "closed",
  "if ($host ~ x) { return 403; }": "closed",
};

/** A rule of a snippet whose requests must come before all that is forwarded for the same path. */
const earlyRefusals: readonly string[] = [
  "if ($http_x = 1) { return 403; }",
  "if ($uri = /secret) { return 404; }",
];

const values: Partial<Record<NginxAnnotation, readonly string[]>> = {
  "auth-type": ["basic", "digest", "none", ""],
  "auth-secret": ["pw", "apr", "missing", "other/pw", "", "UPPER"],
  "auth-secret-type": ["auth-file", "auth-map", "x"],
  "auth-realm": ["R", 'a"b', "é"],
  "auth-url": [
    "http://auth.default.svc.cluster.local/check",
    "https://auth",
    "https://$host/oauth2/auth",
    "http://auth.other.svc/",
    "https://example.com/",
    "none",
    "",
  ],
  "auth-response-headers": ["X-User", "a b"],
  "auth-signin": ["http://$host/login", "no url"],
  "auth-snippet": ["x;"],
  "whitelist-source-range": ["10.0.0.0/8", "10.0.0.0/8, 192.0.2.1", "10.0.0.0/99", "x", "", ","],
  "allowlist-source-range": ["2001:db8::/32", "x"],
  "denylist-source-range": ["10.0.0.0/8", "not-an-ip", "", "::1,10.0.0.1"],
  "limit-rps": ["1", "0", "-1", "x", "999999999"],
  "limit-rpm": ["60", "1.5"],
  "limit-burst-multiplier": ["2", "0", "x"],
  "enable-modsecurity": ["true", "false", "x"],
  "modsecurity-snippet": ["SecRuleEngine On"],
  "fastcgi-index": ["index.php"],
  satisfy: ["any", "all"],
  "use-regex": ["true", "false"],
  "rewrite-target": ["/$1", "/", "$host", "bad value"],
  "permanent-redirect": ["https://x.test/y"],
  "app-root": ["/ui"],
  "enable-cors": ["true"],
  "cors-allow-origin": ["*", "https://*.x.test", "none"],
  "ssl-redirect": ["false", "true"],
  "configuration-snippet": [
    ...Object.keys(snippetDemands),
    ...earlyRefusals,
    'more_set_headers "A: b";',
    "proxy_set_header X-User $http_x_user;",
  ],
  "server-snippet": [...Object.keys(snippetDemands), "location /m { deny all; }"],
  "custom-http-errors": ["404"],
  "default-backend": ["web", "missing"],
  "proxy-body-size": ["0", "8k", "64m"],
  "service-upstream": ["true"],
  "affinity-mode": ["persistent"],
  affinity: ["cookie"],
  "auth-tls-secret": ["default/ca", "missing", "other/ca"],
  "canary-weight": ["10"],
};

/** A few at a time: with many some rule closes the Ingress nearly always. */
const annotations = fc
  .uniqueArray(
    fc.constantFrom(
      ...Object.entries(values).flatMap(([name, texts]) => texts.map((text) => [name, text] as const)),
    ),
    { maxLength: 4, selector: ([name]) => name },
  )
  .map((pairs) => {
    const found: Record<string, string> = Object.fromEntries(pairs);
    return found["auth-type"] === "basic" ? { "auth-secret": "pw", ...found } : found;
  });

const ingress = (name: string, namespace: string) =>
  fc
    .record({
      annotations,
      tls: fc.boolean(),
      path: fc.constantFrom(
        "/",
        "/admin",
        "/admin/",
        "/a(/|$)(.*)",
        "/admin(?!x)",
        "/a|/b",
        "/a b",
        "/[a-z]+",
      ),
      pathType: fc.constantFrom("Prefix", "Exact", "ImplementationSpecific"),
    })
    .map(
      ({ annotations, tls, path, pathType }): NginxIngress => ({
        name,
        namespace,
        host: "a.test",
        annotations,
        paths: [{ path, type: pathType as "Prefix" }],
        ...(tls ? { tls: "secure" } : {}),
      }),
    );

const around = [
  service("default", "web"),
  service("default", "auth"),
  service("other", "web"),
  service("other", "auth"),
  secret("default", "pw", { auth: "u:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=" }),
  secret("default", "apr", { auth: "u:$apr1$abcdefgh$abcdefghijklmnopqrstuv" }),
  tlsSecret("default", "secure"),
];

interface EnvoyRoute {
  readonly match?: object;
  readonly route?: object;
  readonly direct_response?: { readonly status?: number };
  readonly typed_per_filter_config?: Readonly<Record<string, unknown>>;
}

function compileOne(ingresses: readonly NginxIngress[], allowSnippets: boolean) {
  const configMap = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { namespace: "ingress-nginx", name: "c" },
    data: { "allow-snippet-annotations": String(allowSnippets) },
  };
  const manifests = [...around, configMap, ...ingresses.map(nginxIngress)];
  const { objects } = parseCase(
    manifests.map((one) => stringify(one)).join("---\n"),
    stringify({ ingressNginx: { configMap: "ingress-nginx/c" } }),
  );
  const store = compileAll(objects);
  const routes = ["ingress_http", "ingress_https"].flatMap((table) =>
    [...store.resources("virtual-host", table)].flatMap(
      ({ json }) => (JSON.parse(json) as { routes: readonly EnvoyRoute[] }).routes,
    ),
  );
  return { store, routes, findings: [...store.findings()] };
}

type Annotations = Readonly<Record<string, string>>;

/** The filter that has to be before all that an Ingress lets through; `closed`: nothing may be let through. */
function demanded(
  name: NginxAnnotation,
  text: string,
  all: Annotations,
  allowSnippets: boolean,
): string | undefined {
  const isAbsent = text === "" && ["whitelist-source-range", "auth-url", "auth-type"].includes(name);
  const isNone = (name === "limit-rps" || name === "limit-rpm") && Number(text) <= 0;
  const isOff = text === "false" || all["enable-modsecurity"] === "false";
  if (closing.includes(name)) return isOff && name !== "auth-snippet" ? undefined : "closed";
  // A location with addresses of its own does not have those of its server.
  const hasOwn = Object.keys(all).some(
    (one) => one.endsWith("-source-range") || one === "configuration-snippet",
  );
  if (name === "configuration-snippet" || name === "server-snippet") {
    if (!allowSnippets) return "closed";
    const demand = snippetDemands[text];
    const isOfAddresses = demand !== "closed" || /^(?:(?:allow|deny) [^;]+;\s*)+$/.test(text);
    return name === "server-snippet" && hasOwn && isOfAddresses ? undefined : demand;
  }
  return isAbsent || isNone ? undefined : filters[name];
}

it("drops no rule of access without closing its paths and an error", () => {
  fc.assert(
    fc.property(ingress("one", "default"), fc.boolean(), (one, allowSnippets) => {
      const { annotations = {} } = one;
      const { store, routes, findings } = compileOne([one], allowSnippets);
      expect(protoErrors(store)).toEqual([]);
      const forwarding = routes.filter(({ route }) => route !== undefined);
      for (const [name, text] of Object.entries(annotations)) {
        const filter = demanded(name as NginxAnnotation, text, annotations, allowSnippets);
        const open = forwarding.filter(
          ({ typed_per_filter_config: own = {} }) => filter !== undefined && !(filter in own),
        );
        expect(open, `${name}: ${text}`).toEqual([]);
      }
      // What a snippet refuses comes before all that is forwarded, in each table.
      if (allowSnippets && earlyRefusals.includes(annotations["configuration-snippet"] ?? "")) {
        const first = routes.findIndex(({ route }) => route !== undefined);
        const refused = routes.findIndex(({ direct_response: { status = 0 } = {} }) =>
          [403, 404].includes(status),
        );
        if (first >= 0) expect(refused >= 0 && refused < first, JSON.stringify(annotations)).toBe(true);
      }
      const isClosed = JSON.stringify(routes).includes('"status":503');
      // A restricted path without a place is closed, or nothing of the host is forwarded.
      const isLost = findings.some(({ reason }) => reason === "PathNotValid");
      if (isLost && annotations["whitelist-source-range"])
        expect(isClosed || forwarding.length === 0).toBe(true);
      // What is closed is told.
      if (isClosed)
        expect(findings.map(({ severity, about }) => `${severity} ${about}`)).toContain(
          "error Ingress/default/one",
        );
    }),
    { numRuns: 2000 },
  );
});

it("gives an Ingress of another namespace no say for the host", () => {
  fc.assert(
    fc.property(ingress("guest", "other"), (guest) => {
      const owner: NginxIngress = {
        name: "owner",
        host: "a.test",
        tls: "secure",
        created: "2025-01-01T00:00:00Z",
        paths: [{ path: "/" }, { path: "/admin" }],
        annotations: { "whitelist-source-range": "10.0.0.0/8" },
      };
      const alone = compileOne([owner], true).routes.map((route) => JSON.stringify(route));
      const together = compileOne([owner, guest], true).routes.map((route) => JSON.stringify(route));
      expect(together.filter((route) => alone.includes(route))).toEqual(alone);
      // A path of the guest is tried before those of the owner only where it is longer text, or the same and exact.
      const added = together.filter((route) => !alone.includes(route));
      for (const route of added) expect(route).not.toMatch(/"safe_regex":\{"regex":"\^\(\?i\)/);
    }),
    { numRuns: 500 },
  );
});

it("comes to the same whether objects are changed one by one or compiled at once", () => {
  const names = ["one", "two", "three"] as const;
  const hosts = ["a.test", "www.a.test", "b.test"] as const;
  const edit = fc
    .record({
      name: fc.constantFrom(...names),
      namespace: fc.constantFrom("default", "other"),
      host: fc.constantFrom(...hosts),
      created: fc.constantFrom("2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
      annotations: fc.oneof(
        annotations,
        fc.constantFrom<Annotations[]>(
          { "server-alias": "b.test,www.a.test" },
          { "from-to-www-redirect": "true" },
          { canary: "true", "canary-weight": "50" },
          { "use-regex": "true" },
        ),
      ),
      gone: fc.boolean(),
    })
    .map(({ gone, ...one }) => ({ gone, object: parsed(nginxIngress(one)) }));
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 8 }), (edits) => {
      const fixed = [...around.map(parsed), parseSettings({ ingressNginx: {} }).settings];
      const store = compileAll(fixed);
      const left = new Map<string, KubeObject>();
      for (const { gone, object } of edits) {
        update(store, [gone ? { gone: object.ref } : object], platform);
        if (gone) left.delete(object.ref);
        else left.set(object.ref, object);
      }
      expect(dump(store)).toBe(dump(compileAll([...fixed, ...left.values()])));
    }),
    { numRuns: 500 },
  );
});

function parsed(manifest: object): KubeObject {
  const found = parseObject(manifest);
  if (!("object" in found)) throw new Error(JSON.stringify(found));
  return found.object;
}
