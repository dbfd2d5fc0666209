import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { replaced } from "../docs/replaced.js";
import { eventually } from "./envoy.js";
import { type Machine, type Running, startMachine, untilPrinted, whyNoMachine } from "./machine.js";

const root = new URL("../../", import.meta.url);

/** The README and the pages of docs/. */
export const pages: readonly string[] = [
  "README.md",
  ...readdirSync(new URL("docs/", root))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

const readPage = (page: string): string => readFileSync(fileURLToPath(new URL(page, root)), "utf8");

/** The command lines of a page's `sh` blocks in their order, without comments. */
export function commandsOf(page: string): string[] {
  return [...readPage(page).matchAll(/^ *```sh\n([\s\S]*?)^ *```$/gm)]
    .flatMap(([, block = ""]) => block.replaceAll(/\\\n\s*/g, "").split("\n"))
    .map((line) => line.replace(/(?:^|\s+)#.*/, "").trim())
    .filter((line) => line !== "");
}

/**
 * Commands that keep running, and the output that indicates that they are ready. Before a second one of a kind, the
 * first is interrupted with Ctrl-C.
 */
const lasting: readonly { readonly kind: string; readonly command: RegExp; readonly ready: RegExp }[] = [
  { kind: "serve", command: /^isoline serve\b/, ready: /serves xDS on/ },
  { kind: "demo", command: /^npm start\b/, ready: /Try:/ },
  { kind: "backends", command: /^node examples\/\S+\/backends\.mjs$/, ready: /listens/ },
  { kind: "envoy", command: /^envoy -c\b/, ready: /starting main dispatch loop/ },
  { kind: "wrangler", command: /^npx wrangler dev\b/, ready: /Ready on/ },
];

/** A step of a documentation test. */
export type Step = (machine: Machine) => Promise<unknown>;

export interface Walk {
  /** Prepares what the page assumes, such as the reader's own manifests and certificates. */
  readonly given?: Step;
  /** Actions and checks of the reader before and after commands, by the start of the one command concerned. */
  readonly before?: Readonly<Record<string, Step>>;
  readonly after?: Readonly<Record<string, Step>>;
  /** Kinds of commands that the reader interrupts with Ctrl-C before a command. */
  readonly interrupt?: Readonly<Record<string, "demo" | "serve" | "envoy" | "wrangler">>;
  /** Whether the reader has the packed npm package instead of a checkout. */
  readonly packaged?: boolean;
}

/** Walks a tutorial twice: from a checkout, and from the packed npm package. */
export function walkBoth(page: string, steps: Walk, why?: string): void {
  walk(page, steps, why);
  walk(page, { ...steps, packaged: true }, why);
}

/** Runs a page's commands one by one as written, on a machine of its own; skipped if there is a `why`. */
export function walk(page: string, steps: Walk, why?: string): void {
  const reason = why ?? whyNoMachine();
  const from = steps.packaged ? " from the npm package" : "";
  const title = `the commands of ${page}${from}${reason === undefined ? "" : `: ${reason}`}`;
  describe.skipIf(reason !== undefined)(title, () => {
    test("work as written", { timeout: 900_000 }, async () => {
      expectCommands(page, steps);
      const machine = await startMachine(steps.packaged);
      const running = new Map<string, Running>();
      try {
        await steps.given?.(machine);
        for (const command of commandsOf(page)) await visit(page, command, steps, machine, running);
        for (const one of running.values())
          expect(one.isRunning(), `${one.command}\n${one.output()}`).toBe(true);
      } catch (error) {
        for (const [kind, one] of running) console.error(`--- ${kind}\n${one.output().slice(-4000)}`);
        throw error;
      } finally {
        await machine.stop();
      }
    });
  });
}

/** Each entry of before, after and interrupt must match one command. */
function expectCommands(page: string, { before = {}, after = {}, interrupt = {} }: Walk): void {
  const commands = commandsOf(page);
  for (const start of [before, after, interrupt].flatMap(Object.keys)) {
    const found = commands.filter((one) => one.startsWith(start));
    expect(found, `commands of ${page} that start with: ${start}`).toHaveLength(1);
  }
}

async function visit(
  page: string,
  command: string,
  { before = {}, after = {}, interrupt = {} }: Walk,
  machine: Machine,
  running: Map<string, Running>,
): Promise<void> {
  const at = <T>(steps: Readonly<Record<string, T>>): T[] =>
    Object.entries(steps).flatMap(([start, step]) => (command.startsWith(start) ? [step] : []));
  for (const kind of at(interrupt)) await endIn(running, kind);
  for (const act of at(before)) await act(machine);
  for (const typed of insteadOf(page, command))
    await type(machine, running, typed).catch((error: unknown) => {
      throw new Error(`${page}: ${command}\n${String(error)}`);
    });
  for (const act of at(after)) await act(machine);
}

/** The command itself, or its replacement. */
const insteadOf = (page: string, command: string): readonly string[] =>
  replaced.find((one) => one.page === page && one.command === command)?.by ?? [command];

async function type(machine: Machine, running: Map<string, Running>, command: string): Promise<void> {
  const found = lasting.find((one) => one.command.test(command));
  if (!found) return void (await machine.must(command));
  await endIn(running, found.kind);
  const one = machine.start(command);
  running.set(found.kind, one);
  await untilPrinted(one, found.ready);
}

async function endIn(running: Map<string, Running>, kind: string): Promise<void> {
  const one = running.get(kind);
  running.delete(kind);
  if (!one) return;
  const { code, output } = await one.interrupt();
  // Null if the command ends by the signal itself, as npm does.
  expect([0, null], `${one.command} after Ctrl-C\n${output}`).toContain(code);
}

/** Sends requests with curl until the output matches. */
export const untilAnswered = (machine: Machine, curl: string, pattern: RegExp): Promise<void> =>
  eventually(
    async () => {
      expect((await machine.run(`curl -sS ${curl}`)).output).toMatch(pattern);
      return true;
    },
    `curl ${curl} answers ${String(pattern)}`,
  );

/** The reader's own manifests, in `manifests/`, for one host whose backend responds with `shop: PATH`. */
export async function ownManifests(machine: Machine): Promise<void> {
  machine.write("manifests/shop.yaml", ownObjects);
  const server = "(q, r) => r.end('shop: ' + q.url + '\\n')";
  const ready = "() => console.log('listens')";
  const backend = machine.start(
    `node -e "require('http').createServer(${server}).listen(9080, '10.0.0.10', ${ready})"`,
  );
  await untilPrinted(backend, /listens/);
}

/** Sends requests to the host of `ownManifests` until Envoy serves it. */
export const untilShopIsServed = (machine: Machine, port = 8080): Promise<void> =>
  untilAnswered(machine, `-H 'Host: shop.example.com' http://127.0.0.1:${port}/x`, /^shop: \/x$/m);

const ownObjects = `apiVersion: v1
kind: Service
metadata: {namespace: default, name: shop}
spec: {ports: [{name: http, port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {namespace: default, name: shop-1, labels: {kubernetes.io/service-name: shop}}
addressType: IPv4
ports: [{name: http, port: 9080}]
endpoints: [{addresses: [10.0.0.10]}]
---
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {namespace: default, name: shop}
spec:
  virtualhost: {fqdn: shop.example.com}
  routes: [{services: [{name: shop, port: 80}]}]
`;

/**
 * A server certificate for these names as `tls.crt` and `tls.key`, and its authority as `ca.crt`. The names resolve on
 * the machine.
 */
export async function certificateFor(machine: Machine, ...names: readonly string[]): Promise<void> {
  machine.addHosts(...names);
  machine.write("names.ext", `subjectAltName=${names.map((name) => `DNS:${name}`).join(",")}\n`);
  const key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
  await machine.must(`openssl req -x509 ${key} -days 30 -subj /CN=authority -keyout ca.key -out ca.crt 2>&1 &&
    openssl req ${key} -subj /CN=server -keyout tls.key -out tls.csr 2>&1 &&
    openssl x509 -req -in tls.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile names.ext -out tls.crt 2>&1 &&
    rm tls.csr ca.key names.ext`);
}

/**
 * A server of the quickstart at https://isoline.example.com whose authority the machine trusts, and a read token in
 * `read-token`.
 */
export async function serveQuickstart(machine: Machine): Promise<void> {
  await certificateFor(machine, "isoline.example.com");
  machine.trust(machine.read("ca.crt"));
  await machine.must("isoline token read --name reader --file tokens.txt > read-token");
  const flags = "--listen 0.0.0.0:443 --tokens tokens.txt --tls-cert-file tls.crt --tls-key-file tls.key";
  await untilPrinted(machine.start(`exec isoline serve -f examples/quickstart ${flags}`), /serves xDS on/);
}
