import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { rbac } from "../../src/deploy/rbac.js";
import { resourcesOf } from "../../src/kubernetes/resources.js";
import { lintFindings } from "../../src/lint/findings.js";
import { readSnippet as readForConversion } from "../../src/migrate/readers/nginx/snippets.js";
import { nginxAnnotations } from "../../src/schema/ingress-nginx.js";
import { nginxOptions } from "../../src/schema/ingress-nginx-options.js";
import { readSnippet } from "../../src/schema/nginx-snippet.js";
import { parseNginx } from "../../src/schema/nginx-syntax.js";
import { parseSettings } from "../../src/schema/settings.js";
import { inDialect } from "../../src/xds/dialect.js";
import { certificateFile, hostProxy, type Manifest, secret, service, tlsSecret } from "../support/backend.js";
import { compileAll, parseCase } from "../support/compile.js";
import { explainer } from "../support/explain.js";
import { type NginxIngress, nginxIngress } from "../support/nginx-probes.js";
import { configurationSnippets, serverSnippets } from "../support/nginx-snippet-sample.js";

const later = "2026-06-01T00:00:00Z";
const services = ["default", "other"].flatMap((namespace) =>
  ["web", "api", "auth"].map((name) => service(namespace, name)),
);

interface Shown {
  readonly match: Readonly<Record<string, unknown>>;
  readonly route?: { readonly cluster?: string };
  readonly direct_response?: { readonly status: number };
}

function compileThese(
  ingresses: readonly NginxIngress[],
  others: readonly Manifest[] = [],
  settings: Manifest = { ingressNginx: {} },
) {
  const manifests = [
    ...services,
    tlsSecret("default", "secure"),
    tlsSecret("other", "secure"),
    ...others,
    ...ingresses.map(nginxIngress),
  ];
  const { objects, findings } = parseCase(
    manifests.map((one) => stringify(one)).join("---\n"),
    stringify(settings),
  );
  expect(findings).toEqual([]);
  const store = compileAll(objects);
  const routes = (host: string, table = "ingress_http"): readonly Shown[] =>
    [...store.resources("virtual-host", table)]
      .filter(({ name }) => name === host)
      .flatMap(({ json }) => (JSON.parse(json) as { routes: readonly Shown[] }).routes);
  return {
    objects,
    store,
    routes,
    findings: [...store.findings()].map(({ severity, about, reason }) => `${severity} ${about} ${reason}`),
  };
}

const clusters = (routes: readonly Shown[]): unknown[] =>
  routes.map(
    ({ route, direct_response }) => route?.cluster?.replace(/\/[^/]*$/, "") ?? direct_response?.status,
  );

const owner: NginxIngress = { name: "owner", host: "a.test", tls: "secure" };
const guest = (rest: Partial<NginxIngress>): NginxIngress => ({
  name: "guest",
  namespace: "other",
  host: "a.test",
  created: later,
  paths: [{ path: "/guest" }],
  ...rest,
});

describe("Ingresses of class nginx", () => {
  it("are not served without the setting", () => {
    const { routes, findings } = compileThese([owner], [], {});
    expect(routes("a.test")).toEqual([]);
    expect(findings).toEqual([]);
  });

  it("are served for the classes of the setting, and HTTPProxies of these are not", () => {
    const proxy = hostProxy("b.test", "web");
    const { routes } = compileThese(
      [],
      [
        {
          ...nginxIngress(owner),
          spec: { ...(nginxIngress(owner).spec as object), ingressClassName: "edge" },
        },
        { ...proxy, spec: { ...(proxy.spec as object), ingressClassName: "edge" } },
      ],
      { ingressNginx: { classes: ["edge"] } },
    );
    expect(routes("a.test")).toHaveLength(1);
    expect(routes("b.test")).toEqual([]);
  });

  it("report annotations that are not known, and nothing else about them", () => {
    const { store, findings } = compileThese([
      { ...owner, annotations: { "rate-limit": "5", "whitelist-source-range": "10.0.0.0/8" } },
    ]);
    expect(findings.filter((one) => !one.includes("Certificate"))).toEqual([
      "warning Ingress/default/owner NginxAnnotationNoEffect",
    ]);
    expect(lintFindings(store, parseSettings({ ingressNginx: {} }).settings.spec)).toEqual([]);
  });
});

