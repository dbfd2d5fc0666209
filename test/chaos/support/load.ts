import { Agent } from "node:http";
import { request } from "../../support/http.js";

export interface LoadOptions {
  readonly port: number;
  readonly perSecond: number;
  /** How long a backend may go on to answer for a host after the host has moved to another. */
  readonly staleMs: number;
}

/** Requests at a steady rate, whatever the answers take; each answer is checked. */
export interface Load {
  /** From now on the host is asked, and this backend is right for it. */
  expect(host: string, backend: string): void;
  /**
   * The Service that the host was on before is now this backend's: right as long as the host's move may not have been seen, as each kind
   * is watched by itself.
   */
  allow(host: string, backend: string): void;
  /** The host is no longer asked. */
  drop(host: string): void;
  pause(): void;
  resume(): void;
  readonly total: number;
  readonly failed: number;
  /** What was wrong, with how often. */
  readonly failures: Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

interface Right {
  readonly backend: string;
  readonly since: number;
}

/** Requests under way at most: more mean that answers do not come, and each of them counts when it times out. */
const maxOpen = 200;
/** That are kept alive. */
const connections = 8;

export function startLoad({ port, perSecond, staleMs }: LoadOptions): Load {
  // Each has connections of its own, of which at least one is kept alive.
  const agents = Array.from({ length: connections }, () => new Agent({ keepAlive: true }));
  const hosts = new Map<string, Right[]>();
  const failures: Record<string, number> = {};
  let [total, failed, turn, open, paused] = [0, 0, 0, 0, false];
  const fail = (what: string): void => {
    failed++;
    failures[what] = (failures[what] ?? 0) + 1;
  };
  const isRight = (host: string, backend: string, asked: number): boolean => {
    const all = hosts.get(host);
    // Dropped while the answer was on its way.
    if (!all) return true;
    return all.some((one, i) => {
      const until = (all[i + 1]?.since ?? Number.POSITIVE_INFINITY) + staleMs;
      return one.backend === backend && asked <= until;
    });
  };
  const ask = async (host: string): Promise<void> => {
    total++;
    open++;
    const asked = performance.now();
    try {
      const agent = agents[total % connections];
      const { status, body } = await request({ port, host, ...(agent ? { agent } : {}) });
      if (status !== 200) fail(`${status} ${body.slice(0, 60)}`.trim());
      else if (!isRight(host, body, asked)) fail("another backend");
    } catch (error) {
      fail(
        (error as NodeJS.ErrnoException).code ?? String((error as Error).message).replace(/from \S+ /, ""),
      );
    } finally {
      open--;
    }
  };
  const timer = setInterval(() => {
    if (paused || hosts.size === 0 || open >= maxOpen) return;
    const names = [...hosts.keys()];
    void ask(names[turn++ % names.length] ?? "");
  }, 1000 / perSecond);
  return {
    expect: (host, backend) =>
      void hosts.set(host, [...(hosts.get(host) ?? []).slice(-20), { backend, since: performance.now() }]),
    allow: (host, backend) => {
      const all = hosts.get(host) ?? [];
      const last = all.at(-1);
      if (last) hosts.set(host, [...all.slice(0, -1), { backend, since: last.since }, last]);
    },
    drop: (host) => void hosts.delete(host),
    pause: () => {
      paused = true;
    },
    resume: () => {
      paused = false;
    },
    get total() {
      return total;
    },
    get failed() {
      return failed;
    },
    failures,
    stop: async () => {
      clearInterval(timer);
      while (open > 0) await new Promise((done) => setTimeout(done, 20));
      for (const agent of agents) agent.destroy();
    },
  };
}
