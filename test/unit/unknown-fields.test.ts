import { describe, expect, it } from "vitest";
import { z } from "zod";
import { fieldShapes, kindShapes } from "../../src/gen/fields.js";
import { delegationSpec } from "../../src/schema/delegation.js";
import { extensionServiceSpec } from "../../src/schema/extensionservice.js";
import {
  backendTlsPolicySpec,
  gatewayClassSpec,
  gatewaySpec,
  listenerSetSpec,
  referenceGrantSpec,
} from "../../src/schema/gateway.js";
import {
  grpcRouteSpec,
  httpRouteSpec,
  streamRouteSpec,
  tlsRouteSpec,
} from "../../src/schema/gateway-routes.js";
import { httpProxySpec } from "../../src/schema/httpproxy.js";
import { ingressSpec } from "../../src/schema/ingress.js";
import { ingressRouteSpec } from "../../src/schema/ingressroute.js";
import { parseObject } from "../../src/schema/object.js";
import { restrictingFields } from "../../src/schema/unknown-fields.js";
import { unsupported } from "../../src/schema/unsupported-fields.js";

const schemas = {
  HTTPProxy: httpProxySpec,
  IngressRoute: ingressRouteSpec,
  ExtensionService: extensionServiceSpec,
  TLSCertificateDelegation: delegationSpec,
  Ingress: ingressSpec,
  HTTPRoute: httpRouteSpec,
  GRPCRoute: grpcRouteSpec,
  TLSRoute: tlsRouteSpec,
  TCPRoute: streamRouteSpec,
  UDPRoute: streamRouteSpec,
  ListenerSet: listenerSetSpec,
  Gateway: gatewaySpec,
  GatewayClass: gatewayClassSpec,
  BackendTLSPolicy: backendTlsPolicySpec,
  ReferenceGrant: referenceGrantSpec,
};
type Kind = keyof typeof schemas;
const kinds = Object.keys(schemas) as Kind[];

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}

/** The paths of all fields that a schema reads, including fields of list entries. */
function readPaths(schema: JsonSchema, path: string): string[] {
  const parts = [...(schema.anyOf ?? []), ...(schema.allOf ?? []), ...(schema.oneOf ?? [])];
  if (schema.items) parts.push(schema.items);
  return [
    ...parts.flatMap((part) => readPaths(part, path)),
    ...Object.entries(schema.properties ?? {}).flatMap(([name, field]) => [
      `${path}.${name}`,
      ...readPaths(field, `${path}.${name}`),
    ]),
  ];
}

const pathsRead = (kind: Kind): Set<string> =>
  new Set(
    readPaths(z.toJSONSchema(schemas[kind], { io: "input", unrepresentable: "any" }) as JsonSchema, "spec"),
  );

/** The paths of all fields of the API below a shape. */
function apiPaths(shape: number, path: string): string[] {
  return Object.entries(fieldShapes[shape] ?? {}).flatMap(([name, child]) =>
    name === "*" ? [] : [`${path}.${name}`, ...apiPaths(child, `${path}.${name}`)],
  );
}

const specShape = (kind: Kind): number => fieldShapes[kindShapes[kind]]?.spec ?? 0;

/** Fields without meaning for routing, and fields whose readers refuse or report them. */
const unread: Readonly<Partial<Record<Kind, readonly string[]>>> = {
  Ingress: [
    "spec.backend.resource.apiGroup",
    "spec.defaultBackend.resource.apiGroup",
    "spec.rules.http.paths.backend.resource.apiGroup",
  ],
  HTTPRoute: ["spec.rules.filters.extensionRef", "spec.rules.backendRefs.filters.extensionRef"],
  GRPCRoute: ["spec.rules.filters.extensionRef", "spec.rules.backendRefs.filters.extensionRef"],
  TLSRoute: ["spec.rules.name"],
  TCPRoute: ["spec.rules.name"],
  UDPRoute: ["spec.rules.name"],
  Gateway: ["spec.listeners.tls.frontendValidation.caCertificateRefs"],
  GatewayClass: ["spec.description"],
};

/** Paths that a schema has only because it shares a part with another kind or field. */
const shared: Readonly<Partial<Record<Kind, RegExp>>> = {
  Ingress: /^spec\.(?:defaultBackend\.service(?:Name|Port)$|backend\.service(?:\.|$))/,
  GRPCRoute: /\.filters\.(?:requestRedirect|urlRewrite|cors|externalAuth)(?:\.|$)/,
  Gateway: /^spec\.labels$/,
  ListenerSet: /\.tls\.frontendValidation$/,
};

