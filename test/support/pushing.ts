import { createHash } from "node:crypto";
import { statusReport } from "../../src/engine/status-report.js";
import { createApp } from "../../src/server/app.js";
import { everyone, tokenAuth } from "../../src/server/auth.js";
import { Hub } from "../../src/server/hub.js";
import { parseTokens } from "../../src/server/tokens.js";
import { PushedSources } from "../../src/sources/push/push-source.js";
import { createMemoryStore } from "../../src/store/memory.js";
import type { Store } from "../../src/store/store.js";
import type { Manifest } from "./backend.js";
import { engineOf } from "./engine.js";

interface PushAnswer {
  readonly status: number;
  readonly code?: string;
  readonly detail?: string;
  readonly revision?: number;
  readonly before?: number;
  readonly changed?: boolean;
  readonly left?: number;
  readonly traffic?: readonly string[];
  readonly findings?: readonly {
    readonly about: string;
    readonly severity: string;
    readonly reason: string;
    readonly message: string;
  }[];
  readonly revisions?: readonly {
    readonly revision: number;
    readonly by: string;
    readonly first?: { readonly revision: number };
    readonly changes?: Readonly<
      Record<"added" | "changed" | "removed", { readonly count: number; readonly refs: readonly string[] }>
    >;
  }[];
}

interface PushServerOptions {
  readonly store?: Store;
  readonly maxUnits?: number;
  /** Lines `ROLE NAME …options`, where the name is also the token. Without lines no token is required. */
  readonly tokens?: readonly string[];
}

/** A server for pushes, without a network. */
export function pushServer({ store = createMemoryStore(), maxUnits, tokens }: PushServerOptions = {}) {
  const lines = (tokens ?? []).map((line) => {
    const [role, name = "", ...rest] = line.split(" ");
    return [role, `sha256:${createHash("sha256").update(name).digest("hex")}`, `name=${name}`, ...rest].join(
      " ",
    );
  });
  const clock = { now: 1_000_000 };
  const log: string[] = [];
  const hub = new Hub({ now: () => clock.now, log: (line) => log.push(line) });
  const platform = { checkKeyPair: () => undefined, ...(maxUnits ? { maxUnits } : {}) };
  const engine = engineOf(store, { outlet: hub, platform, now: () => clock.now });
  const sources = new PushedSources(engine);
  sources.start();
  const app = createApp({
    hub,
    sources,
    inspected: { engine },
    status: () => statusReport(engine, sources),
    authenticate: tokens
      ? tokenAuth({ tokens: () => parseTokens(lines.join("\n")), now: () => clock.now, requireTls: false })
      : everyone,
  });
  const ask = async (method: string, path: string, body?: unknown, token = ""): Promise<PushAnswer> => {
    const answer = await app.request(path, {
      method,
      headers: token ? { authorization: `Bearer ${token}` } : {},
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { ...(text.startsWith("{") ? (JSON.parse(text) as object) : {}), status: answer.status };
  };
  /** Pushes, and waits until all batches are compiled. */
  const put = async (
    objects: readonly Manifest[],
    query = "",
    { name = "main", token = "" } = {},
  ): Promise<PushAnswer> => {
    let answer = await ask("PUT", `/sources/${name}${query}`, objects, token);
    for (let rounds = 0; answer.left && rounds < 100; rounds++) {
      await sources.resume();
      answer = { ...answer, left: 0, ...(await ask("GET", `/sources/${name}`, undefined, token)) };
    }
    return answer;
  };
  /** The result of `GET http://HOST/`: backends, a status, or nothing. */
  const serves = async (host: string, path = "/"): Promise<string> => {
    const url = encodeURIComponent(`http://${host}${path}`);
    const answer = await app.request(`/explain?url=${url}`, {
      headers: tokens
        ? { authorization: `Bearer ${tokens.find((line) => line.startsWith("admin "))?.split(" ")[1]}` }
        : {},
    });
    return JSON.stringify(((await answer.json()) as { readonly outcome?: unknown }).outcome);
  };
  return { ask, put, serves, store, engine, sources, log, clock };
}