describe("a namespace that does not have the host", () => {
  it("adds paths, and takes none of the owner's by a regular expression", () => {
    const { routes, findings } = compileThese([
      owner,
      guest({ paths: [{ path: "/gues[a-z]" }, { path: "/plain" }], annotations: { "use-regex": "true" } }),
    ]);
    expect(routes("a.test").map(({ match }) => match)).toEqual([
      { path_separated_prefix: "/plain" },
      { prefix: "/" },
    ]);
    expect(findings).toContain("error Ingress/other/guest PathNotValid");
  });

  it("has no say over aliases, certificates, www, passthrough and client certificates", () => {
    const { routes, findings } = compileThese([
      { ...owner, tls: undefined } as NginxIngress,
      guest({
        tls: "secure",
        annotations: {
          "server-alias": "alias.test",
          "from-to-www-redirect": "true",
          "ssl-passthrough": "true",
          "auth-tls-secret": "other/ca",
        },
      }),
    ]);
    expect(clusters(routes("a.test"))).toEqual([503, "default/web/80"]);
    for (const host of ["alias.test", "www.a.test"]) expect(routes(host)).toEqual([]);
    expect(routes("a.test", "ingress_https")).toEqual([]);
    expect(findings).toContain("error Ingress/other/guest NginxAnnotationRefused");
    expect(
      findings.filter((one) => one === "warning Ingress/other/guest NginxAnnotationNoEffect"),
    ).toHaveLength(3);
  });

  it("takes no host by an alias", () => {
    const { routes } = compileThese(
      [
        {
          name: "mine",
          namespace: "other",
          host: "own.test",
          annotations: { "server-alias": "a.test,b.test" },
        },
        { ...owner, created: later },
      ],
      [hostProxy("b.test", "api")],
    );
    expect(clusters(routes("a.test"))).toEqual([expect.any(Object)].map(() => undefined));
    expect(clusters(routes("b.test"))).toEqual(["default/api/80"]);
  });

  it("takes no requests by a canary, nor by CORS from an HTTPProxy", () => {
    const canary = compileThese([
      owner,
      guest({ paths: [{ to: "api" }], annotations: { canary: "true", "canary-weight": "100" } }),
    ]);
    expect(canary.routes("a.test", "ingress_https").flatMap((route) => clusters([route]))).toEqual([
      "default/web/80",
    ]);
    const cors = compileThese(
      [
        guest({
          host: "b.test",
          paths: [{ to: "api" }],
          annotations: { "enable-cors": "true", "cors-allow-origin": "https://x.test" },
        }),
      ],
      [hostProxy("b.test", "web")],
    );
    expect(clusters(cors.routes("b.test"))[0]).toBe("default/web/80");
    expect(cors.routes("b.test")[0]?.match).toEqual({ prefix: "/" });
  });

  it("reaches no Secret and no Service of another", () => {
    const all: readonly Readonly<Record<string, string>>[] = [
      { "auth-type": "basic", "auth-secret": "default/pw" },
      { "auth-url": "http://auth.default.svc.cluster.local/" },
      { "proxy-ssl-secret": "default/secure", "backend-protocol": "HTTPS" },
    ];
    for (const annotations of all) {
      const { routes, findings } = compileThese(
        [guest({ annotations })],
        [secret("default", "pw", { auth: "u:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=" })],
      );
      expect(clusters(routes("a.test"))[0]).toBe(503);
      expect(findings).toContain("error Ingress/other/guest NginxAnnotationRefused");
    }
  });
});

describe("odd values", () => {
  it.each([
    "https://1.2.3.4.5/x",
    "https://a.test:99999/",
    "(",
    "$",
    "\u0000",
    "999999999",
    "-1",
    "x".repeat(9000),
  ])("never end the compilation of a host: %j", (text) => {
    const odd = Object.keys(nginxAnnotations).map(
      (name, i): NginxIngress => ({ name: `o${i}`, host: `h${i}.test`, annotations: { [name]: text } }),
    );
    const { findings } = compileThese(odd);
    expect(findings.filter((one) => one.includes("CompilerFault"))).toEqual([]);
  });
});

