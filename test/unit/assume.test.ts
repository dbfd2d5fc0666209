import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Assumption, compileAssuming } from "../../src/assume/assume.js";
import { ownedBy } from "../../src/assume/owners.js";
import { assumptionOf, formatAssumed } from "../../src/cli/assumptions.js";
import { hostUnit, isHostUnit } from "../../src/graph/core/keys.js";
import { checkKeyPair } from "../../src/platform/key-pair.js";
import { type KubeObject, parseObject } from "../../src/schema/object.js";
import { parseSettings } from "../../src/schema/settings.js";
import { readManifests } from "../../src/sources/files/objects.js";
import { createMemoryStore } from "../../src/store/memory.js";

const meta = { name: "web", namespace: "shop" };
const service = (name: string, port = 80) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { ...meta, name },
  spec: { ports: [{ port }] },
});
const proxy = (spec: object) => ({
  apiVersion: "projectcontour.io/v1",
  kind: "HTTPProxy",
  metadata: meta,
  spec: { virtualhost: { fqdn: "web.test" }, routes: [{ services: [{ name: "web", port: 80 }] }], ...spec },
});
const secured = proxy({
  virtualhost: {
    fqdn: "web.test",
    tls: { secretName: "cert", clientValidation: { caSecret: "ca", crlSecret: "crl" } },
  },
});
const ingress = {
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { ...meta, name: "blog" },
  spec: {
    tls: [{ hosts: ["blog.test"], secretName: "blog" }],
    rules: [
      {
        host: "blog.test",
        http: {
          paths: [
            { path: "/", pathType: "Prefix", backend: { service: { name: "blog", port: { name: "http" } } } },
          ],
        },
      },
    ],
  },
};

function compile(manifests: readonly object[], assumption: Partial<Assumption> = {}, settings: object = {}) {
  const store = createMemoryStore();
  const objects = manifests.map((manifest): KubeObject => {
    const read = parseObject(manifest);
    if ("object" in read) return read.object;
    throw new Error(JSON.stringify(read));
  });
  const owned = new Set(manifests.flatMap(ownedBy));
  const assumed = compileAssuming(
    store,
    { settings: parseSettings(settings).settings, objects },
    { checkKeyPair },
    { mode: "auto", isKnown: () => false, owned, ...assumption },
  );
  const findings = [...store.findings()].filter(({ severity }) => severity === "error");
  return { ...assumed, store, errors: findings.map(({ about, reason }) => `${about} ${reason}`) };
}

describe("assumed objects", () => {
  it("are the references to kinds without an object in the namespace, and all other objects compile", () => {
    const { refs, restricting, errors, store } = compile([secured, ingress]);
    expect(errors).toEqual([]);
    expect(refs).toEqual([
      "Secret/shop/blog",
      "Secret/shop/ca",
      "Secret/shop/cert",
      "Secret/shop/crl",
      "Service/shop/blog",
      "Service/shop/web",
    ]);
    expect(restricting).toEqual(["Secret/shop/ca", "Secret/shop/crl"]);
    const names = [...store.resources("filter-chain", "ingress_https")].map(({ name }) => name);
    expect(names).toEqual(["blog.test", "web.test"]);
  });

  it("give no findings about their placeholders: none about the names and dates of the certificate", () => {
    const { store } = compile([secured, ingress]);
    expect([...store.findings()]).toEqual([]);
  });

  it("exclude missing objects beside others of the same kind, because their names may be misspelt", () => {
    const { refs, errors } = compile([service("wbe"), proxy({})]);
    expect(refs).toEqual([]);
    expect(errors).toEqual(["HTTPProxy/shop/web ServiceUnresolvedReference"]);
  });

  it("are nothing with none, everything with all, and only the listed kinds with a list", () => {
    expect(compile([secured], { mode: "none" }).refs).toEqual([]);
    expect(compile([service("wbe"), secured], { mode: "all" }).errors).toEqual([]);
    const secrets = compile([secured], { mode: ["Secret"] });
    expect(secrets.refs).toEqual(["Secret/shop/ca", "Secret/shop/cert", "Secret/shop/crl"]);
    expect(secrets.errors).toEqual(["HTTPProxy/shop/web ServiceUnresolvedReference"]);
  });

  it("include known objects in every mode", () => {
    const { refs, errors } = compile([service("wbe"), proxy({})], {
      mode: "none",
      isKnown: (ref) => ref === "Service/shop/web",
    });
    expect([refs, errors]).toEqual([["Service/shop/web"], []]);
  });

  it("are never a delegation, an include or an ExtensionService", () => {
    const other = proxy({ virtualhost: { fqdn: "web.test", tls: { secretName: "certs/cert" } } });
    expect(compile([other], { mode: "all" }).errors).toEqual(["HTTPProxy/shop/web DelegationNotPermitted"]);
    const parent = proxy({ routes: [], includes: [{ name: "child" }] });
    expect(compile([parent], { mode: "all" }).errors).toEqual(["HTTPProxy/shop/web IncludeNotFound"]);
  });

  it("have the ports of their references, by number and by name, in any namespace", () => {
    const routes = [
      { services: [{ name: "web", port: 80 }] },
      { conditions: [{ prefix: "/a" }], services: [{ name: "web", port: 8080 }] },
    ];
    const grant = {
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "HTTPRoute",
      metadata: { name: "r", namespace: "gw" },
      spec: {
        parentRefs: [{ name: "edge", namespace: "infra" }],
        hostnames: ["r.test"],
        rules: [{ backendRefs: [{ name: "r", port: 81 }] }],
      },
    };
    const { errors, store } = compile([proxy({ routes }), ingress, grant]);
    expect(errors).toEqual([]);
    expect([...store.resources("cluster")].map(({ name }) => name.replace(/\/[0-9a-f]{16}$/, ""))).toEqual([
      "gw/r/81",
      "isoline/none",
      "shop/blog/60000",
      "shop/web/80",
      "shop/web/8080",
    ]);
  });
});

