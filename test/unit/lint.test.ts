import { describe, expect, it } from "vitest";
import { lintFindings } from "../../src/lint/findings.js";
import { foreignRouteOf } from "../../src/lint/foreign-routes.js";
import { whyUnserved } from "../../src/lint/unserved.js";
import { type KubeObject, parseObject } from "../../src/schema/object.js";
import { parseSettings } from "../../src/schema/settings.js";
import { createMemoryStore } from "../../src/store/memory.js";
import { update } from "../../src/update.js";

const platform = { checkKeyPair: () => undefined };

function compiled(objects: readonly object[], settings: object) {
  const store = createMemoryStore();
  const parsed = objects.map((object): KubeObject => {
    const read = parseObject(object);
    if ("object" in read) return read.object;
    throw new Error(JSON.stringify(read));
  });
  const known = parseSettings(settings).settings;
  update(store, [known, ...parsed], platform);
  return { store, parsed, settings: known.spec };
}

/** The warnings about valid objects: `about path reason`. */
function lints(objects: readonly object[], settings: object = {}): string[] {
  const { store, settings: known } = compiled(objects, settings);
  return lintFindings(store, known).map(({ about, path, reason, severity }) => {
    expect(severity).toBe("warning");
    return `${about} ${path} ${reason}`;
  });
}

const proxy = (spec: object, metadata: object = {}) => ({
  apiVersion: "projectcontour.io/v1",
  kind: "HTTPProxy",
  metadata: { name: "web", namespace: "shop", ...metadata },
  spec: { virtualhost: { fqdn: "web.test" }, ...spec },
});
const ingress = (spec: object, metadata: object = {}) => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { name: "web", namespace: "shop", ...metadata },
  spec,
});
const services = [{ name: "web", port: 80 }];
const rule = (host: string, path = "/", pathType = "Prefix") => ({
  host,
  http: { paths: [{ path, pathType, backend: { service: { name: "web", port: { number: 80 } } } }] },
});

describe("an HTTPProxy", () => {
  it("has no finding when everything has an effect", () => {
    const policies = { timeoutPolicy: { response: "1s" }, retryPolicy: { count: 1 } };
    expect(lints([proxy({ routes: [{ services, ...policies }] })])).toEqual([]);
  });

  it.each([
    ["requestRedirectPolicy", { statusCode: 301, path: "/" }],
    ["directResponsePolicy", { statusCode: 200 }],
  ])("has a finding for each policy of backends beside %s", (answer, value) => {
    const policies = {
      timeoutPolicy: { response: "1s" },
      retryPolicy: { count: 1 },
      responseHeadersPolicy: { set: [{ name: "a", value: "b" }] },
      enableWebsockets: true,
      rateLimitPolicy: { global: { descriptors: [{ entries: [{ remoteAddress: {} }] }] } },
    };
    expect(lints([proxy({ routes: [{ [answer]: value, ...policies }] })])).toEqual([
      "HTTPProxy/shop/web spec.routes[0].enableWebsockets IgnoredField",
      "HTTPProxy/shop/web spec.routes[0].responseHeadersPolicy IgnoredField",
      "HTTPProxy/shop/web spec.routes[0].retryPolicy IgnoredField",
      "HTTPProxy/shop/web spec.routes[0].timeoutPolicy IgnoredField",
      "HTTPProxy/shop/web spec.routes[0].rateLimitPolicy.global IgnoredField",
    ]);
  });

  it.each([
    ["https://app.test/", true],
    ["https://App.test", true],
    ["https://app.test:443", true],
    ["http://app.test:80", true],
    ["https://*.app.test", true],
    ["app.test", true],
    ["https://app.test", false],
    ["https://app.test:8443", false],
    ["http://localhost:3000", false],
    ["*", false],
    ["null", false],
    ["https://.*\\.app\\.test", false],
    ["https?://app[.]test", false],
  ])("with the CORS origin %s: has a finding %s", (origin, isFound) => {
    const corsPolicy = { allowOrigin: [origin], allowMethods: ["GET"] };
    const found = lints([proxy({ virtualhost: { fqdn: "web.test", corsPolicy }, routes: [{ services }] })]);
    const path = "spec.virtualhost.corsPolicy.allowOrigin[0]";
    expect(found).toEqual(isFound ? [`HTTPProxy/shop/web ${path} OriginNeverMatches`] : []);
  });

  it("has a finding for credentials with every origin, for a fallback beside tcpproxy and for passthrough with routes", () => {
    const corsPolicy = { allowOrigin: ["*"], allowMethods: ["GET"], allowCredentials: true };
    expect(lints([proxy({ virtualhost: { fqdn: "web.test", corsPolicy }, routes: [{ services }] })])).toEqual(
      ["HTTPProxy/shop/web spec.virtualhost.corsPolicy.allowCredentials CredentialsForEveryOrigin"],
    );
    const tls = { secretName: "a", enableFallbackCertificate: true };
    expect(lints([proxy({ virtualhost: { fqdn: "web.test", tls }, tcpproxy: { services } })])).toEqual([
      "HTTPProxy/shop/web spec.virtualhost.tls.enableFallbackCertificate IgnoredField",
    ]);
    const passthrough = { passthrough: true };
    expect(
      lints([proxy({ virtualhost: { fqdn: "web.test", tls: passthrough }, routes: [{ services }] })]),
    ).toEqual(["HTTPProxy/shop/web spec.virtualhost.tls.passthrough IgnoredField"]);
  });
});

