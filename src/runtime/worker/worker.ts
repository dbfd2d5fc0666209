import { DurableObject } from "cloudflare:workers";
import type { DurableObjectState } from "@cloudflare/workers-types";
import { Engine } from "../../engine/engine.js";
import { statusReport } from "../../engine/status-report.js";
import { messageOf } from "../../schema/words.js";
import { type AppOptions, createApp, type OwnMetrics } from "../../server/app.js";
import {
  type Authenticate,
  forwardedAs,
  forwardedAuth,
  identityFor,
  isRefusal,
  type Refusal,
  tokenAuth,
  unauthorized,
} from "../../server/auth.js";
import { AuthLog } from "../../server/auth-log.js";
import { networkOf } from "../../server/client-network.js";
import { FindingLog } from "../../server/finding-log.js";
import { HeldErrors } from "../../server/held-errors.js";
import { Hub } from "../../server/hub.js";
import { openApiResponse } from "../../server/openapi-response.js";
import { pageResponse } from "../../server/page.js";
import { problemOf } from "../../server/problem.js";
import { defaultFleet, type Identity, parseTokens } from "../../server/tokens.js";
import { PushedSources } from "../../sources/push/push-source.js";
import type { Source } from "../../sources/source.js";
import { durableDriver } from "../../store/durable.js";
import { isDamage, rebuildInPlace } from "../../store/salvage.js";
import { createSqlStore } from "../../store/sql-store.js";
import { type Store, StoreError } from "../../store/store.js";
import type { DeployedVersion, Objects } from "./bindings.js";
import { WorkerCluster } from "./cluster.js";
import { type ClusterEnv, hasCluster } from "./cluster-env.js";
import { consoleLog, logFor } from "./console-log.js";
import { askObject } from "./object.js";
import { workerHolds, workerPlatform } from "./platform.js";
import { readyResponse } from "./readiness.js";

declare const ISOLINE_VERSION: string;
declare const ISOLINE_COMMIT: string;

interface Env extends ClusterEnv {
  readonly FLEET: Objects;
  readonly CF_VERSION_METADATA?: DeployedVersion;
  /** The lines that `isoline token` prints; if absent, every request is refused. */
  readonly ISOLINE_TOKENS?: string;
  /** The least important level that is logged: debug, info (the default), warn or error. */
  readonly ISOLINE_LOG_LEVEL?: string;
  /** "1": accept plain HTTP with any host name, such as from an Envoy next to `wrangler dev`. */
  readonly ISOLINE_INSECURE?: string;
}

/** The control plane of one fleet of Envoys: one instance at a time, with its store on disk. */
export class Fleet extends DurableObject<Env> {
  readonly #serving: Serving | undefined;
  readonly #refusal: StoreError | undefined;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    try {
      this.#serving = openServing(state, env);
      void this.#continue();
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#refusal = error;
      logFor(env)(`${error.code}: ${error.message}`, "store-damaged");
    }
  }

  /**
   * Called by the platform at the time of the alarm: does a part of the remaining work, or polls the cluster if none
   * remains.
   */
  async alarm(): Promise<void> {
    if (!this.#serving) return;
    const { engine, source, cluster } = this.#serving;
    if (cluster && engine.pending === 0) {
      await cluster.work();
      return this.#continue();
    }
    try {
      const progress = await source.resume();
      if (cluster && engine.pending === 0) await this.ctx.storage.setAlarm(Date.now());
      await this.#continue(progress ? 0 : stuckMs);
    } catch (error) {
      engine.log(
        `the remaining work can't be done, and is tried again in ${stuckMs / 1000} s: ${String(error)}`,
        "apply-failed",
      );
      await this.ctx.storage.setAlarm(Date.now() + stuckMs);
    }
  }

  /** Remaining work is done by alarm, which also fires after the object was moved or evicted. */
  async #continue(waitMs = 0): Promise<void> {
    const { engine } = this.#serving ?? {};
    if (engine && engine.pending > 0) await this.ctx.storage.setAlarm(Date.now() + waitMs);
  }

  async fetch(request: Request): Promise<Response> {
    if (!this.#serving) return problemOf(unusable(this.#refusal));
    const response = await this.#serving.app.fetch(request);
    if (mayEdit(request)) await this.#continue();
    return response;
  }
}

/** The pause before work that made no progress is tried again. */
const stuckMs = 30_000;

const unusable = (error: StoreError | undefined): Refusal => ({
  status: 503,
  code: error?.code ?? "store-damaged",
  detail: error?.message ?? "",
  headers: {},
});

interface Serving {
  readonly app: { fetch(request: Request): Response | Promise<Response> };
  readonly engine: Engine;
  readonly source: Source;
  readonly cluster: WorkerCluster | undefined;
}

/**
 * Opens the store of an object, and serves it. A damaged store is rebuilt from the pushed contents.
 *
 * @throws StoreError if the store can't be used; it stays unchanged.
 */
function openServing(state: DurableObjectState, env: Env): Serving {
  const driver = durableDriver(state.storage);
  try {
    return serve(state, env, createSqlStore(driver));
  } catch (error) {
    if (!isDamage(error)) throw error;
    const { store, salvaged } = rebuildInPlace(driver, followsCluster(state, env));
    logFor(env)(
      `store-damaged: the store was rebuilt from ${salvaged.contents.length} contents of sources; ${salvaged.lost} could not be read (${messageOf(error)})`,
      "store-damaged",
    );
    return serve(state, env, store);
  }
}

const followsCluster = (state: DurableObjectState, env: Env): boolean =>
  hasCluster(env) && state.id.equals(env.FLEET.idFromName(defaultFleet));