describe("the fields of each kind", () => {
  it.each(kinds)(
    "of %s are all that its schema reads, and those that are read, unsupported or listed here",
    (kind) => {
      const api = new Set(apiPaths(specShape(kind), "spec"));
      const read = pathsRead(kind);
      expect([...read].filter((path) => !api.has(path) && !shared[kind]?.test(path))).toEqual([]);
      const accounted = [...(unsupported[kind] ?? []), ...(unread[kind] ?? [])];
      for (const path of accounted) expect(api, path).toContain(path);
      const missing = [...api].filter(
        (path) => !read.has(path) && !accounted.some((one) => path === one || path.startsWith(`${one}.`)),
      );
      expect(missing).toEqual([]);
    },
  );

  it.each(Object.entries(restrictingFields))("of %s that restrict access exist", (kind, fields) => {
    const api = apiPaths(kindShapes[kind as Kind], "");
    for (const field of fields)
      expect(
        api.some((path) => path.endsWith(`.${field}`)),
        field,
      ).toBe(true);
  });
});

const findingsOf = (object: object) => {
  const parsed = parseObject(object);
  return { isServed: "object" in parsed, findings: parsed.findings };
};

const proxy = (spec: object) => ({
  apiVersion: "projectcontour.io/v1",
  kind: "HTTPProxy",
  metadata: { name: "web", namespace: "shop" },
  spec: { virtualhost: { fqdn: "web.test" }, ...spec },
});
const services = [{ name: "web", port: 80 }];