describe("client certificates", () => {
  it("close a host without a certificate of its own, which can't ask for them", () => {
    const ca = secret("default", "ca", { "ca.crt": certificateFile("ca.crt") });
    const annotations = { "auth-tls-secret": "default/ca", "ssl-redirect": "false" };
    const { routes, findings } = compileThese([{ name: "open", host: "a.test", annotations }], [ca]);
    expect(clusters(routes("a.test"))).toEqual([403]);
    expect(findings).toContain("error Ingress/default/open NginxAnnotationRefused");
    const secured = compileThese([{ name: "open", host: "a.test", tls: "secure", annotations }], [ca]);
    expect(clusters(secured.routes("a.test"))).toEqual([403]);
    expect(clusters(secured.routes("a.test", "ingress_https"))).toEqual(["default/web/80"]);
  });
});

describe("a path that is not served", () => {
  it("does not count as the same path of another Ingress", () => {
    const whitelist = { "whitelist-source-range": "10.0.0.0/8" };
    const bad = [{ path: "/a b" }];
    const { findings, routes } = compileThese([
      { name: "one", host: "a.test", paths: bad, annotations: whitelist },
      {
        name: "two",
        host: "a.test",
        created: later,
        paths: [...bad, { path: "/a" }],
        annotations: whitelist,
      },
    ]);
    expect(findings.filter((one) => one.includes("SameMatch"))).toEqual([]);
    // The closed part of the path stays closed, although a path of another Ingress has the same match.
    expect(clusters(routes("a.test"))).toEqual([503, 404]);
    const served = compileThese([owner, { ...owner, name: "later", created: later }]);
    expect(served.findings).toContain("warning Ingress/default/later SameMatch");
  });
});

describe("an Envoy before 1.37", () => {
  it("does not keep bodies that exceed the buffer of a connection, which it would refuse", () => {
    const textOf = (size: string, version?: { major: number; minor: number; patch: number }): string => {
      const { store } = compileThese([
        { name: "one", host: "a.test", annotations: { "proxy-body-size": size } },
      ]);
      const [{ json = "" } = {}] = [...store.resources("virtual-host", "ingress_http")];
      return inDialect(json, { xdsCluster: "isoline", ...(version ? { version } : {}) });
    };
    const older = { major: 1, minor: 36, patch: 4 };
    expect(textOf("8m")).toContain('"buffered_limit":8388608');
    expect(textOf("8m")).toContain('"request_body_buffer_limit":8388608');
    expect(textOf("8m", older)).not.toContain("buffered_limit");
    expect(textOf("8k", older)).toContain('"buffered_limit":8192');
    expect(textOf("17m")).not.toContain("buffered_limit");
  });
});

describe("the ConfigMaps of TCP and UDP services", () => {
  it("serve what is valid, and warn of each other entry", () => {
    const data = {
      "9000": "default/web:80",
      "9001": "other/web:80:PROXY",
      "9002": "default/missing:80",
      "9003": "default/web",
      "0": "default/web:80",
      "8080": "default/web:80",
    };
    const { store, findings } = compileThese(
      [],
      [{ apiVersion: "v1", kind: "ConfigMap", metadata: { namespace: "n", name: "tcp" }, data }],
      { ingressNginx: { tcpServicesConfigMap: "n/tcp", udpServicesConfigMap: "n/udp" } },
    );
    const listeners = [...store.resources("listener", "chains")].map(({ name }) => name);
    expect(listeners.filter((name) => name.startsWith("nginx-"))).toEqual([
      "nginx-tcp-9000",
      "nginx-tcp-9001",
    ]);
    expect(findings.filter((one) => one.endsWith("NginxOptionNoEffect"))).toHaveLength(4);
    expect(findings.filter((one) => one.endsWith("ConfigMapNotFound"))).toHaveLength(1);
  });
});

describe("options that Isoline does not read", () => {
  it("are findings with the reason, or close all Ingresses if they restrict access", () => {
    const configMap = (data: Readonly<Record<string, string>>) => ({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { namespace: "n", name: "c" },
      data,
    });
    const settings = { ingressNginx: { configMap: "n/c" } };
    const { store } = compileThese(
      [],
      [configMap({ "gzip-level": "5", "no-such-option": "x", "proxy-stream-timeout": "5s" })],
      settings,
    );
    expect([...store.findings()].map(({ message }) => message).sort()).toEqual([
      'option "gzip-level" of the ConfigMap has no effect: see the setting compression',
      'option "no-such-option" of the ConfigMap has no effect: Isoline does not read it',
      'option "proxy-stream-timeout" of the ConfigMap has no effect: nothing of nginx\'s stream module is read',
    ]);
    const closed = compileThese(
      [{ ...owner, tls: undefined } as NginxIngress],
      [configMap({ "global-auth-snippet": "x;" })],
      settings,
    );
    expect(clusters(closed.routes("a.test"))).toEqual([503]);
  });
});

