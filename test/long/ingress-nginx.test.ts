import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { service } from "../support/backend.js";
import { eventually } from "../support/envoy.js";
import { freePort, request } from "../support/http.js";
import { type Rig, startRig } from "../support/isoline.js";
import { nginxConf } from "../support/nginx-conf.js";
import { askOdd, expectedOdd, startOdd } from "../support/nginx-odd.js";
import { askProbe, probeObjects, probeSettings, probes, seen, wanted } from "../support/nginx-probes.js";

/** Where nginx may be; the package of Debian (1.22) has all modules that are needed. */
const places = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", join(homedir(), ".cache/isoline/nginx/nginx")];
const nginx = process.env.NGINX ?? places.find((path) => existsSync(path));

/** Starts nginx with the server blocks of `nginx-conf.ts` before the backends of a rig. */
async function startNginx(rig: Rig, odd: number): Promise<number> {
  if (!nginx) throw new Error(`no nginx: install it, or set NGINX; looked at ${places.join(", ")}`);
  const folder = await mkdtemp(join(tmpdir(), "isoline-nginx-"));
  const listen = await freePort();
  const portOf = (name: string): number => rig.backends.of.get(name)?.port ?? 0;
  await writeFile(join(folder, "passwords"), "u:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n");
  const conf = nginxConf({ listen, web: portOf("web"), api: portOf("api"), odd, folder });
  await writeFile(join(folder, "nginx.conf"), conf);
  const child = spawn(nginx, [
    "-c",
    join(folder, "nginx.conf"),
    "-p",
    folder,
    "-e",
    join(folder, "start.log"),
  ]);
  const ended = new Promise<number | null>((done) => child.once("exit", done));
  onTestFinished(async () => {
    child.kill("SIGTERM");
    await ended;
    await rm(folder, { recursive: true, force: true });
  });
  const failed = ended.then(async (code) => {
    throw new Error(`nginx ended (${code}): ${await readFile(join(folder, "start.log"), "utf8")}`);
  });
  failed.catch(() => {});
  await Promise.race([eventually(() => request({ port: listen }).then(() => true), "nginx answers"), failed]);
  return listen;
}

/** The hosts that nginx has, too. */
const shared = "d e f g h j k l n p r t y x.ad y.x.ad ad ah ai m1 m2 m3 m4 m5 m6 m7"
  .split(" ")
  .map((name) => `${name}.test`);

/** More paths for each host whose locations are what is compared. */
const paths = [
  "/",
  "/foo",
  "/foo/",
  "/foo?a=b",
  "/FOO",
  "/Foo/bar?x=1",
  "/foobar",
  "/foo/bar/bar",
  "/foo/bar/abc/x",
  "/foo/bar/ABC",
  "/foo/bar/1",
  "/foo//bar",
  "/bar",
  "/bar/x/../y",
  "/something",
  "/something/",
  "/something/a/b?c=d&e=f",
  "/somethingelse",
  "/metrics",
  "/metrics/x",
  "/metricsx",
  "/a",
  "/a/",
  "/ab",
  "/other",
];
const compared = "d e f g h j n ah ai x.ad".split(" ").map((name) => `${name}.test`);

test("answers as nginx does with the server blocks that ingress-nginx's rules imply", async () => {
  const odd = await startOdd();
  const rig = await startRig({
    backends: ["web", "api", "new"],
    objects: [service("default", "empty"), ...odd.objects, ...probeObjects],
    settings: probeSettings,
  });
  const port = await startNginx(rig, odd.port);
  const chosen = probes.filter(({ host, tls }) => shared.includes(host) && !tls);
  expect(chosen.length).toBeGreaterThanOrEqual(20);
  const found = await Promise.all(
    chosen.map(async (probe) => seen(probe, await askProbe({ httpPort: port }, probe))),
  );
  expect(found).toEqual(chosen.map(wanted));

  const answers: Record<string, unknown> = {};
  const expected: Record<string, unknown> = {};
  for (const host of compared)
    for (const path of paths) {
      const ask = async (httpPort: number): Promise<unknown> => {
        const answer = await askProbe({ httpPort }, { host, path });
        const isEcho = (answer.headers["content-type"] ?? "").startsWith("application/json");
        const echo = isEcho ? answer.echo() : undefined;
        // nginx sends paths on as the client wrote them, and Envoy those that it has matched.
        const sent = echo?.path.replace("//", "/").replace("/x/../", "/") ?? "";
        return [answer.status, answer.headers.location ?? "", echo?.service ?? "", sent].join(" ");
      };
      answers[`${host}${path}`] = await ask(rig.httpPort);
      expected[`${host}${path}`] = await ask(port);
    }
  expect(answers).toEqual(expected);

  const burst = async (httpPort: number): Promise<number[]> => {
    const all = await Promise.all(
      Array.from({ length: 5 }, () => request({ port: httpPort, host: "x.test" })),
    );
    return all.map(({ status }) => status).sort();
  };
  expect(await burst(rig.httpPort)).toEqual(await burst(port));

  const behaved = await askOdd(rig.httpPort, odd.count);
  expect(behaved).toEqual(await askOdd(port, odd.count));
  expect(behaved).toEqual(expectedOdd);
}, 60_000);
