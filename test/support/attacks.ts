import { httpProxy, type Manifest, secret, service } from "./backend.js";
import { backendRefs, gateway, gatewayRoute, onPort } from "./gateway.js";

/** Objects of one namespace with about this many bytes of JSON. */
export type Attack = (bytes: number) => readonly Manifest[];

const namespace = "attack";
const bytesOf = (objects: readonly unknown[]): number => JSON.stringify(objects).length;
const web = service(namespace, "web");
const services = [{ name: "web", port: 80 }];
const many = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: Math.max(1, Math.floor(count)) }, (_, i) => make(i));
/** As many values as fit into this many bytes, estimated from the size of one. */
const filling = <T>(bytes: number, make: (i: number) => T): T[] => many(bytes / bytesOf([make(100)]), make);

const host = (i: number, spec: Manifest): Manifest =>
  httpProxy(namespace, `host-${i}`, { virtualhost: { fqdn: `host-${i}.attack.test` }, ...spec });
const root = (i: number): Manifest => host(i, { includes: [{ name: "child" }] });
const child = (spec: Manifest, name = "child"): Manifest => httpProxy(namespace, name, spec);
const prefixes = (count: number, fields: Manifest = {}): Manifest[] =>
  many(count, (i) => ({ conditions: [{ prefix: `/p${i}` }], services, ...fields }));

/** An HTTPProxy with one route for each expression. */
const expressions =
  (expression: (i: number) => string): Attack =>
  (bytes) => [
    web,
    ...filling(bytes, (i) => host(i, { routes: [{ conditions: [{ regex: expression(i) }], services }] })),
  ];

const words = (i: number, count: number): string =>
  many(count, (j) => ((i * 7919 + j * 104_729) % 1_000_003).toString(36)).join("|");

/** The reference for comparison: hosts with three routes each. */
export const plain: Attack = (bytes) => [web, ...filling(bytes, (i) => host(i, { routes: prefixes(3) }))];

/** The PEM certificate of a test authority. */
const authority = `-----BEGIN CERTIFICATE-----
MIIBXzCCAQagAwIBAgIUR/cwUTUy3ipzZxJjeNglDgJocLMwCgYIKoZIzj0EAwIw
DTELMAkGA1UEAwwCY2EwIBcNMjYxMTI0MDQ0MDI3WhgPMjEyNjEwMzEwNDQwMjda
MA0xCzAJBgNVBAMMAmNhMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEFF+nHkuN
IQo6tN30NEhzgv1rG/YjANFq0SjKXc3iPnYFkYcoFb5BNtutOwW35BRq35zYdf57
IejiraDtRY6ZXaNCMEAwDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAQYw
HQYDVR0OBBYEFI317SMTTz49QhC4tTIJ+miZh2m+MAoGCCqGSM49BAMCA0cAMEQC
IBbvGfh8hTcxDgblqh6Hrah96v6EBl5+7bZ97OeMZhhBAiBq6q5bn4cRHRs+wTDX
+eqTWCV9ljIDHrEp/sO2A1tMVg==
-----END CERTIFICATE-----
`;

