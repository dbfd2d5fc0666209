import { expect } from "vitest";
import { eventually } from "../support/envoy.js";
import { type Machine, type Running, untilPrinted } from "../support/machine.js";
import { runPod, startCluster, whyNoCluster } from "../support/machine-cluster.js";
import { ownManifests, untilAnswered, untilShopIsServed, walk, walkBoth } from "../support/walk.js";

const blueGreen = "-H 'Host: blue-green.echo.com' http://127.0.0.1:8080/";
const canary = "-H 'Host: canary.echo.com' -H 'x-canary: yes' http://127.0.0.1:8080/";

walkBoth("docs/tutorial-vms.md", {
  given: async (machine) => {
    machine.addHosts("xds.example.com");
    const answer = "(q, r) => r.end('shop: ' + q.url + '\\n')";
    const listen = "listen(9080, '10.0.0.10', () => console.log('listens'))";
    const backend = machine.start(`node -e "require('http').createServer(${answer}).${listen}"`);
    await untilPrinted(backend, /listens/);
  },
  after: {
    "isoline check -f examples/vms": async (machine) =>
      expect(await machine.must("isoline check -f examples/vms 2>&1")).toMatch(/0 errors, 0 warnings\n$/),
    "envoy -c": (machine) =>
      untilAnswered(machine, "-i -H 'Host: shop.example.com' http://127.0.0.1:8080/cart", /301/),
    "curl -s --cacert shop.crt": async (machine) => {
      const to = "--cacert shop.crt --connect-to shop.example.com:443:127.0.0.1:8443";
      await untilAnswered(machine, `${to} https://shop.example.com/cart`, /^shop: \/cart$/m);
    },
    "sed -i": (machine) =>
      eventually(async () => {
        const asked =
          "--xds https://xds.example.com:18000 --ca-file tls.crt --token-file read.token GET https://shop.example.com/cart";
        expect(await machine.must(`isoline explain ${asked}`)).toMatch(/2 endpoints/);
        return true;
      }, "the second VM is served"),
  },
});

walkBoth("docs/tutorial-blue-green.md", {
  after: {
    "envoy -c": (machine) => untilAnswered(machine, blueGreen, /^blue$/m),
    "isoline diff": async (machine) =>
      expect(await machine.must("isoline diff examples/blue-green next")).toMatch(
        /^blue-green\.echo\.com[\s\S]*colours\/blue\/80 -> colours\/green\/80\n*$/,
      ),
    "cp next/root.yaml": (machine) => untilAnswered(machine, blueGreen, /^green$/m),
    "sed -i 's/name: green,": async (machine) => {
      await untilAnswered(machine, blueGreen, /^blue$/m);
      await untilAnswered(machine, canary, /^green$/m);
    },
    "for i in": async (machine) =>
      expect(
        await machine.must("isoline explain -f examples/blue-green GET http://canary.echo.com/"),
      ).toMatch(/90\s?%[\s\S]*10\s?%/),
    "sed -i 's/weight: 90": (machine) =>
      eventually(async () => {
        const command = "isoline explain --xds http://127.0.0.1:18000 GET http://canary.echo.com/";
        expect(await machine.must(command)).toMatch(/50\s?%[\s\S]*50\s?%/);
        return true;
      }, "both get a half"),
  },
});

const refused = (command: string) => async (machine: Machine) =>
  expect((await machine.run(command)).code).toBe(1);

walkBoth("docs/tutorial-ci-gate.md", {
  after: {
    "sed -i 's/authPolicy": refused("isoline check -f shop/manifests"),
    "sed -i 's/prefix: ": refused("isoline test -f shop/manifests shop/tests"),
    "isoline diff shop/manifests changed || true": refused("isoline diff shop/manifests changed --exit-code"),
    "isoline publish --rollback": async (machine) =>
      expect(
        await machine.must("isoline history --xds http://127.0.0.1:18000 --source web --token-file ci.token"),
      ).toMatch(/^revision 3 /m),
  },
});