describe("an Ingress", () => {
  it("has a finding for each tls entry without effect", () => {
    const tls = [
      { hosts: ["a.test"] },
      { secretName: "cert" },
      { secretName: "cert", hosts: ["a.test", "b.test", "*.test"] },
      { secretName: "other", hosts: ["A.test"] },
    ];
    expect(lints([ingress({ tls, rules: [rule("a.test")] })])).toEqual([
      "Ingress/shop/web spec.tls[0] IgnoredField",
      "Ingress/shop/web spec.tls[1] IgnoredField",
      "Ingress/shop/web spec.tls[2].hosts[1] IgnoredField",
      "Ingress/shop/web spec.tls[2].hosts[2] IgnoredField",
      "Ingress/shop/web spec.tls[3].hosts[0] SeveralSecrets",
    ]);
  });

  it("may have a certificate for the host of another Ingress in its namespace", () => {
    const secure = ingress({ tls: [{ secretName: "cert", hosts: ["a.test"] }] }, { name: "secure" });
    expect(lints([secure, ingress({ rules: [rule("a.test")] })])).toEqual([]);
    expect(lints([secure, ingress({ rules: [rule("a.test")] }, { namespace: "other" })])).toEqual([
      "Ingress/shop/secure spec.tls[0].hosts[0] IgnoredField",
    ]);
  });

  it.each([
    ["Prefix", true],
    ["Exact", true],
    ["ImplementationSpecific", false],
  ])("with the path /* and pathType %s: has a finding %s", (pathType, isFound) => {
    const found = lints([ingress({ rules: [rule("a.test", "/app/*", pathType)] })]);
    expect(found).toEqual(
      isFound ? ["Ingress/shop/web spec.rules[0].http.paths[0].path LiteralWildcard"] : [],
    );
  });

  it("with another class has no finding", () => {
    const foreign = { ingressClassName: "nginx", tls: [{ hosts: ["a.test"] }], rules: [rule("a.test")] };
    const annotations = { "nginx.ingress.kubernetes.io/auth-url": "https://a.test" };
    expect(lints([ingress(foreign, { annotations })])).toEqual([]);
  });
});

