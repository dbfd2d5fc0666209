import { describe, expect, it } from "vitest";
import { httpProxy, ingressRoute, type Manifest, service, tlsSecret } from "../support/backend.js";
import { compileAll, parseCase } from "../support/compile.js";

const services = [{ name: "a", port: 80 }];
const base = [
  ...["shop", "evil", "edge"].map((namespace) => service(namespace, "a")),
  tlsSecret("evil", "secure"),
  tlsSecret("edge", "secure"),
  tlsSecret("shop", "secure"),
];
const annotation = "isoline.dev/included-by";

const annotated = (object: Manifest, includedBy: string | undefined): Manifest => ({
  ...object,
  metadata: {
    ...(object.metadata as Manifest),
    annotations: includedBy === undefined ? {} : { [annotation]: includedBy },
  },
});

interface Form {
  readonly form: string;
  /** A root at `<namespace>/root` that includes an object. */
  root(namespace: string, target: string, name: string): Manifest;
  /** An object between a root and a child. */
  middle(namespace: string, name: string, target: string, targetName: string): Manifest;
  child(namespace: string, name: string): Manifest;
}

const virtualhost = { fqdn: "web.test", tls: { secretName: "secure" } };
const forms: readonly Form[] = [
  {
    form: "an include",
    root: (namespace, target, name) =>
      httpProxy(namespace, "root", {
        virtualhost,
        routes: [{ conditions: [{ prefix: "/root" }], services }],
        includes: [{ namespace: target, name, conditions: [{ prefix: "/child" }] }],
      }),
    middle: (namespace, name, target, targetName) =>
      httpProxy(namespace, name, { includes: [{ namespace: target, name: targetName }] }),
    child: (namespace, name) => httpProxy(namespace, name, { routes: [{ services }] }),
  },
  {
    form: "the include of a tcpproxy",
    root: (namespace, target, name) =>
      httpProxy(namespace, "root", { virtualhost, tcpproxy: { include: { namespace: target, name } } }),
    middle: (namespace, name, target, targetName) =>
      httpProxy(namespace, name, { tcpproxy: { include: { namespace: target, name: targetName } } }),
    child: (namespace, name) => httpProxy(namespace, name, { tcpproxy: { services } }),
  },
  {
    form: "a delegation",
    root: (namespace, target, name) =>
      ingressRoute(namespace, "root", {
        virtualhost,
        routes: [
          { match: "/root", services },
          { match: "/child", delegate: { namespace: target, name } },
        ],
      }),
    middle: (namespace, name, target, targetName) =>
      ingressRoute(namespace, name, {
        routes: [{ match: "/child", delegate: { namespace: target, name: targetName } }],
      }),
    child: (namespace, name) => ingressRoute(namespace, name, { routes: [{ match: "/child", services }] }),
  },
  {
    form: "the delegation of a tcpproxy",
    root: (namespace, target, name) =>
      ingressRoute(namespace, "root", {
        virtualhost,
        routes: [],
        tcpproxy: { delegate: { namespace: target, name } },
      }),
    middle: (namespace, name, target, targetName) =>
      ingressRoute(namespace, name, { tcpproxy: { delegate: { namespace: target, name: targetName } } }),
    child: (namespace, name) => ingressRoute(namespace, name, { tcpproxy: { services } }),
  },
];

/** Whether the backends of `shop` are reached, and the findings. */
function serve(
  objects: readonly Manifest[],
  settings: Manifest = {},
): { reached: boolean; told: readonly string[] } {
  const text = [...base, ...objects].map((one) => JSON.stringify(one)).join("\n---\n");
  const store = compileAll(parseCase(text, JSON.stringify(settings)).objects);
  const reached = [...store.resources("cluster")].some(({ name }) => name.startsWith("shop/a/"));
  const told = [...store.findings()]
    .filter(({ severity }) => severity === "error")
    .map(({ about, reason }) => `${about} ${reason}`);
  return { reached, told: [...new Set(told)] };
}

