import { setTimeout as sleep } from "node:timers/promises";
import type { Fault, KubeProxy } from "./kube-proxy.js";
import { pick, type Random } from "./random.js";
import type { Replica } from "./replica.js";
import type { Rig } from "./rig.js";

/** Causes a fault, and ends it after `ms`. */
type Damage = (replica: Replica, ms: number, random: Random) => Promise<void>;

const apiOf = ({ apis }: Replica): KubeProxy => {
  const [first] = apis;
  if (!first) throw new Error("there is no cluster");
  return first;
};

const answering =
  (fault: (random: Random) => Fault): Damage =>
  async (replica, ms, random) => {
    const chosen = fault(random);
    const remove = apiOf(replica).inject(() => chosen);
    await sleep(ms);
    remove();
  };

const watches =
  (kind: "gone" | "end"): Damage =>
  async (replica, ms) => {
    const remove = apiOf(replica).inject(({ verb }) => (verb === "watch" ? { kind } : undefined));
    apiOf(replica).cut();
    await sleep(ms);
    remove();
  };

const damages: Readonly<Record<string, Damage>> = {
  down: async (replica, ms) => {
    apiOf(replica).down();
    await sleep(ms);
    apiOf(replica).up();
  },
  cut: async (replica) => apiOf(replica).cut(),
  silence: async (replica) => apiOf(replica).silence(),
  error: answering((random) => ({ kind: "status", code: pick(random, [401, 403, 429, 500, 503]) })),
  delay: answering((random) => ({ kind: "delay", ms: Math.round(random() * 1500) })),
  gone: watches("gone"),
  end: watches("end"),
  partial: async (replica, ms, random) => {
    // A list that lacks less than 30 % is trusted.
    const keep = random() * 0.6;
    const api = apiOf(replica);
    const lists = api.inject(({ verb }) =>
      verb === "list"
        ? { kind: "items", change: (items) => items.slice(0, Math.floor(items.length * keep)) }
        : undefined,
    );
    await watches("gone")(replica, ms, random);
    lists();
  },
  stop: async ({ server }, ms) => {
    server.signal("SIGSTOP");
    await sleep(ms);
    server.signal("SIGCONT");
  },
  kill: async ({ server }) => server.restart("SIGKILL"),
};

/** Causes random faults one after another for some seconds; everything is restored at the end. Returns their number. */
export async function injectFaults(rig: Rig, random: Random, seconds: number): Promise<number> {
  const end = performance.now() + seconds * 1000;
  let count = 0;
  while (performance.now() < end) {
    const damage = damages[pick(random, Object.keys(damages))];
    await damage?.(pick(random, rig.replicas), 500 + random() * 4000, random);
    count++;
    await sleep(500 + random() * 2500);
  }
  return count;
}
