import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startServer } from "../../src/runtime/node/serve.js";
import { customResourceDefinitions } from "../../src/schema/crds.js";
import type { StatusOptions } from "../../src/status/write/service.js";
import { httpProxy, type Manifest, service } from "../support/backend.js";
import { eventually } from "../support/envoy.js";
import { freePort, onLoopback } from "../support/http.js";
import { gatewayDefinition, kubeBinaries, startKube, type TestKube } from "../support/kube.js";

const binaries = await kubeBinaries();
if ("reason" in binaries)
  console.error(`isoline: tests with a real API server are skipped: ${binaries.reason}`);

const gatewayRef = { namespace: "default", name: "gateway" };

const ofGateway = (kind: string, name: string, spec: object): Manifest => ({
  apiVersion: "gateway.networking.k8s.io/v1",
  kind,
  metadata: { name, ...(kind === "GatewayClass" ? {} : { namespace: "default" }) },
  spec,
});
const gatewayClass = ofGateway("GatewayClass", "isoline", { controllerName: "isoline.dev/gateway" });
const gateway = ofGateway("Gateway", "gateway", {
  gatewayClassName: "isoline",
  listeners: [{ name: "http", port: 80, protocol: "HTTP" }],
});
const route = (name: string, ...parentRefs: readonly object[]): Manifest =>
  ofGateway("HTTPRoute", name, {
    parentRefs,
    hostnames: [`${name}.test`],
    rules: [{ backendRefs: [{ name: "app", port: 80 }] }],
  });
const proxy = (name: string, spec: object = {}, to = "app"): Manifest =>
  httpProxy("default", name, {
    virtualhost: { fqdn: `${name}.test` },
    routes: [{ services: [{ name: to, port: 80 }] }],
    ...spec,
  });
const ingress = (ingressClassName: string): Manifest => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { name: "ingress", namespace: "default" },
  spec: { ingressClassName, defaultBackend: { service: { name: "app", port: { number: 80 } } } },
});

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly observedGeneration: number;
  readonly errors?: readonly { readonly reason: string; readonly message: string }[];
}
interface Status {
  readonly currentStatus?: string;
  readonly conditions?: readonly Condition[];
  readonly loadBalancer?: { readonly ingress?: readonly object[] };
  readonly parents?: readonly {
    readonly controllerName: string;
    readonly conditions: readonly Condition[];
  }[];
  readonly listeners?: readonly { readonly attachedRoutes: number }[];
}

/** A definition without the status subresource. */
function withoutStatus(definition: Manifest): Manifest {
  const spec = definition.spec as { readonly versions: readonly object[] };
  return {
    ...definition,
    spec: { ...spec, versions: spec.versions.map((one) => ({ ...one, subresources: {} })) },
  };
}

type Isoline = Awaited<ReturnType<typeof startServer>>;