describe("snippets", () => {
  it.each([
    ['more_set_headers "A: b" "C: d";', 2],
    ["add_header X y always;", 1],
    ["add_header X y;", 1],
    ["proxy_set_header X-A '';  # comment\n proxy_hide_header X-B;", 2],
    ["gzip on; server_tokens off;", 0],
    ["proxy_set_header Host $host; proxy_set_header Upgrade $http_upgrade;", 0],
    ["proxy_ssl_server_name on; proxy_ssl_name $host;", 2],
    ["deny 10.0.0.1; allow all;", 2],
    ["if ($http_x = 1) { return 403; }", 1],
    ['if ( $request_uri ~ "^/api/health" ) { return 403; }', 1],
    ["if ($scheme = http) { return 301 https://$host$request_uri; }", 1],
    ["rewrite ^(/dashboard)$ $1/ redirect;", 1],
    ["more_set_headers 'A: $http_x_y';", 1],
    ['more_set_headers "A: b\\"; deny all; #";', 1],
  ])("does what is certain of %s", (text, count) => {
    const { effects, unknown } = readSnippet(text, false);
    expect(unknown).toEqual([]);
    expect(effects).toHaveLength(count);
  });

  it.each([
    "satisfy any;",
    "if ($http_x = 1) { set $y 1; }",
    "if ($http_x) { return 403; }",
    "if ($uri ~ a.*|b) { return 403; }",
    "location /x { deny all; }",
    "more_set_headers 'A: $upstream_addr';",
    "more_set_headers -s 404 'A: b';",
    "proxy_set_header Host other.test;",
    "rewrite ^/a/(.*)$ /b/$1 last;",
    "rewrite ^/a[!-~]b$ /c permanent;",
    "return 403",
    "return 444;",
    "return 301 https://x.test$request_uri?a;",
    "more_set_headers 'A: b'; } location / {",
    "more_set_headers 'A: b'more;",
    "access_by_lua_block { ngx.exit(403) }",
    "limit_req zone=x;",
    "auth_basic off;",
  ])("reads nothing into %s", (text) => {
    expect(readSnippet(text, false).unknown).not.toEqual([]);
  });

  it("reads words as nginx does", () => {
    expect(parseNginx("a b\\.c 'd \\' e' \"f\\\\.g\" $h.i#j; # k\n l{m;}")).toEqual([
      { words: ["a", "b\\.c", "d ' e", "f\\.g", "$h.i#j"] },
      { words: ["l"], block: [{ words: ["m"] }] },
    ]);
    for (const text of ["a", "a;}", "a{b;", "'a;", "a 'b'c;", "{"]) expect(parseNginx(text)).toBeUndefined();
  });

  it("is read in the same way for a conversion", () => {
    const text = 'more_set_headers "A: b"; deny all; location / { return 403; }';
    expect(readForConversion(text).unknown).toEqual(["deny", "location {}"]);
    expect(readForConversion("a 'b'c;").unknown).toEqual(["text that is not nginx's syntax"]);
  });
});

describe("the ConfigMap", () => {
  const settings = parseSettings({ ingressNginx: { configMap: "ingress-nginx/controller" } }).settings.spec;

  it("is read by its name alone, and the role allows that", () => {
    const found = resourcesOf(settings).find(({ kind }) => kind === "ConfigMap");
    expect(found?.fieldSelector).toBe("metadata.name=controller");
    const role = rbac({
      namespace: "x",
      name: "isoline",
      gateway: false,
      ingressNginxConfigMap: "ingress-nginx/controller",
    }).find(({ kind }) => kind === "ClusterRole");
    expect(role?.rules).toContainEqual({
      apiGroups: [""],
      resources: ["configmaps"],
      resourceNames: ["controller"],
      verbs: ["list", "watch"],
    });
  });
});