describe.each(forms)("$form", ({ root, middle, child }) => {
  const kind = (child("shop", "child").kind as string) ?? "";
  it.each<[string, string | undefined, boolean]>([
    ["without the annotation", undefined, true],
    ["by a namespace", "evil", true],
    ["by a name", "evil/root", true],
    ["in a list with blanks", " edge , evil/root ", true],
    ["for all", "*", true],
    ["for another namespace", "edge", false],
    ["for another name", "evil/other", false],
    ["for a namespace that begins so", "evi", false],
  ])("%s", (_, includedBy, allowed) => {
    const { reached, told } = serve([
      root("evil", "shop", "child"),
      annotated(child("shop", "child"), includedBy),
    ]);
    expect(reached).toBe(allowed);
    expect(told).toEqual(allowed ? [] : [`${kind}/evil/root IncludeNotPermitted`]);
  });

  it.each(["", ",", "evil,", "evil/root/x", "evil root", "*,evil", "Evil", "evil/", "/root", "evil;edge"])(
    "an annotation that can't be read lets none in: %j",
    (includedBy) => {
      for (const namespace of ["evil", "shop"]) {
        const { reached, told } = serve([
          root(namespace, "shop", "child"),
          annotated(child("shop", "child"), includedBy),
        ]);
        // A root in `shop` routes to that backend directly.
        if (namespace === "evil") expect(reached).toBe(false);
        expect([...told].sort()).toEqual(
          [`${kind}/${namespace}/root IncludeNotPermitted`, `${kind}/shop/child AnnotationNotValid`].sort(),
        );
      }
    },
  );

  it("an object of the same namespace needs no entry", () => {
    expect(serve([root("shop", "shop", "child"), annotated(child("shop", "child"), "edge")])).toEqual({
      reached: true,
      told: [],
    });
  });

  it("applies to all objects of the include chain", () => {
    const limited = annotated(child("shop", "child"), "edge");
    const throughOpen = serve([
      root("evil", "shop", "open"),
      middle("shop", "open", "shop", "child"),
      limited,
    ]);
    expect(throughOpen).toEqual({ reached: false, told: [`${kind}/shop/open IncludeNotPermitted`] });
    const throughListed = serve([
      root("evil", "edge", "listed"),
      middle("edge", "listed", "shop", "child"),
      limited,
    ]);
    expect(throughListed.reached).toBe(false);
    expect(
      serve([root("edge", "shop", "open"), middle("shop", "open", "shop", "child"), limited]).reached,
    ).toBe(true);
  });

  it("the setting requireIncludedBy requires it across namespaces", () => {
    const settings = { requireIncludedBy: true };
    const open = child("shop", "child");
    expect(serve([root("evil", "shop", "child"), open], settings)).toEqual({
      reached: false,
      told: [`${kind}/evil/root IncludeNotPermitted`],
    });
    expect(serve([root("shop", "shop", "child"), open], settings)).toEqual({ reached: true, told: [] });
    expect(serve([root("edge", "shop", "child"), annotated(open, "edge")], settings)).toEqual({
      reached: true,
      told: [],
    });
    const middleOfShop = annotated(middle("shop", "open", "shop", "child"), "edge");
    expect(serve([root("edge", "shop", "open"), middleOfShop, open], settings).reached).toBe(true);
  });
});

it("a refused include responds with 502 under its conditions, like one without a target", () => {
  const [include] = forms;
  const objects = include
    ? [include.root("evil", "shop", "child"), annotated(include.child("shop", "child"), "edge")]
    : [];
  const text = [...base, ...objects].map((one) => JSON.stringify(one)).join("\n---\n");
  const [host] = [...compileAll(parseCase(text).objects).resources("virtual-host", "ingress_https")];
  expect(host?.json).toContain('"status":502');
});

it("a chain that is too long causes no error for another namespace's child at its end", () => {
  const chain = Array.from({ length: 63 }, (_, i) =>
    httpProxy("evil", `c${i}`, {
      includes: [i < 62 ? { name: `c${i + 1}` } : { namespace: "shop", name: "child" }],
    }),
  );
  const root = httpProxy("evil", "root", { virtualhost, includes: [{ name: "c0" }] });
  const { told } = serve([root, ...chain, httpProxy("shop", "child", { routes: [{ services }] })]);
  expect(told).toEqual(["HTTPProxy/evil/c62 IncludeCreatesCycle"]);
});
