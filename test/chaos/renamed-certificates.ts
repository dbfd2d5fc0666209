import { request } from "../support/http.js";
import type { Experiment } from "./support/experiment.js";
import type { Asked, Fault } from "./support/kube-proxy.js";
import { secretNamed, tlsHostTo, usual } from "./support/objects.js";
import type { Rig } from "./support/rig.js";

const count = 12;
const numbers = Array.from({ length: count }, (_, i) => i);
const host = (i: number): string => `secure-${i}.test`;

async function answering(rig: Rig): Promise<number> {
  const asked = await Promise.all(
    numbers.map((i) =>
      request({ port: rig.ports.https, host: host(i), sni: host(i) }).then(
        ({ status }) => status === 200,
        () => false,
      ),
    ),
  );
  return asked.filter(Boolean).length;
}

/** The API server has lost the old versions: the first watch of each kind gets 410, and the kind is listed. */
function forgotten(): (asked: Asked) => Fault | undefined {
  const answered = new Set<string>();
  return ({ verb, plural }) => {
    if (verb !== "watch" || answered.has(plural)) return undefined;
    answered.add(plural);
    return { kind: "gone" };
  };
}

const renaming =
  (renamed: number): Experiment["run"] =>
  async (rig) => {
    const before = await rig.until(async () => (await answering(rig)) === count, 20_000);
    if (before === null) throw new Error("the hosts do not answer over TLS before anything is done");
    await rig.server.end("SIGTERM");
    for (const i of numbers.slice(0, renamed)) {
      await rig.kube.apply(secretNamed(`new-${i}`), tlsHostTo(host(i), "a", `new-${i}`));
      await rig.kube.remove(secretNamed(`old-${i}`));
    }
    rig.api.inject(forgotten());
    rig.server.start();
    await rig.server.untilReady(20_000);
    // Kinds are read one after another: each sample is a state that clients can meet.
    let hosts_answering = count;
    for (const end = performance.now() + 15_000; performance.now() < end; )
      hosts_answering = Math.min(hosts_answering, await answering(rig));
    return { hosts_answering, endpoints_ms: await rig.moveEndpoints("moving", "moving.test", "b", 20_000) };
  };

const rig = {
  ...usual,
  objects: [
    ...usual.objects,
    ...numbers.flatMap((i) => [secretNamed(`old-${i}`), tlsHostTo(host(i), "a", `old-${i}`)]),
  ],
  store: "sqlite",
  staleMs: 25_000,
} as const;
const limits = { hosts_answering: { min: count }, endpoints_ms: { max: 5000 } };

export const someCertificatesRenamed: Experiment = {
  name: "some-certs-renamed",
  what: "4 of 12 certificates get new names while the server is stopped for a long time, and the HTTPProxies refer to these",
  right: "All hosts answer over TLS all the time; later edits are served",
  short: true,
  rig,
  run: renaming(4),
  limits,
};

export const allCertificatesRenamed: Experiment = {
  name: "all-certs-renamed",
  what: "All 12 certificates get new names while the server is stopped for a long time, and the HTTPProxies refer to these",
  right: "All hosts answer over TLS all the time; later edits are served",
  rig,
  run: renaming(count),
  limits,
};