const status = (host: string, path: string, code: number) => (machine: Machine) =>
  untilAnswered(
    machine,
    `-i -H 'Host: ${host}' http://127.0.0.1:8080${path}`,
    new RegExp(`^HTTP/1.1 ${code} `),
  );
const explains = (request: string, text: RegExp) => async (machine: Machine) =>
  expect(await machine.must(`isoline explain --xds http://127.0.0.1:18000 GET ${request}`)).toMatch(text);

walkBoth("docs/tutorial-why-404-503.md", {
  before: { "isoline envoy unix": (machine) => status("empty.example.com", "/api", 503)(machine) },
  after: {
    "envoy -c envoy.json": status("emty.example.com", "/", 404),
    "isoline explain --xds http://127.0.0.1:18000 GET http://emty": explains(
      "http://emty.example.com/",
      /no host emty\.example\.com is served over http[\s\S]*empty\.example\.com/,
    ),
    "curl -si -H 'Host: empty.example.com' http://127.0.0.1:8080/api": status(
      "empty.example.com",
      "/api",
      503,
    ),
    "isoline explain --xds http://127.0.0.1:18000 GET http://empty.example.com/api": explains(
      "http://empty.example.com/api",
      /no endpoints: 503/,
    ),
    "curl -si -H 'Host: missing": status("missing.example.com", "/", 503),
    "isoline envoy unix": async (machine) => {
      const { output } = await machine.run("isoline envoy unix:/run/envoy-admin.sock");
      expect(output).toMatch(/^ *UH \d/m);
    },
  },
});

walk("docs/tutorial-cloudflare.md", {
  after: {
    "envoy -c": (machine) => untilAnswered(machine, blueGreen, /^blue$/m),
    "isoline status": (machine) => untilAnswered(machine, blueGreen, /^green$/m),
  },
});

/** What Contour leaves in a cluster: its configuration, and workloads that no kubelet runs here. */
const contour = `
apiVersion: v1
kind: ConfigMap
metadata: {name: contour, namespace: projectcontour}
data:
  contour.yaml: |
    disablePermitInsecure: true
    accesslog-format: json
    timeouts:
      request-timeout: 30s
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: contour, namespace: projectcontour}
spec:
  selector: {matchLabels: {app: contour}}
  template:
    metadata: {labels: {app: contour}}
    spec: {containers: [{name: contour, image: contour}]}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: envoy, namespace: projectcontour}
spec:
  selector: {matchLabels: {app: envoy}}
  template:
    metadata: {labels: {app: envoy}}
    spec: {containers: [{name: envoy, image: envoy}]}
`;

/** What the Service of the Envoys does: its port 80 is their port 8080. */
const forwarder = `
const { connect, createServer } = require("node:net");
createServer((from) => {
  const to = connect(8080, "127.0.0.1");
  for (const [one, other] of [[from, to], [to, from]]) one.pipe(other).on("error", () => one.destroy());
}).listen(80, () => console.log("listens"));
`;

async function startWithContour(machine: Machine): Promise<void> {
  machine.addHosts("isoline.isoline.svc", "envoy.isoline.example.com");
  await ownManifests(machine);
  await startCluster(machine);
  machine.write("contour-in-cluster.yaml", contour);
  await machine.must("isoline crds > crds.yaml && kubectl apply --server-side -f crds.yaml");
  await machine.must("kubectl wait --for condition=Established -f crds.yaml");
  await machine.must("kubectl create namespace projectcontour && kubectl apply -f contour-in-cluster.yaml");
  await machine.must("kubectl apply -f manifests");
}

const statusOf = (machine: Machine): Promise<string> =>
  machine.must("kubectl get httpproxy shop -o jsonpath='{.status.currentStatus}'");

const servers = new WeakMap<Machine, Running>();
const runServer = async (machine: Machine): Promise<void> => {
  servers.set(machine, await runPod(machine, "isoline", "deployment/isoline", "isoline", /serves xDS on/));
};