/** Small inputs that generate much output, each in another way. */
export const attacks: Readonly<Record<string, Attack>> = {
  "regex: repetitions": expressions((i) => `/r${i}${"a{990}".repeat(2)}`),
  "regex: nested repetitions": expressions((i) => `/r${i}((a{10}b){10}c){10}`),
  "regex: optional repetitions": expressions((i) => `/r${i}a{0,990}`),
  "regex: repeated classes": expressions((i) => `/r${i}[acegikmoqsuwy]{120}`),
  "regex: Unicode classes": expressions((i) => `/r${i}${"\\pL".repeat(18)}`),
  "regex: Unicode classes, case ignored": expressions((i) => `/r${i}(?i)${"\\pL".repeat(18)}`),
  "regex: case ignored": expressions((i) => `/r${i}(?i)${"[!-~]".repeat(600)}`),
  "regex: long text": expressions((i) => `/r${i}${"a".repeat(1900)}`),
  "regex: words": expressions((i) => `/r${i}(${words(i, 250)})`),
  "regex: optional characters": expressions((i) => `/r${i}${"a?".repeat(900)}`),
  "regex: anything": expressions((i) => `/r${i}${".*a".repeat(450)}`),
  "regex: too large": expressions((i) => `/r${i}${"\\pL{1000}".repeat(19)}`),
  "regex: not valid": expressions((i) => `/r${i}${"(a|b)*".repeat(100)}(`),
  "regex: usual": expressions((i) => `/api/v[0-9]+/r${i}/([a-z-]+)/items(/|$)(.*)`),
  "regex: many in one object": (bytes) => [
    web,
    host(0, {
      routes: many(bytes / 130, (i) => ({
        conditions: [{ regex: `/r${i}[acegikmoqsuwy]{120}(${"a?".repeat(9)})[^/]+` }],
        services,
      })),
    }),
  ],
  "regex: in a shared child": (bytes) => [
    web,
    child({
      routes: many(bytes / 600, (i) => ({
        conditions: [{ regex: `/r${i}${"\\pL{10}".repeat(1)}a{900}` }],
        services,
      })),
    }),
    ...filling(bytes / 2, root),
  ],
  "regex: origins": (bytes) => [
    web,
    ...filling(bytes, (i) =>
      httpProxy(namespace, `host-${i}`, {
        virtualhost: {
          fqdn: `host-${i}.attack.test`,
          corsPolicy: {
            allowMethods: ["GET"],
            allowOrigin: many(20, (j) => `https://a{${900 + j}}[a-z]{${i % 900}}`),
          },
        },
        routes: prefixes(1),
      }),
    ),
  ],
  "regex: paths of Ingresses": (bytes) => [
    web,
    ...filling(bytes, (i) => ({
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: { namespace, name: `host-${i}` },
      spec: {
        rules: [
          {
            host: `host-${i}.attack.test`,
            http: {
              paths: many(5, (j) => ({
                path: `/r${j}[a-z]{990}`,
                pathType: "ImplementationSpecific",
                backend: { service: { name: "web", port: { number: 80 } } },
              })),
            },
          },
        ],
      },
    })),
  ],
  "includes: a child shared by many hosts": (bytes) => [
    web,
    child({ routes: prefixes(bytes / 160) }),
    ...filling(bytes / 2, root),
  ],
  "includes: a lattice": (bytes) => [
    web,
    ...filling(bytes, (i) => {
      const includes = ["/a", "/b"].map((prefix) => ({
        name: `node-${i % 40 === 39 ? "end" : i + 1}`,
        conditions: [{ prefix }],
      }));
      return i % 40 === 0
        ? host(i, { includes: [{ name: `node-${i + 1}` }] })
        : child({ includes, routes: prefixes(1) }, `node-${i}`);
    }),
  ],
  "includes: a chain shared by many hosts": (bytes) => [
    web,
    ...filling(bytes / 2, (i) =>
      child({ routes: prefixes(1), includes: [{ name: `node-${i + 1}` }] }, i === 0 ? "child" : `node-${i}`),
    ),
    ...filling(bytes / 2, root),
  ],
  "includes: nothing, through one object": (bytes) => {
    const leaves = filling(bytes / 3, (i) => child({ includes: [] }, `leaf-${i}`));
    return [
      web,
      ...leaves,
      child({ includes: leaves.map((_, i) => ({ name: `leaf-${i}` })) }),
      ...filling(bytes / 3, root),
    ];
  },
  "includes: a circle with many members": (bytes) => {
    const count = bytes / 2 / 400;
    return [
      web,
      ...many(count, (i) =>
        child(
          {
            routes: prefixes(1),
            includes: many(4, (j) => ({
              name: (i + j + 1) % count < 1 ? "child" : `node-${(i + j + 1) % count}`,
            })),
          },
          i === 0 ? "child" : `node-${i}`,
        ),
      ),
      ...filling(bytes / 2, root),
    ];
  },
  "headers: long conditions of an include": (bytes) => [
    web,
    child({ routes: prefixes(bytes / 2 / 80) }),
    host(0, {
      includes: [
        {
          name: "child",
          conditions: many(bytes / 2 / 4100, (i) => ({
            header: { name: `x-${i}`, contains: "v".repeat(4000) },
          })),
        },
      ],
    }),
  ],
  "headers: policies of a shared child": (bytes) => [
    web,
    child({
      routes: prefixes(bytes / 2 / 4200, {
        requestHeadersPolicy: { set: many(4, (i) => ({ name: `x-${i}`, value: "v".repeat(1000) })) },
      }),
    }),
    ...filling(bytes / 2, root),
  ],
  "headers: of an HTTPRoute with many hosts and matches": (bytes) => [
    ...gateway(onPort(9080, "web", "HTTP")),
    service("default", "web"),
    ...filling(bytes, (i) =>
      gatewayRoute("HTTPRoute", `route-${i}`, {
        hostnames: many(16, (j) => `h${j}.route-${i}.attack.test`),
        rules: [
          {
            matches: many(64, (j) => ({ path: { value: `/${j}` } })),
            filters: [
              {
                type: "RequestHeaderModifier",
                requestHeaderModifier: {
                  set: many(16, (j) => ({ name: `x-${j}`, value: "v".repeat(2000) })),
                },
              },
            ],
            backendRefs: backendRefs("web"),
          },
        ],
      }),
    ),
  ],
  "secrets: one in many clusters": (bytes) => {
    const copies = authority.repeat(Math.min(60_000, bytes / 2) / authority.length);
    const names = many(bytes / 700, (i) => `web-${i}`);
    return [
      secret(namespace, "ca", { "ca.crt": copies }),
      ...names.map((name) => service(namespace, name)),
      host(0, {
        routes: names.map((name) => ({
          conditions: [{ prefix: `/${name}` }],
          services: [
            { name, port: 80, protocol: "tls", validation: { caSecret: "ca", subjectName: "web.test" } },
          ],
        })),
      }),
    ];
  },
  "findings: many invalid routes of one object": (bytes) => [
    host(0, {
      routes: many(bytes / 130, (i) => ({ conditions: [{ prefix: `p${i}` }], services })),
    }),
  ],
  "findings: invalid routes of a shared child": (bytes) => [
    child({ routes: many(bytes / 260, (i) => ({ conditions: [{ prefix: `p${i}` }], services })) }),
    ...filling(bytes / 2, root),
  ],
  "findings: long messages for a shared child": (bytes) => [
    child({
      routes: many(bytes / 2 / 4200, () => ({
        conditions: [{ header: { name: "x", regex: `${"a".repeat(4000)}(` } }],
        services,
      })),
    }),
    ...filling(bytes / 2, root),
  ],
};