describe("an explanation", () => {
  it("says of each route what stands before it, and of no other what a filter does for some", () => {
    const { objects } = compileThese(
      [
        { ...owner, tls: undefined } as NginxIngress,
        {
          name: "asking",
          host: "b.test",
          annotations: { "auth-url": "http://auth/check", "limit-rps": "5" },
        },
        { name: "closed", host: "c.test", annotations: { "auth-type": "basic", "auth-secret": "pw" } },
      ],
      [secret("default", "pw", { auth: "u:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=" })],
    );
    const explain = explainer(objects);
    const protectionsOf = (host: string) => explain("GET", `http://${host}/`).applied?.protections;
    expect(protectionsOf("a.test")).toEqual({});
    expect(protectionsOf("b.test")).toEqual({
      authorization: expect.stringContaining("default/auth") as string,
      localRateLimit: { requests: 5, seconds: 1 },
    });
    expect(protectionsOf("c.test")).toEqual({ password: true });
  });
});

describe("an Envoy without a path for the authorization service", () => {
  it("asks nobody, so that requests are refused", () => {
    const { store } = compileThese([{ ...owner, annotations: { "auth-url": 'http://auth/"x' } }]);
    expect([...store.findings()].map(({ reason }) => reason)).toContain("NginxAnnotationRefused");
    const asking = compileThese([{ ...owner, annotations: { "auth-url": "http://auth/check" } }]).store;
    for (const { json } of asking.resources("virtual-host", "ingress_https")) {
      const dialect = { xdsCluster: "isoline", version: { major: 1, minor: 39, patch: 0 } };
      expect(json).toContain('"path_override":"/check"');
      const older = inDialect(json, dialect);
      expect(older).not.toContain("path_override");
      expect(older).toContain('"cluster":"isoline.closed"');
      expect(inDialect(json, { xdsCluster: "isoline" })).toBe(json);
    }
  });
});

describe("docs/ingress-nginx.md", () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/ingress-nginx.md"), "utf8");
  const [, ofAnnotations = "", ofOptions = ""] = page.split(/^## (?:Annotations|Options of the ConfigMap)$/m);
  const rowsOf = (text: string): Record<string, string> =>
    Object.fromEntries(
      [...text.matchAll(/^\| `([a-z0-9-]+)` \| (exact|near|closed|none|harmless) \|/gm)].map(
        ([, name = "", effect = ""]) => [name, effect],
      ),
    );
  const effectsOf = (table: Readonly<Record<string, { readonly effect: string }>>): Record<string, string> =>
    Object.fromEntries(Object.entries(table).map(([name, { effect }]) => [name, effect]));

  it("has the effect of each annotation and option", () => {
    expect(rowsOf(ofAnnotations)).toEqual(effectsOf(nginxAnnotations));
    expect(rowsOf(ofOptions)).toEqual(effectsOf(nginxOptions));
  });

  /** Public repositories with an annotation, of 48. */
  const uses: Partial<Record<keyof typeof nginxAnnotations, number>> = {
    "proxy-body-size": 26,
    "backend-protocol": 19,
    "proxy-read-timeout": 18,
    "ssl-redirect": 17,
    "proxy-send-timeout": 14,
    "rewrite-target": 14,
    "proxy-buffer-size": 13,
    "configuration-snippet": 12,
    "auth-type": 10,
    "whitelist-source-range": 10,
    "auth-secret": 9,
    "force-ssl-redirect": 9,
    "proxy-connect-timeout": 9,
    "server-snippet": 9,
    "use-regex": 8,
    affinity: 7,
    "enable-cors": 6,
    "enable-modsecurity": 6,
    "modsecurity-snippet": 6,
    "proxy-buffering": 6,
    "session-cookie-name": 6,
    "ssl-passthrough": 6,
    "auth-realm": 5,
    "proxy-request-buffering": 5,
    "cors-allow-headers": 4,
    "cors-allow-origin": 4,
    "limit-rps": 4,
    "proxy-buffers-number": 4,
    "service-upstream": 4,
    "session-cookie-max-age": 4,
    "upstream-vhost": 4,
    "affinity-mode": 3,
    "cors-allow-credentials": 3,
    "custom-http-errors": 3,
    "session-cookie-expires": 3,
    "session-cookie-path": 3,
    "app-root": 2,
    "auth-response-headers": 2,
    "auth-signin": 2,
    "auth-tls-pass-certificate-to-upstream": 2,
    "auth-tls-secret": 2,
    "auth-tls-verify-client": 2,
    "auth-tls-verify-depth": 2,
    "auth-url": 2,
    "cors-allow-methods": 2,
    "limit-connections": 2,
    "load-balance": 2,
    "permanent-redirect": 2,
    "proxy-http-version": 2,
    "upstream-hash-by": 2,
    "auth-cache-key": 1,
    "client-body-buffer-size": 1,
    "from-to-www-redirect": 1,
    "limit-rpm": 1,
    "proxy-ssl-secret": 1,
    "server-alias": 1,
    "x-forwarded-prefix": 1,
  };

  /** The share of snippets that are read completely; any other one is refused. */
  const shareOf = (snippets: readonly string[], ofServer: boolean) => {
    const read = snippets.filter((text) => readSnippet(text, ofServer).unknown.length === 0).length;
    return { read, all: snippets.length };
  };
  const snippetShares = {
    "configuration-snippet": shareOf(configurationSnippets, false),
    "server-snippet": shareOf(serverSnippets, true),
  };

  it("says how much of the use is served", () => {
    const shares = new Map<string, number>();
    const count = (effect: string, uses: number): void =>
      void shares.set(effect, (shares.get(effect) ?? 0) + uses);
    let total = 0;
    for (const [name, found] of Object.entries(uses)) {
      const { effect } = nginxAnnotations[name as keyof typeof nginxAnnotations];
      const { read, all } = snippetShares[name as keyof typeof snippetShares] ?? { read: 1, all: 1 };
      count(effect, (found * read) / all);
      count("closed", (found * (all - read)) / all);
      total += found;
    }
    const percent = (...effects: readonly string[]): number =>
      Math.round((effects.reduce((sum, effect) => sum + (shares.get(effect) ?? 0), 0) / total) * 100);
    const { "configuration-snippet": own, "server-snippet": ofServer } = snippetShares;
    expect(page).toContain(
      `${total} in all) ${percent("exact", "harmless")} % are exact or harmless, ${percent("near")} % near, ${percent("closed")} % closed and ${percent("none")} % without effect`,
    );
    expect(page).toContain(
      `${own.read} of ${own.all} configuration snippets and ${ofServer.read} of ${ofServer.all} server snippets`,
    );
    expect(percent("exact", "harmless", "near")).toBeGreaterThanOrEqual(90);
  });
});

