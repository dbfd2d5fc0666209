import { certificateFile, type Manifest, secret, service } from "./backend.js";
import { backendRefs, gatewayRoute } from "./gateway.js";

const group = "gateway.networking.k8s.io";
const header: Manifest = {
  set: [{ name: "x-a", value: "1" }],
  add: [{ name: "x-b", value: "2" }],
  remove: ["x-c"],
};
const modifiers: readonly Manifest[] = [
  { type: "RequestHeaderModifier", requestHeaderModifier: header },
  { type: "ResponseHeaderModifier", responseHeaderModifier: header },
];
const mirror: Manifest = {
  type: "RequestMirror",
  requestMirror: { backendRef: { name: "m", port: 80 }, percent: 50 },
};
const rewrite: Manifest = {
  type: "URLRewrite",
  urlRewrite: {
    hostname: "inside.test",
    path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/x" },
  },
};
const redirect: Manifest = {
  type: "RequestRedirect",
  requestRedirect: {
    scheme: "https",
    hostname: "new.test",
    port: 443,
    statusCode: 301,
    path: { type: "ReplaceFullPath", replaceFullPath: "/new" },
  },
};

/** The objects that the specimens refer to. */
export const gatewayBackground: readonly Manifest[] = [
  service("default", "m"),
  service("far", "b"),
  secret("default", "ca", { "ca.crt": certificateFile("ca.crt") }),
];

/** Routes, a grant and a policy that together use every field; all are valid. Names and hosts contain `id`. */
export function gatewaySpecimens(id: string): Manifest[] {
  const hostnames = [`h-${id}.test`, `*.w-${id}.test`];
  const object = (kind: string, version: string, namespace: string, spec: Manifest): Manifest => ({
    apiVersion: `${group}/${version}`,
    kind,
    metadata: { namespace, name: `s-${id}` },
    spec,
  });
  return [
    gatewayRoute("HTTPRoute", `h-${id}`, {
      hostnames,
      rules: [
        {
          matches: [
            {
              path: { type: "Exact", value: "/a" },
              headers: [{ type: "RegularExpression", name: "x-m", value: "a+" }],
              queryParams: [{ name: "q", value: "v" }],
              method: "GET",
            },
            { path: { type: "PathPrefix", value: "/p" } },
          ],
          filters: [...modifiers, mirror, rewrite],
          backendRefs: [
            { name: "m", port: 80, weight: 3, filters: modifiers },
            { group: "", kind: "Service", namespace: "far", name: "b", port: 80 },
          ],
          timeouts: { request: "10s", backendRequest: "5s" },
        },
        { filters: [redirect] },
      ],
    }),
    gatewayRoute("GRPCRoute", `g-${id}`, {
      hostnames,
      rules: [
        {
          matches: [
            {
              method: { type: "RegularExpression", service: "s", method: "m" },
              headers: [{ name: "a", value: "b" }],
            },
          ],
          filters: [...modifiers, mirror],
          backendRefs: backendRefs("m"),
        },
      ],
    }),
    gatewayRoute("TLSRoute", `t-${id}`, {
      hostnames: [`t-${id}.tls.test`],
      rules: [{ backendRefs: [{ name: "m", port: 80, weight: 1 }] }],
    }),
    gatewayRoute("TCPRoute", `z-${id}`, { rules: [{ backendRefs: [{ name: "m", port: 80, weight: 1 }] }] }),
    object("BackendTLSPolicy", "v1", "default", {
      targetRefs: [{ group: "", kind: "Service", name: "m", sectionName: `s-${id}` }],
      validation: {
        hostname: "a.test",
        caCertificateRefs: [{ group: "", kind: "Secret", name: "ca" }],
        subjectAltNames: [{ type: "Hostname", hostname: "a.test" }],
      },
    }),
    object("ReferenceGrant", "v1beta1", "far", {
      from: [{ group, kind: "HTTPRoute", namespace: "default" }],
      to: [{ group: "", kind: "Service", name: "b" }],
    }),
  ];
}
