import { httpProxy, type Manifest } from "./backend.js";
import {
  action,
  base,
  each,
  host,
  ingress,
  lines,
  type Poison,
  root,
  route,
  tenant,
  v1beta1,
  web,
  wide,
} from "./poison.js";

const rewrites = [...lines.map((line) => `/${line}`), "javascript:alert(1)", "//evil.test", "\\9", ""];
const twice = (weight: number): Manifest[] => [web[0], web[0]].map((to) => ({ ...to, weight }));
const redirect = (fields: Manifest): readonly Manifest[] => action({ requestRedirectPolicy: fields });

export const actions: readonly Poison[] = [
  ...each("path rewrite", rewrites, (replacement) =>
    route({ pathRewritePolicy: { replacePrefix: [{ replacement }] } }),
  ),
  ...each("IngressRoute rewrite", rewrites, (prefixRewrite) => v1beta1({ prefixRewrite })),
  ...each("redirect path", rewrites, (path) => redirect({ path })),
  ...each("redirect prefix", rewrites, (prefix) => redirect({ prefix })),
  ...each("redirect host", ["a\r\nb", "evil.test/", "a b", "\ud800"], (hostname) => redirect({ hostname })),
  ...each("redirect scheme", ["javascript", "a\r\nb"], (scheme) => redirect({ scheme })),
  ...each("redirect port", ["0", "70000"], (port) => redirect({ port: Number(port) })),
  ...each("response body", ["x".repeat(5000), wide, "\ud800", "a\0b"], (body) =>
    action({ directResponsePolicy: { statusCode: 200, body } }),
  ),
  ...each("response status", ["99", "0", "600", "-1"], (status) =>
    action({ directResponsePolicy: { statusCode: Number(status) } }),
  ),
  {
    name: "response body from a file",
    objects: action({ directResponsePolicy: { statusCode: 200, filename: "/etc/hostname" } }),
  },
  ...each("weights", ["0", "4294967295", "4294967296", "-1"], (weight) =>
    route({ services: twice(Number(weight)) }),
  ),
  ...each("IngressRoute weights", ["0", "4294967295"], (weight) =>
    v1beta1({ services: twice(Number(weight)) }),
  ),
  ...each("tcpproxy weights", ["0", "4294967295"], (weight) => [
    ...base,
    root({ tcpproxy: { services: twice(Number(weight)) } }),
  ]),
  { name: "no services", objects: route({ services: [] }) },
];

const fqdns = [
  "*",
  "",
  "*.*.tenant.test",
  "a.*.tenant.test",
  "a b.tenant.test",
  "bücher.tenant.test",
  "a\r\nb.test",
];
const longHost = `${"a".repeat(63)}.`.repeat(4);
const odd = [
  ...fqdns,
  `${longHost}tenant.test`,
  "tenant..test",
  ".",
  "-",
  "Poison.TENANT.test",
  "tenant.test.",
];

export const hosts: readonly Poison[] = [
  ...each("HTTPProxy host", odd, (fqdn) => [
    ...base,
    root({ virtualhost: { fqdn, tls: { secretName: "good" } }, routes: [{ services: web }] }),
  ]),
  ...each("IngressRoute host", odd, (fqdn) => v1beta1({}, fqdn)),
  ...each("Ingress host", odd, (fqdn) => ingress({ path: "/" }, {}, fqdn)),
  {
    name: "one host in two spellings",
    objects: [...v1beta1({}, "Poison.Tenant.Test"), ...route({}), ...ingress({ path: "/" })],
  },
  {
    name: "one server name in two objects",
    objects: [
      ...route({}),
      httpProxy(tenant, "again", {
        virtualhost: { fqdn: host, tls: { secretName: "good" } },
        routes: [{ services: web }],
      }),
    ],
  },
  {
    name: "HTTPS and passthrough of one server name",
    objects: [
      ...ingress({ path: "/" }),
      root({ virtualhost: { fqdn: host, tls: { passthrough: true } }, tcpproxy: { services: web } }),
    ],
  },
  {
    name: "minimum TLS version over the maximum",
    objects: [
      ...base,
      root({
        virtualhost: {
          fqdn: host,
          tls: { secretName: "good", minimumProtocolVersion: "1.3", maximumProtocolVersion: "1.2" },
        },
        routes: [{ services: web }],
      }),
    ],
  },
];