/** Runs what the manifests describe: the server, an Envoy, and the port of the Envoys' Service. */
async function runPrinted(machine: Machine): Promise<void> {
  await runServer(machine);
  await runPod(machine, "isoline", "deployment/envoy", "envoy", /.*/);
  await untilShopIsServed(machine);
  machine.write("forwarder.cjs", forwarder);
  await untilPrinted(machine.start("exec node forwarder.cjs"), /listens/);
}

walkBoth(
  "docs/tutorial-replace-contour.md",
  {
    given: startWithContour,
    before: {
      "kubectl port-forward": runPrinted,
      "kubectl scale deployment contour": async (machine) => {
        expect(await statusOf(machine)).toBe("");
        const args = "kubectl get deployment isoline -n isoline -o jsonpath='{..args}'";
        expect(await machine.must(args)).not.toContain("--write-status");
      },
      "kubectl get httpproxies": async (machine) => {
        await servers.get(machine)?.interrupt();
        await runServer(machine);
        await eventually(async () => (await statusOf(machine)) === "valid", "the status is written");
      },
    },
    after: {
      "kubectl delete daemonset": async (machine) => {
        await untilShopIsServed(machine);
        await machine.must("kubectl get crd httpproxies.projectcontour.io");
      },
    },
  },
  await whyNoCluster(),
);

/** What ingress-nginx leaves in a cluster, and an Ingress of a user. */
const ingressNginx = `
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: nginx}
spec: {controller: k8s.io/ingress-nginx}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: ingress-nginx-controller, namespace: ingress-nginx}
data: {hide-headers: X-Powered-By}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ingress-nginx-controller, namespace: ingress-nginx}
spec:
  selector: {matchLabels: {app: ingress-nginx}}
  template:
    metadata: {labels: {app: ingress-nginx}}
    spec: {containers: [{name: controller, image: controller}]}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: ingress-nginx-admission}
webhooks: []
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  namespace: default
  annotations:
    nginx.ingress.kubernetes.io/use-regex: "true"
    nginx.ingress.kubernetes.io/rewrite-target: /$1
spec:
  ingressClassName: nginx
  rules:
    - host: shop.example.com
      http:
        paths:
          - {path: "/(.*)", pathType: ImplementationSpecific, backend: {service: {name: shop, port: {number: 80}}}}
`;

async function startWithIngressNginx(machine: Machine): Promise<void> {
  machine.addHosts("isoline.isoline.svc", "envoy.isoline.example.com");
  await ownManifests(machine);
  await startCluster(machine);
  await machine.must("sed -i '/^kind: HTTPProxy/,$d; /projectcontour/d' manifests/shop.yaml");
  machine.write("ingress-nginx.yaml", ingressNginx);
  await machine.must("kubectl create namespace ingress-nginx && kubectl apply -f ingress-nginx.yaml");
  await machine.must("kubectl apply -f manifests");
}

const addressOf = (machine: Machine): Promise<string> =>
  machine.must("kubectl get ingress shop -o jsonpath='{.status.loadBalancer.ingress[*].ip}'");

walkBoth(
  "docs/tutorial-replace-ingress-nginx.md",
  {
    given: startWithIngressNginx,
    before: {
      "kubectl port-forward": runPrinted,
      "kubectl scale deployment": async (machine) => {
        const status = JSON.stringify({ status: { loadBalancer: { ingress: [{ ip: "192.0.2.10" }] } } });
        await machine.must(
          `kubectl patch service envoy -n isoline --subresource=status --type=merge -p '${status}'`,
        );
        expect(await addressOf(machine)).toBe("");
      },
      "kubectl get ingresses": async (machine) => {
        await servers.get(machine)?.interrupt();
        await runServer(machine);
        await eventually(async () => (await addressOf(machine)) === "192.0.2.10", "the status is written");
      },
    },
    after: {
      "isoline migrate": async (machine) =>
        expect(await machine.must("cat httpproxies.yaml")).toContain("X-Powered-By"),
      "kubectl delete deployment": (machine) => untilShopIsServed(machine),
    },
  },
  await whyNoCluster(),
);