function serve(state: DurableObjectState, env: Env, store: Store): Serving {
  const log = logFor(env);
  const hub = new Hub({ now: Date.now, log, ...workerHolds });
  const engine = Engine.open({ store, platform: workerPlatform, outlet: hub, now: Date.now });
  if (!followsCluster(state, env)) {
    const sources = new PushedSources(engine);
    return wired({ engine, source: sources, cluster: undefined }, hub, env, {
      sources,
      inspected: { engine, source: sources },
    });
  }
  const cluster = new WorkerCluster({ env, storage: state.storage, engine, metrics: hub.metrics, log });
  return wired({ engine, source: cluster.source, cluster }, hub, env, cluster.surface);
}

function wired(
  made: Omit<Serving, "app">,
  hub: Hub,
  { CF_VERSION_METADATA: version }: Env,
  surface: Pick<AppOptions, "hooks" | "sources" | "inspected" | "holds">,
): Serving {
  const { engine, source } = made;
  new FindingLog({ engine, source, log: hub.log });
  void source.start();
  const status = (): object => ({
    ...statusReport(engine, source),
    ...(version ? { deployed: version } : {}),
  });
  const build = { version: ISOLINE_VERSION, commit: version?.id ?? ISOLINE_COMMIT };
  const ownMetrics: OwnMetrics = { gauges: () => [["build_info", 1, build]] };
  return { ...made, app: createApp({ hub, status, ...surface, ownMetrics, authenticate: forwardedAuth }) };
}

/** Whether a request may change objects. Polls are POST requests too, but change nothing. */
const mayEdit = ({ method, url }: Request): boolean =>
  method === "PUT" || method === "DELETE" || new URL(url).pathname === "/accept-shrink";

/**
 * The fingerprint of a client certificate in a zone with mTLS. The platform reports whether a CA of the zone signed it.
 */
function certificateOf(request: Request): string | undefined {
  const { tlsClientAuth } = (request as { cf?: { tlsClientAuth?: ClientCertificate } }).cf ?? {};
  const verified = tlsClientAuth?.certVerified === "SUCCESS" && tlsClientAuth.certRevoked !== "1";
  return verified ? tlsClientAuth.certFingerprintSHA256 : undefined;
}

interface ClientCertificate {
  readonly certVerified?: string;
  readonly certRevoked?: string;
  readonly certFingerprintSHA256?: string;
}

/** One for the lifetime of the isolate, because it counts failures. */
let gate: { readonly tokens: string; readonly authenticate: Authenticate } | undefined;

function authenticateWith(env: Env): Authenticate {
  const { ISOLINE_TOKENS: text = "", ISOLINE_INSECURE } = env;
  if (gate?.tokens !== text) {
    const tokens = parseTokens(text);
    for (const line of [...tokens.errors, ...tokens.warnings])
      logFor(env)(`ISOLINE_TOKENS: ${line}`, "tokens-problem");
    gate = {
      tokens: text,
      authenticate: tokenAuth({
        tokens: () => tokens,
        now: Date.now,
        requireTls: ISOLINE_INSECURE !== "1",
        fingerprint: certificateOf,
      }),
    };
  }
  return gate.authenticate;
}

const heldErrors = new HeldErrors({ now: Date.now, log: consoleLog() });
/** Of requests that the Worker itself refuses. */
const authLog = new AuthLog(consoleLog(), Date.now, true);

/**
 * The Worker itself stores nothing: it authenticates a request and sends it to the object of the fleet. Errors to
 * Envoys are held here.
 */
export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/healthz" && request.method === "GET") return new Response("ok\n");
    if (pathname === "/" && request.method === "GET") return pageResponse(request);
    if (pathname === "/openapi.json" && request.method === "GET") return openApiResponse(request);
    if (pathname === "/readyz" && request.method === "GET" && isOpen(request, env))
      return readyResponse(env.FLEET, request.url);
    const since = Date.now();
    const network = networkOf(request.headers.get("cf-connecting-ip") ?? "");
    const identities = await authenticateWith(env)(request, () => network);
    if (isRefusal(identities)) authLog.refused({ request, network, refusal: identities });
    const response = isRefusal(identities) ? problemOf(identities) : await askFleet(env, request, identities);
    const [token] = isRefusal(identities) ? [] : identities;
    await heldErrors.hold(request, response, { since, network, ...(token ? { token } : {}) });
    return response;
  },

  /** Wakes the object that polls the cluster, in case its alarm was lost. */
  async scheduled(_: unknown, env: Env): Promise<void> {
    if (!hasCluster(env)) return;
    const hook: Identity = { role: "hook", name: "cron", id: "", fleet: defaultFleet };
    const headers = forwardedAs([hook]);
    const request = new Request("https://fleet/hooks/refresh", { method: "POST", headers });
    await askObject(env.FLEET, defaultFleet, request, false);
  },
};

/** Whether `/readyz` is about the default fleet; with a token, it is about the fleet of the token. */
const isOpen = (request: Request, { ISOLINE_TOKENS = "" }: Env): boolean =>
  ISOLINE_TOKENS !== "" && !request.headers.has("authorization") && certificateOf(request) === undefined;

async function askFleet(env: Env, request: Request, identities: readonly Identity[]): Promise<Response> {
  const [first] = identities;
  if (!first) return problemOf(unauthorized);
  // The object serves one fleet, under the default name.
  const ours = identities
    .filter(({ fleet }) => fleet === first.fleet)
    .map((identity) => ({ ...identity, fleet: defaultFleet }));
  const headers = new Headers(request.headers);
  headers.delete("authorization");
  for (const [name, value] of Object.entries(forwardedAs(ours))) headers.set(name, value);
  const mayPoll = identityFor(ours, "node") !== undefined;
  return askObject(env.FLEET, first.fleet, new Request(request, { headers }), mayPoll);
}