describe("a rewrite names only groups that its expression has", () => {
  const rewritesOf = (one: NginxIngress) => {
    const configMap = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { namespace: "ingress-nginx", name: "c" },
      data: { "allow-snippet-annotations": "true" },
    };
    const { objects } = parseCase(
      [...services, configMap, nginxIngress(one)].map((manifest) => stringify(manifest)).join("---\n"),
      stringify({ ingressNginx: { configMap: "ingress-nginx/c" } }),
    );
    const json = [...compileAll(objects).resources("virtual-host", "ingress_http")].map((host) => host.json);
    return json.flatMap((text) =>
      [
        ...text.matchAll(
          /"regex_rewrite":(\{"pattern":\{"regex":"(?:[^"\\]|\\.)*"\},"substitution":"(?:[^"\\]|\\.)*"\})/g,
        ),
      ].map(([, found = ""]) => JSON.parse(found) as { pattern: { regex: string }; substitution: string }),
    );
  };
  const regexIngress = (path: string, target: string): NginxIngress => ({
    name: "odd",
    host: "odd.test",
    paths: [{ path, type: "ImplementationSpecific" }],
    annotations: { "use-regex": "true", "rewrite-target": target },
  });

  it.each<[string, NginxIngress, string | undefined]>([
    ["a quoted parenthesis", regexIngress("/\\Q(\\E(.*)", "/$2"), "/"],
    ["a parenthesis in a class", regexIngress("/[(](.*)", "/$1/$2"), "/\\1/"],
    ["a backslash in the target", regexIngress("/a(.*)", "/\\5"), undefined],
    [
      "a snippet with a group too many",
      {
        name: "odd",
        host: "odd.test",
        paths: [{ path: "/" }],
        annotations: { "configuration-snippet": "rewrite ^/a/(.*)$ /b/$5 permanent;" },
      },
      undefined,
    ],
    [
      "a snippet with a backslash",
      {
        name: "odd",
        host: "odd.test",
        paths: [{ path: "/" }],
        annotations: { "configuration-snippet": "rewrite ^/a/(.*)$ /b/\\5 permanent;" },
      },
      undefined,
    ],
  ])("%s", (_, one, substitution) => {
    const found = rewritesOf(one).filter(({ pattern }) => !pattern.regex.includes("^/$"));
    expect(found.map((rewrite) => rewrite.substitution)).toEqual(
      substitution === undefined ? [] : [substitution],
    );
  });
});