describe.skipIf("reason" in binaries)("statuses in a real API server", () => {
  let kube: TestKube;
  const servers: Isoline[] = [];
  const log: string[] = [];

  const serve = async (status: StatusOptions): Promise<Isoline> => {
    const server = await startServer({
      paths: [],
      kube: { targets: [{ name: "", kubeconfig: kube.adminConfig }], acceptShrink: false, status },
      overrides: {
        gatewayRef,
        ingressStatusAddress: "192.0.2.1",
        ...(await onLoopback(await freePort())),
      },
      host: "127.0.0.1",
      port: await freePort(),
      log: (line) => log.push(line),
    });
    servers.push(server);
    return server;
  };
  const statusOf = async (object: Manifest): Promise<Status> =>
    ((await kube.get(object)).status ?? {}) as Status;
  const wordOf = async (object: Manifest): Promise<string | undefined> =>
    (await statusOf(object)).currentStatus;
  /**
   * No other edit happens meanwhile. One second is the documented limit for an object; the rest is a margin for a busy
   * machine.
   */
  const soon = (check: () => Promise<boolean>, what: string): Promise<void> => eventually(check, what, 4000);
  const sample = async ({ url }: Isoline, name: string): Promise<number> => {
    const lines = (await (await fetch(`${url}/metrics`)).text()).split("\n");
    return lines
      .filter((line) => line.startsWith(`isoline_${name}`))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
  };
  const patchStatus = async (path: string, manager: string, status: object): Promise<void> => {
    const answer = await kube.admin.send({
      method: "PATCH",
      path: `${path}/status?fieldManager=${manager}`,
      headers: { "content-type": "application/merge-patch+json", accept: "application/json" },
      body: JSON.stringify({ status }),
      signal: AbortSignal.timeout(5000),
    });
    for await (const _ of answer.body);
    expect(answer.status).toBe(200);
  };

  const create = async (path: string, object: Manifest): Promise<void> => {
    const answer = await kube.admin.send({
      method: "POST",
      path,
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify(object),
      signal: AbortSignal.timeout(5000),
    });
    for await (const _ of answer.body);
    expect(answer.status).toBe(201);
  };

  beforeAll(async () => {
    if ("reason" in binaries) return;
    kube = await startKube(binaries);
    await kube.apply(
      ...(customResourceDefinitions() as readonly Manifest[]),
      ...["GatewayClass", "Gateway", "HTTPRoute", "GRPCRoute", "ReferenceGrant", "BackendTLSPolicy"].map(
        (kind) => gatewayDefinition(kind, "v1"),
      ),
      gatewayDefinition("TCPRoute", "v1alpha2"),
      withoutStatus(gatewayDefinition("TLSRoute", "v1")),
    );
    await eventually(async () => {
      await kube.apply(service("default", "app"), proxy("first"), gatewayClass, gateway);
      return true;
    }, "the CRDs are served");
    const isoline = await serve({});
    await eventually(async () => (await fetch(`${isoline.url}/readyz`)).ok, "it is ready");
    await eventually(async () => (await wordOf(proxy("first"))) === "valid", "a first status");
  });

  afterAll(async () => {
    for (const server of servers) await server.close();
    await kube?.stop();
  });

  it("exist for objects without an effect on the configuration: broken ones, orphans, routes without a listener", async () => {
    const [isoline] = servers as [Isoline];
    await kube.apply(proxy("broken", {}, "nowhere"));
    await soon(async () => (await wordOf(proxy("broken"))) === "invalid", "of a broken HTTPProxy");
    // An earlier edit that removed a referenced object is published a quarter of a second later.
    await sleep(500);
    const published = await sample(isoline, "publications_total");
    await kube.apply(httpProxy("default", "orphan", { routes: [{ services: [{ name: "app", port: 80 }] }] }));
    await soon(async () => (await wordOf(proxy("orphan"))) === "orphaned", "of an orphan");
    const lost = route("lost", { name: "gateway", sectionName: "nothing" });
    await kube.apply(lost);
    await soon(
      async () => (await statusOf(lost)).parents?.length === 1,
      "of a route that is attached to nothing",
    );
    expect((await statusOf(lost)).parents?.[0]?.conditions[0]).toMatchObject({
      type: "Accepted",
      status: "False",
      reason: "NoMatchingParent",
    });
    await kube.apply(proxy("broken", { includes: [] }, "nowhere"));
    await soon(
      async () => (await statusOf(proxy("broken"))).conditions?.[0]?.observedGeneration === 2,
      "of a changed generation",
    );
    expect(await sample(isoline, "publications_total")).toBe(published);
  });

  it("change with the objects that an object refers to, and with objects that affect it", async () => {
    await kube.apply(service("default", "nowhere"));
    await soon(async () => (await wordOf(proxy("broken"))) === "valid", "a Service appears");
    await kube.remove(service("default", "nowhere"));
    await soon(async () => (await wordOf(proxy("broken"))) === "invalid", "the Service goes");
    const twin = httpProxy("default", "twin", proxy("first").spec as Manifest);
    await kube.apply(twin);
    await soon(async () => (await wordOf(proxy("first"))) === "invalid", "a second HTTPProxy has its host");
    expect(await wordOf(twin)).toBe("invalid");
    await kube.remove(twin);
    await soon(async () => (await wordOf(proxy("first"))) === "valid", "the host is its own again");
    const root = proxy("root", { includes: [{ name: "orphan" }] });
    await kube.apply(root);
    await soon(async () => (await wordOf(proxy("orphan"))) === "valid", "an orphan is included");
    await kube.remove(root);
    await soon(async () => (await wordOf(proxy("orphan"))) === "orphaned", "its root goes");
  });

  it("count the routes of a Gateway", async () => {
    const attached = async (): Promise<number | undefined> =>
      (await statusOf(gateway)).listeners?.[0]?.attachedRoutes;
    const before = (await attached()) ?? 0;
    await kube.apply(route("one", { name: "gateway" }), route("two", { name: "gateway" }));
    await soon(async () => (await attached()) === before + 2, "two more");
    await kube.remove(route("two"));
    await soon(async () => (await attached()) === before + 1, "one less");
  });

  it("are removed from an object that moves to another class, except those of other controllers", async () => {
    const moving = proxy("moving");
    await kube.apply(moving, ingress("isoline"));
    await soon(async () => (await wordOf(moving)) === "valid", "a status");
    await soon(async () => (await statusOf(ingress(""))).loadBalancer?.ingress?.length === 1, "an address");
    const path = "/apis/projectcontour.io/v1/namespaces/default/httpproxies/moving";
    const audited = { type: "Audited", status: "True" };
    const { conditions = [] } = await statusOf(moving);
    await patchStatus(path, "auditor", { conditions: [...conditions, audited] });
    await kube.apply(proxy("moving", { ingressClassName: "other" }), ingress("other"));
    await soon(async () => (await wordOf(moving)) === undefined, "the verdict is taken back");
    expect(await statusOf(moving)).toEqual({ conditions: [audited] });
    await soon(
      async () => (await statusOf(ingress(""))).loadBalancer?.ingress === undefined,
      "so is the address",
    );
    await kube.apply(moving);
    await soon(async () => (await wordOf(moving)) === "valid", "the verdict is back with the class");
    // Another controller takes over the object, and writes its conditions.
    await patchStatus(path, "contour", { currentStatus: "valid", description: "Contour's own words" });
    await kube.apply(proxy("moving", { ingressClassName: "other" }));
    await kube.apply(proxy("broken", {}, "nowhere-else"));
    await soon(
      async () => (await statusOf(proxy("broken"))).conditions?.[0]?.observedGeneration === 3,
      "of what changed after it",
    );
    const words = { currentStatus: "valid", description: "Contour's own words" };
    expect(await statusOf(moving)).toMatchObject({ ...words, conditions: [audited, { type: "Valid" }] });
  });

  it("are removed from a route that leaves the Gateway, and from all after the Gateway is deleted", async () => {
    const leaving = route("leaving", { name: "gateway" });
    await kube.apply(leaving);
    await soon(async () => (await statusOf(leaving)).parents?.length === 1, "a status");
    const others = {
      controllerName: "example.com/other",
      parentRef: { name: "another" },
      conditions: [
        {
          type: "Accepted",
          status: "True",
          reason: "Accepted",
          message: "",
          lastTransitionTime: "2026-01-01T00:00:00Z",
        },
      ],
    };
    const { parents = [] } = await statusOf(leaving);
    await patchStatus("/apis/gateway.networking.k8s.io/v1/namespaces/default/httproutes/leaving", "other", {
      parents: [...parents, others],
    });
    await kube.apply(route("leaving", { name: "another" }));
    await soon(async () => (await statusOf(leaving)).parents?.length === 1, "the entry is taken back");
    expect((await statusOf(leaving)).parents).toEqual([others]);
    const staying = route("one");
    expect((await statusOf(staying)).parents).toHaveLength(1);
    await kube.remove(gateway);
    await soon(async () => ((await statusOf(staying)).parents ?? []).length === 0, "the Gateway is gone");
    await soon(
      async () => ((await statusOf(gatewayClass)).conditions ?? []).length === 0,
      "so is the class's",
    );
    expect((await statusOf(leaving)).parents).toEqual([others]);
    await kube.apply(gateway);
    await soon(async () => (await statusOf(staying)).parents?.length === 1, "the Gateway is back");
  });

  it("report the error of an object that can no longer be read, with its generation", async () => {
    const unreadable = route("unreadable", { name: "gateway" });
    await kube.apply(unreadable);
    await soon(async () => (await statusOf(unreadable)).parents?.length === 1, "a status");
    await kube.apply({ ...unreadable, spec: { ...(unreadable.spec as object), hostnames: ["Not_A_Host"] } });
    await soon(
      async () => (await statusOf(unreadable)).parents?.[0]?.conditions[0]?.observedGeneration === 2,
      "of the generation that can't be read",
    );
    expect((await statusOf(unreadable)).parents?.[0]?.conditions[0]).toMatchObject({
      type: "Accepted",
      status: "False",
      reason: "Invalid",
    });
    await kube.remove(unreadable);
  });

  it("that can't be written do not block others: a CRD without the subresource, a policy that denies", async () => {
    const [isoline] = servers as [Isoline];
    const tls = ofGateway("TLSRoute", "tls", {
      parentRefs: [{ name: "gateway" }],
      hostnames: ["tls.test"],
      rules: [{ backendRefs: [{ name: "app", port: 80 }] }],
    });
    const path = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies";
    const apiVersion = "admissionregistration.k8s.io/v1";
    const metadata = { name: "refusing" };
    const rule = {
      apiGroups: ["projectcontour.io"],
      apiVersions: ["v1"],
      operations: ["UPDATE"],
      resources: ["httpproxies/status"],
    };
    await create(path, {
      apiVersion,
      kind: "ValidatingAdmissionPolicy",
      metadata,
      spec: {
        matchConstraints: { resourceRules: [rule] },
        validations: [{ expression: "object.metadata.name != 'refused'", message: "not this one" }],
      },
    });
    await create(`${path.replace("policies", "policybindings")}`, {
      apiVersion,
      kind: "ValidatingAdmissionPolicyBinding",
      metadata,
      spec: { policyName: "refusing", validationActions: ["Deny"] },
    });
    await eventually(async () => {
      await kube.apply(proxy("refused", { includes: [] }), tls);
      await kube.remove(proxy("refused"));
      await kube.apply(proxy("refused"));
      await new Promise((done) => setTimeout(done, 700));
      return (await wordOf(proxy("refused"))) === undefined;
    }, "the policy is in force");
    await kube.apply(proxy("beside", {}, "nowhere"), route("beside", { name: "gateway" }));
    await soon(async () => (await wordOf(proxy("beside"))) === "invalid", "another HTTPProxy's");
    await soon(async () => (await statusOf(route("beside"))).parents?.length === 1, "another kind's");
    await eventually(async () => (await sample(isoline, "statuses_failing")) === 2, "both are counted");
    const lines = log.filter((line) => line.includes("can't write the status"));
    expect(lines.filter((line) => line.includes("HTTPProxy/default/refused"))).toHaveLength(1);
    expect(lines.filter((line) => line.includes("tlsroutes: they have no status subresource"))).toHaveLength(
      1,
    );
    expect(lines).toHaveLength(2);
    const { findings } = (await (await fetch(`${isoline.url}/status`)).json()) as { findings: Manifest[] };
    expect(
      findings
        .filter(({ reason }) => reason === "NotWritten")
        .map(({ about }) => about)
        .sort(),
    ).toEqual(["HTTPProxy/default/refused", "TLSRoute/default/tls"]);
    await kube.apply(gatewayDefinition("TLSRoute", "v1"));
    await eventually(async () => (await statusOf(tls)).parents?.length === 1, "with the subresource", 40_000);
    await kube.remove(proxy("refused"));
    await eventually(async () => (await sample(isoline, "statuses_failing")) === 0, "nothing fails");
    log.length = 0;
  });

  it("are written by one of two replicas, then by the other, which does not rewrite correct ones", async () => {
    const [alone] = servers.splice(0) as [Isoline];
    await alone.close();
    const lease = { name: "isoline", namespace: "default" };
    const first = await serve({ lease });
    await eventually(async () => (await fetch(`${first.url}/readyz`)).ok, "the first is ready");
    const second = await serve({ lease });
    await eventually(async () => (await fetch(`${second.url}/readyz`)).ok, "the second is ready");
    await eventually(async () => (await sample(first, "statuses_pending")) === 0, "all is looked at");
    expect(await sample(first, "status_writes_total")).toBe(0);
    await kube.apply(proxy("late", {}, "nowhere"));
    await soon(async () => (await wordOf(proxy("late"))) === "invalid", "the first writes");
    // A status that is already correct is not written again, whoever wrote it.
    expect(await sample(first, "status_writes_total")).toBe(1);
    expect(await sample(second, "status_writes_total")).toBe(0);
    await first.close();
    servers.splice(servers.indexOf(first), 1);
    await kube.apply(proxy("later", {}, "nowhere"));
    await eventually(async () => (await wordOf(proxy("later"))) === "invalid", "the second writes", 30_000);
    await eventually(async () => (await sample(second, "statuses_pending")) === 0, "all is looked at");
    expect(await sample(second, "status_writes_total")).toBe(1);
    expect(log.filter((line) => /can't write|not allowed/.test(line))).toEqual([]);
  });

  it("have no effect on compilation, and are written only on changes", async () => {
    const [isoline] = servers as [Isoline];
    const counts = async (): Promise<number[]> =>
      Promise.all(
        ["status_writes_total", "publications_total", "publish_seconds_total"].map((name) =>
          sample(isoline, name),
        ),
      );
    const before = await counts();
    await new Promise((done) => setTimeout(done, 1500));
    expect(await counts()).toEqual(before);
    await kube.apply({
      ...proxy("late", {}, "nowhere"),
      metadata: { ...(proxy("late").metadata as object), labels: { a: "b" } },
    });
    await new Promise((done) => setTimeout(done, 1000));
    expect(await counts()).toEqual(before);
  });
});