describe("a Gateway that the manifests lack", () => {
  const route = (name: string, parent: object, kind = "HTTPRoute") => ({
    apiVersion: kind === "TCPRoute" ? "gateway.networking.k8s.io/v1alpha2" : "gateway.networking.k8s.io/v1",
    kind,
    metadata: { name, namespace: "shop" },
    spec: {
      parentRefs: [parent],
      ...(kind === "TCPRoute" ? {} : { hostnames: [`${name}.test`] }),
      rules: [{ backendRefs: [{ name: "web", port: 80 }] }],
    },
  });
  const edge = { name: "edge", namespace: "infra" };

  it("is assumed from the references of routes, and serves routes and other objects", () => {
    const routes = [
      route("a", edge),
      route("b", { ...edge, sectionName: "https-web" }),
      route("c", { ...edge, port: 8080 }),
      route("t", { ...edge, sectionName: "db" }, "TCPRoute"),
      route("other", { name: "internal", namespace: "infra" }),
    ];
    const { refs, settings, errors, store } = compile([...routes, proxy({})]);
    expect(errors).toEqual([]);
    expect(settings.spec.gatewayRef).toEqual({ namespace: "infra", name: "edge" });
    expect(refs).toEqual(["Gateway/infra/edge", "Service/shop/web"]);
    const hosts = [...store.units()].filter(
      ({ unit, resources }) => isHostUnit(unit) && resources.length > 0,
    );
    expect(hosts.map(({ unit }) => unit).sort()).toEqual([
      hostUnit("a.test"),
      hostUnit("b.test"),
      hostUnit("c.test"),
      hostUnit("web.test"),
    ]);
  });

  it("is the one in the settings, if they name one; a Gateway in the manifests is not served without the setting", () => {
    const gatewayRef = { namespace: "infra", name: "internal" };
    expect(compile([route("a", edge)], {}, { gatewayRef }).refs).toContain("Gateway/infra/internal");
    const gateway = {
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "Gateway",
      metadata: edge,
      spec: {
        gatewayClassName: "c",
        listeners: [
          { name: "http", port: 80, protocol: "HTTP", allowedRoutes: { namespaces: { from: "All" } } },
        ],
      },
    };
    expect(compile([gateway, route("a", edge)]).settings.spec.gatewayRef).toBeUndefined();
    const served = compile([gateway, route("a", edge)], {}, { gatewayRef: edge });
    expect(served.errors).toEqual([]);
    expect(served.refs).toEqual(["Service/shop/web"]);
    expect(compile([gateway, route("a", edge)], { mode: "none" }, { gatewayRef: edge }).errors).toContain(
      "Gateway/infra/edge InvalidParameters",
    );
  });
});