describe("an annotation", () => {
  const found = (object: object): string[] =>
    lints([object]).map((text) => text.replace(/^\S+ metadata\.annotations/, ""));
  const served = (annotations: object) => ingress({ rules: [rule("a.test")] }, { annotations });

  it.each([
    ["projectcontour.io/response-timout", "1s", "UnknownAnnotation"],
    ["projectcontour.io/max-connections", "5", "AnnotationOfAnotherKind"],
    ["projectcontour.io/num-retries", "many", "AnnotationNotValid"],
    ["projectcontour.io/tls-minimum-protocol-version", "1.1", "AnnotationNotValid"],
    ["contour.heptio.com/tls-minimum-protocol-version", "1.1", "AnnotationNotValid"],
    ["ingress.kubernetes.io/force-ssl-redirect", "yes", "AnnotationNotValid"],
    ["nginx.ingress.kubernetes.io/whitelist-source-range", "10.0.0.0/8", "ForeignAnnotation"],
    ["nginx.ingress.kubernetes.io/auth-tls-secret", "a/b", "ForeignAnnotation"],
    ["alb.ingress.kubernetes.io/inbound-cidrs", "10.0.0.0/8", "ForeignAnnotation"],
    ["traefik.ingress.kubernetes.io/router.middlewares", "a-b@kubernetescrd", "ForeignAnnotation"],
    ["haproxy.org/allow-list", "10.0.0.0/8", "ForeignAnnotation"],
    ["isoline.dev/compression", "off", "AnnotationNotValid"],
    ["isoline.dev/compresion", "disabled", "UnknownAnnotation"],
  ])("%s: %s on an Ingress has the finding %s", (name, value, reason) => {
    expect(found(served({ [name]: value }))).toEqual([`["${name}"] ${reason}`]);
  });

  it.each([
    ["projectcontour.io/response-timeout", "infinity"],
    ["projectcontour.io/num-retries", "-1"],
    ["projectcontour.io/websocket-routes", "/ws"],
    ["isoline.dev/compression", "disabled"],
    ["kubernetes.io/ingress.class", "contour"],
    ["kubernetes.io/ingress.global-static-ip-name", "address"],
    ["nginx.ingress.kubernetes.io/proxy-body-size", "1m"],
    ["cert-manager.io/cluster-issuer", "letsencrypt"],
    ["external-dns.alpha.kubernetes.io/target", "a.test"],
  ])("%s: %s on an Ingress has no finding", (name, value) => {
    expect(found(served({ [name]: value }))).toEqual([]);
  });

  it("for an Ingress has no effect on an HTTPProxy, and the value of one for a Service is checked", () => {
    const annotations = { "projectcontour.io/response-timeout": "1s" };
    expect(found(proxy({ routes: [{ services }] }, { annotations }))).toEqual([
      '["projectcontour.io/response-timeout"] AnnotationOfAnotherKind',
    ]);
    const service = (name: string, value: string) => ({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "web", annotations: { [name]: value } },
      spec: { ports: [{ port: 80 }] },
    });
    expect(found(service("projectcontour.io/max-requests", "-5"))).toHaveLength(1);
    expect(found(service("isoline.dev/endpoints", "inlined"))).toHaveLength(1);
    expect(found(service("isoline.dev/endpoints", "inline"))).toEqual([]);
  });

  it("that Contour writes on its own Secrets has no finding there, and one on an Ingress", () => {
    const annotations = { "projectcontour.io/generated-by-version": "v1.30.0" };
    const secret = {
      apiVersion: "v1",
      kind: "Secret",
      type: "Opaque",
      metadata: { name: "web", annotations },
    };
    expect(found(secret)).toEqual([]);
    expect(found(served(annotations))).toEqual([
      '["projectcontour.io/generated-by-version"] AnnotationOfAnotherKind',
    ]);
  });
});