describe("a field that the kind does not have", () => {
  it.each([
    [
      "routes",
      { routes: [{ services, conditon: [] }] },
      "spec.routes[0].conditon",
      /did you mean conditions\?/,
    ],
    [
      "services",
      { routes: [{ services: [{ name: "web", port: 80, wieght: 3 }] }] },
      "spec.routes[0].services[0].wieght",
      /did you mean weight\?/,
    ],
    [
      "another level",
      { retryPolicy: { count: 1 } },
      "spec.retryPolicy",
      /HTTPProxy has spec\.routes\.retryPolicy/,
    ],
    [
      "a beginning",
      { routes: [{ services, timeouts: { response: "5s" } }] },
      "spec.routes[0].timeouts",
      /did you mean timeoutPolicy\?/,
    ],
    ["no name like it", { routes: [{ services, zzz: 1 }] }, "spec.routes[0].zzz", /it has no effect/],
    [
      "another case",
      { routes: [{ Services: services, services }] },
      "spec.routes[0].Services",
      /did you mean services\?/,
    ],
  ])("in %s is a warning at its own path", (_, spec, path, message) => {
    const { isServed, findings } = findingsOf(proxy(spec));
    expect(isServed).toBe(true);
    expect(findings).toEqual([
      expect.objectContaining({
        severity: "warning",
        reason: "UnknownField",
        path,
        message: expect.stringMatching(message),
      }),
    ]);
  });

  it.each([
    [
      "misspelt",
      { virtualhost: { fqdn: "web.test", ipAllowPolicies: [{ source: "Peer", cidr: "10.0.0.0/8" }] } },
    ],
    ["in another case", { routes: [{ services, IPDenyPolicy: [] }] }],
    ["at another level", { ipAllowPolicy: [{ source: "Peer", cidr: "10.0.0.0/8" }] }],
    ["in a service", { routes: [{ services: [{ name: "web", port: 80, authPolicy: {} }] }] }],
    [
      "inside of one that restricts",
      {
        virtualhost: {
          fqdn: "web.test",
          jwtProviders: [{ name: "a", issuerr: "b", remoteJWKS: { uri: "https://a.test/k" } }],
        },
      },
    ],
    [
      "inside of a provider's list",
      {
        virtualhost: {
          fqdn: "web.test",
          jwtProviders: [{ name: "a", audience: ["b"], remoteJWKS: { uri: "https://a.test/k" } }],
        },
      },
    ],
    [
      "client certificates",
      { virtualhost: { fqdn: "web.test", tls: { secretName: "a", clientvalidation: { caSecret: "b" } } } },
    ],
    ["rate limits", { virtualhost: { fqdn: "web.test", ratelimitPolicy: {} } }],
  ])("that may restrict access (%s) is an error, and the object is not served", (_, spec) => {
    const { isServed, findings } = findingsOf(proxy(spec));
    expect(isServed).toBe(false);
    expect(findings[0]).toMatchObject({ severity: "error", reason: "UnknownField" });
  });

  it.each([
    [
      "virtualhost",
      ["auth", "authz", "externalAuth", "extAuth", "jwt", "OIDC", "basic-auth", "globalRateLimit"],
    ],
    ["virtualhost", ["ipWhitelist", "ipFilterPolicy", "whitelistSourceRange", "allowedIPs", "denied_cidrs"]],
    ["tls", ["mtls", "clientCertificate", "caSecret", "validation", "client-ca"]],
  ])("in %s is an error when its name suggests a restriction of access: %j", (level, names) => {
    for (const name of names) {
      const tls = { secretName: "a", ...(level === "tls" ? { [name]: {} } : {}) };
      const host = { fqdn: "web.test", tls, ...(level === "tls" ? {} : { [name]: {} }) };
      const { isServed, findings } = findingsOf(proxy({ virtualhost: host, routes: [{ services }] }));
      expect(isServed, name).toBe(false);
      expect(findings[0]?.message, name).toMatch(/[.?] It may be meant to restrict access/);
    }
    for (const name of ["author", "authority", "allowance", "clientele", "description"])
      expect(findingsOf(proxy({ [name]: "a", routes: [{ services }] })).isServed, name).toBe(true);
    for (const kind of ["IngressRoute", "HTTPRoute", "Ingress"]) {
      const apiVersion = {
        IngressRoute: "contour.heptio.com/v1beta1",
        HTTPRoute: "gateway.networking.k8s.io/v1",
        Ingress: "networking.k8s.io/v1",
      }[kind];
      const spec = {
        ipAllowPolicy: [],
        ...(kind === "IngressRoute" ? { virtualhost: { fqdn: "a.test" } } : {}),
      };
      expect(findingsOf({ apiVersion, kind, metadata: { name: "a" }, spec }).isServed, kind).toBe(false);
    }
  });

  it("is reported for metadata and the object itself, not for labels, annotations, status and data", () => {
    const object = {
      ...proxy({ routes: [{ services }] }),
      status: { anything: 1 },
      sepc: {},
      metadata: {
        name: "web",
        namespace: "shop",
        labels: { any: "a" },
        annotations: { any: "b" },
        lables: {},
      },
    };
    expect(
      findingsOf(object)
        .findings.map(({ path }) => path)
        .sort(),
    ).toEqual(["metadata.lables", "sepc"]);
    const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "a" }, data: { any: "YQ==" } };
    expect(findingsOf(secret).findings).toEqual([]);
  });

  it("is not reported for fields of beta versions and of built-in kinds", () => {
    const backend = { serviceName: "web", servicePort: 80 };
    const ingress = {
      apiVersion: "networking.k8s.io/v1beta1",
      kind: "Ingress",
      metadata: { name: "a" },
      spec: { backend, rules: [{ http: { paths: [{ backend }] } }] },
    };
    expect(findingsOf(ingress).findings).toEqual([]);
    const service = {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "a", ownerReferences: [{ uid: "u" }] },
      spec: {
        selector: { any: "a" },
        sessionAffinityConfig: { clientIP: { timeoutSeconds: 1 } },
        ports: [{ port: 80, nodePort: 30000 }],
      },
    };
    expect(findingsOf(service).findings).toEqual([]);
  });

  it("is only counted above 20 per object, errors first", () => {
    const many = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`zz${i}`, 1]));
    const { findings } = findingsOf(proxy({ ...many, routes: [{ services, authPolicies: {} }] }));
    expect(findings).toHaveLength(21);
    expect(findings[0]).toMatchObject({ severity: "error" });
    expect(findings.at(-1)?.message).toBe("has 11 more unknown fields");
  });
});

describe("parts of the Gateway API that are not supported", () => {
  it("give a warning at each field", () => {
    const policy = {
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "BackendTLSPolicy",
      metadata: { name: "a", namespace: "shop" },
      spec: {
        targetRefs: [{ group: "", kind: "Service", name: "app" }],
        validation: { wellKnownCACertificates: "System", hostname: "a.test" },
        options: { "example.com/a": "1" },
      },
    };
    const { isServed, findings } = findingsOf(policy);
    expect(isServed).toBe(true);
    expect(findings.map(({ reason, path }) => [reason, path])).toEqual([
      ["UnsupportedField", "spec.options"],
    ]);
  });
});
