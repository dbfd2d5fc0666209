import { Agent } from "node:http";
import { request } from "../../support/http.js";

export interface LoadOptions {
  readonly port: number;
  readonly perSecond: number;
  /** How long a backend may still answer for a host after the host has moved to another one. */
  readonly staleMs: number;
}

/** Sends requests at a steady rate, independently of the answers; each answer is checked. */
export interface Load {
  /** Starts requests for a host, with the expected backend. */
  expect(host: string, backend: string): void;
  /**
   * Sets the new backend of the Service that a host used before. It is accepted while the server may not have seen the
   * host's move, because each kind has its own watch.
   */
  allow(host: string, backend: string): void;
  /** Stops the requests for a host. */
  drop(host: string): void;
  pause(): void;
  resume(): void;
  readonly total: number;
  readonly failed: number;
  /** Violations, with their numbers. */
  readonly failures: Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

interface Right {
  readonly backend: string;
  readonly since: number;
}

/** Maximum number of open requests: more mean that answers do not come, and each of them counts when it times out. */
const maxOpen = 200;
/** Connections with keep-alive. */
const connections = 8;

export function startLoad({ port, perSecond, staleMs }: LoadOptions): Load {
  // Clients, each with its own connections, at least one of them with keep-alive.
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
    // Dropped while the answer was in transit.
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