describe("an object that another manifest creates", () => {
  it.each([
    [
      { apiVersion: "cert-manager.io/v1", kind: "Certificate", metadata: meta, spec: { secretName: "cert" } },
      ["Secret/shop/cert"],
    ],
    [
      {
        apiVersion: "external-secrets.io/v1",
        kind: "ExternalSecret",
        metadata: meta,
        spec: { target: { name: "cert" } },
      },
      ["Secret/shop/cert"],
    ],
    [
      { apiVersion: "external-secrets.io/v1beta1", kind: "ExternalSecret", metadata: meta, spec: {} },
      ["Secret/shop/web"],
    ],
    [{ apiVersion: "bitnami.com/v1alpha1", kind: "SealedSecret", metadata: meta }, ["Secret/shop/web"]],
    [
      {
        kind: "Kustomization",
        apiVersion: "kustomize.config.k8s.io/v1beta1",
        namespace: "shop",
        secretGenerator: [{ name: "a" }],
        configMapGenerator: [{ name: "b", namespace: "c" }],
      },
      ["Secret/shop/a", "ConfigMap/c/b"],
    ],
    [
      { kind: "Component", apiVersion: "kustomize.config.k8s.io/v1alpha1", secretGenerator: [{ name: "a" }] },
      ["Secret//a"],
    ],
    [
      { ...ingress, metadata: { ...meta, annotations: { "cert-manager.io/cluster-issuer": "le" } } },
      ["Secret/shop/blog"],
    ],
    [ingress, []],
    ["no object", []],
    [{ kind: "Certificate", apiVersion: "cert-manager.io/v1", spec: 1, metadata: "x" }, []],
  ])("%j", (manifest, refs) => expect(ownedBy(manifest)).toEqual(refs));

  it("is assumed beside other objects of the same kind", () => {
    const certificate = {
      apiVersion: "cert-manager.io/v1",
      kind: "Certificate",
      metadata: meta,
      spec: { secretName: "cert" },
    };
    const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "other", namespace: "shop" } };
    const owned = new Set(ownedBy(certificate));
    const host = proxy({ virtualhost: { fqdn: "web.test", tls: { secretName: "cert" } } });
    expect(compile([secret, host], { owned }).errors).toEqual([]);
    expect(compile([secret, host]).errors).toEqual(["HTTPProxy/shop/web SecretNotValid"]);
  });
});

describe("the options of the command line", () => {
  const folder = mkdtempSync(join(tmpdir(), "isoline-assume-"));
  const known = (text: string): Assumption => {
    const file = join(folder, "known.txt");
    writeFileSync(file, text);
    return assumptionOf({ known: [file] }, readManifests([], []));
  };

  it("read a list of known objects", () => {
    const { isKnown } = known(
      "# all of the platform\nService/platform/*\nSecret/*/wildcard-tls # by cert-manager\n\n*/shop/a.b\n",
    );
    expect(isKnown("Service/platform/auth")).toBe(true);
    expect(isKnown("Service/platforms/auth")).toBe(false);
    expect(isKnown("Secret/shop/wildcard-tls")).toBe(true);
    expect(isKnown("Secret/shop/wildcard-tls-2")).toBe(false);
    expect(isKnown("Service/shop/a.b")).toBe(true);
    expect(isKnown("Service/shop/axb")).toBe(false);
  });

  it("name the file and line of what they can't read", () => {
    expect(() => known("Service/a/b\nService a b\n")).toThrow(
      /known\.txt:2: "Service a b" is not KIND\/NAMESPACE\/NAME/,
    );
    expect(() => assumptionOf({ known: [join(folder, "no")] }, readManifests([], []))).toThrow(
      /--known: ENOENT/,
    );
    expect(() => assumptionOf({ assumeMissing: "services,pods" }, readManifests([], []))).toThrow(
      /"pods" is not auto, none, all or one of/,
    );
    expect(assumptionOf({ assumeMissing: "services,Secret" }, readManifests([], [])).mode).toEqual([
      "Service",
      "Secret",
    ]);
  });

  it("print the assumed objects in one line, and those that restrict access in another", () => {
    const assumed = compile([secured]);
    expect(formatAssumed(assumed)).toEqual([
      "assumed to exist: 1 Service (shop/web), 3 Secrets (shop/ca, shop/cert, shop/crl)",
      "assumed objects that restrict access: Secret shop/ca, Secret shop/crl",
    ]);
    expect(formatAssumed({ ...assumed, refs: [], restricting: [] })).toEqual([]);
  });
});