describe("an object that is not served", () => {
  const route = (name: string, parentRefs?: object[]) => ({
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "HTTPRoute",
    metadata: { name, namespace: "shop" },
    spec: { ...(parentRefs ? { parentRefs } : {}), hostnames: ["a.test"], rules: [] },
  });
  const gateway = {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "Gateway",
    metadata: { name: "edge", namespace: "infra" },
    spec: { gatewayClassName: "a", listeners: [{ name: "http", port: 80, protocol: "HTTP" }] },
  };
  const gatewayClass = {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "GatewayClass",
    metadata: { name: "a" },
    spec: { controllerName: "a.test/b" },
  };
  const gatewayRef = { namespace: "infra", name: "edge" };

  it("is reported with the reason: no class when the settings require one", () => {
    const classless = ingress({ rules: [rule("a.test")] });
    expect(lints([classless], { ingressClassNames: ["edge"] })).toEqual([
      "Ingress/shop/web spec ClassNotServed",
    ]);
    expect(lints([classless])).toEqual([]);
  });

  it("is reported with the reason: the parents of a route", () => {
    const parent = { name: "edge", namespace: "infra" };
    const objects = [
      gateway,
      gatewayClass,
      route("good", [parent]),
      route("misspelt", [{ name: "edgee", namespace: "infra" }]),
      route("namespace", [{ name: "edge" }]),
      route("none"),
      route("service", [{ kind: "Service", group: "", name: "web" }]),
    ];
    expect(lints(objects, { gatewayRef })).toEqual([
      "HTTPRoute/shop/misspelt spec.parentRefs NoMatchingParent",
      "HTTPRoute/shop/namespace spec.parentRefs NoMatchingParent",
      "HTTPRoute/shop/none spec NoParent",
      "HTTPRoute/shop/service spec.parentRefs NoMatchingParent",
    ]);
  });

  it("is reported once for settings without a Gateway, or with a missing one", () => {
    const objects = [gateway, route("a", [{ name: "edge", namespace: "infra" }]), route("b")];
    expect(lints(objects)).toEqual(["Settings//isoline gatewayRef NoGateway"]);
    expect(lints([route("a", [{ name: "edge", namespace: "infra" }])], { gatewayRef })).toEqual([
      "Settings//isoline gatewayRef GatewayNotFound",
    ]);
    // A missing GatewayClass is reported for the Gateway.
    expect(lints(objects, { gatewayRef })).toEqual(["HTTPRoute/shop/b spec NoParent"]);
    expect(lints([proxy({ routes: [{ services }] })])).toEqual([]);
  });

  it("is counted and not reported when it is intended: another Gateway or class, an excluded kind, an idle object", () => {
    const other = { ...gateway, metadata: { name: "other", namespace: "infra" } };
    const foreign = ingress({ ingressClassName: "nginx", rules: [rule("a.test")] });
    const grpc = { ...route("grpc", [{ name: "edge" }]), kind: "GRPCRoute" };
    const idle = { routes: [{ services }], virtualhost: undefined };
    const green = proxy(idle, { annotations: { "isoline.dev/idle": "true" } });
    const objects = [gateway, gatewayClass, other, foreign, grpc, green];
    expect(lints(objects, { gatewayRef, disableFeatures: ["grpcroutes"] })).toEqual([]);
    expect(lints([proxy(idle)])).toEqual(["HTTPProxy/shop/web undefined Orphaned"]);
  });

  it("has a reason also when it is not reported", () => {
    const other = { ...gateway, metadata: { name: "other", namespace: "infra" } };
    const grpc = { ...route("grpc", [{ name: "edge" }]), kind: "GRPCRoute" };
    const { store, settings, parsed } = compiled([other, grpc], {
      gatewayRef,
      disableFeatures: ["grpcroutes"],
    });
    const reasons = parsed.map((object) => whyUnserved(object, store, settings)?.finding.reason);
    expect(reasons).toEqual(["OtherGateway", "KindLeftOut"]);
  });

  it("has a reason for a route of another API group, and the names of its hosts", () => {
    const match = "Host(`shop.test`) && PathPrefix(`/`)";
    const traefik = {
      apiVersion: "traefik.io/v1alpha1",
      kind: "IngressRoute",
      metadata: { name: "web", namespace: "shop" },
      spec: { routes: [{ match }] },
    };
    const { finding, hosts } = foreignRouteOf(traefik) ?? {};
    expect(finding).toMatchObject({ about: "IngressRoute/shop/web", reason: "OtherGroup" });
    expect([...(hosts ?? [])]).toEqual(["shop.test"]);
    expect(foreignRouteOf(proxy({}))).toBeUndefined();
  });
});

describe("an unknown value", () => {
  it.each([
    [
      "proxy",
      proxy({ routes: [{ services, loadBalancerPolicy: { strategy: "cookie" } }] }),
      "spec.routes[0].loadBalancerPolicy.strategy",
    ],
    [
      "TLS version",
      proxy({
        virtualhost: { fqdn: "web.test", tls: { secretName: "a", minimumProtocolVersion: "TLSv1.3" } },
        routes: [{ services }],
      }),
      "spec.virtualhost.tls.minimumProtocolVersion",
    ],
    [
      "TCP",
      proxy({ tcpproxy: { services, loadBalancerPolicy: { strategy: "LeastRequest" } } }),
      "spec.tcpproxy.loadBalancerPolicy.strategy",
    ],
  ])("is reported with its path: %s", (_, object, path) => {
    expect(lints([object])).toEqual([`HTTPProxy/shop/web ${path} UnknownValue`]);
  });

  it("is not reported when it is valid or absent", () => {
    const policies = ["RoundRobin", "WeightedLeastRequest", "Random", "Cookie", "RequestHash", ""].map(
      (strategy, i) => ({
        conditions: [{ prefix: `/${i}` }],
        services,
        loadBalancerPolicy: { strategy },
      }),
    );
    expect(lints([proxy({ routes: policies })])).toEqual([]);
  });
});
