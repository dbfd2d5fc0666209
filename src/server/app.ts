import type { Context } from "hono";
import { Hono } from "hono";
import { xdsTypes } from "../link/snapshot.js";
import type { PushedSources } from "../sources/push/push-source.js";
import { auditLine, isAudited } from "./audit.js";
import { type Authenticate, identityFor, isRefusal, type Refusal, unauthorized } from "./auth.js";
import { AuthLog } from "./auth-log.js";
import { networkOf } from "./client-network.js";
import { type Connections, discover } from "./discovery.js";
import { answerEnvoys, EnvoyList } from "./envoys.js";
import type { MetricFamily } from "./exposition.js";
import { answerFindings, FindingsCache } from "./findings.js";
import type { HeldErrors } from "./held-errors.js";
import { acceptShrink, type FollowedHolds } from "./holds.js";
import { answerHook, type Hooks, hookNames } from "./hooks.js";
import { refuseForeignPage } from "./host.js";
import { HostIndex } from "./host-index.js";
import { answerHost, answerHosts } from "./hosts.js";
import type { Hub } from "./hub.js";
import { answerExplain, answerGraph, type Inspected } from "./inspect.js";
import { LiveRequests } from "./live.js";
import type { Gauge } from "./metrics.js";
import { answerMetrics, CertificateEnds } from "./metrics-answer.js";
import { openApiResponse } from "./openapi-response.js";
import { answerChanges, overviewOf } from "./overview.js";
import { pageResponse } from "./page.js";
import { problem, refuse, uncached } from "./problem.js";
import { RequestError } from "./request.js";
import { answerConfig } from "./served-config.js";
import {
  completeSources,
  deleteSource,
  getHistory,
  getRevision,
  getSource,
  isDryRun,
  listSources,
  putRevision,
  putSource,
} from "./sources.js";
import { answerReady, type Standing, standingGauges } from "./standing.js";
import { defaultFleet, type Identity, type Role } from "./tokens.js";

export interface AppOptions {
  readonly hub: Hub;
  /** Findings, sources and the other contents of the status page. */
  status(): object;
  readonly authenticate: Authenticate;
  /**
   * Present for a server on loopback without tokens: the name of the xDS cluster. Requests must use it, or a loopback
   * name, as their host.
   */
  xdsCluster?(): string;
  /** The served fleet; tokens of other fleets are refused. */
  readonly fleet?: string;
  /** The client address of a request, for counting failures. */
  client?(c: Context): string;
  /** Present where manifests are pushed over HTTP. */
  readonly sources?: PushedSources;
  /** Present where a Kubernetes cluster is followed. */
  readonly hooks?: Hooks;
  /** Present where a Kubernetes cluster is followed: the deletions that wait for confirmation. */
  holds?(): readonly FollowedHolds[];
  /** Further values of `/metrics`: those of the process and of the build. */
  readonly ownMetrics?: OwnMetrics;
  /** The input of `/metrics`, `/graph`, `/explain` and `/config`. */
  readonly inspected?: Inspected;
  /** Present where a Kubernetes cluster is followed. */
  standing?(): Standing;
  readonly connections?: Connections;
  /** Delays errors to Envoys; absent: they are sent at once, for example because a Worker in front delays them. */
  readonly heldErrors?: HeldErrors;
  /** Requests that stay open for changes; without it each is held until there is one. */
  readonly live?: LiveRequests;
}

/** What a runtime adds to `/metrics`. */
export interface OwnMetrics {
  readonly gauges: () => readonly Gauge[];
  readonly families?: () => Promise<readonly MetricFamily[]>;
}

/** One row of the HTTP surface. */
interface Route {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  /** Undefined: no token is required. For some paths the role depends on the query. */
  readonly role: Role | undefined | ((c: Context) => Role);
  handle(c: Context, who: Identity): Response | Promise<Response>;
}

const nobody: Identity = { role: "read", name: "", id: "", fleet: defaultFleet };

/** The whole HTTP surface; any other path is not found. */
function routesOf(options: AppOptions): readonly Route[] {
  const { hub, status, sources, hooks, inspected, connections, standing, holds } = options;
  return [
    ...xdsTypes.map(
      (type): Route => ({
        method: "POST",
        path: `/v3/discovery:${type}`,
        role: "node",
        handle: (c, who) => discover(c, type, hub, who, connections),
      }),
    ),
    {
      method: "GET",
      path: "/status",
      role: "read",
      handle: (c) => c.json({ ...hub.status(), ...status() }, 200, uncached),
    },
    { method: "GET", path: "/", role: undefined, handle: (c) => pageResponse(c.req.raw) },
    { method: "GET", path: "/openapi.json", role: undefined, handle: (c) => openApiResponse(c.req.raw) },
    { method: "GET", path: "/healthz", role: undefined, handle: (c) => c.text("ok\n") },
    {
      method: "GET",
      path: "/readyz",
      role: undefined,
      handle: (c) => answerReady(c, hub, standing?.()),
    },
    ...(inspected ? inspectRoutes(options, inspected) : []),
    ...(inspected ? viewRoutes(options, inspected) : []),
    ...(sources ? sourceRoutes(sources) : []),
    ...(hooks ? hookRoutes(hooks) : []),
    ...(holds ? holdRoutes(holds) : []),
  ];
}

const ownGauges = ({ hub, heldErrors, standing, ownMetrics }: AppOptions): Gauge[] => [
  ...(ownMetrics?.gauges() ?? []),
  ...hub.gauges(),
  ...(heldErrors ? [["errors_held", heldErrors.size] as const] : []),
  ...(standing ? standingGauges(standing()) : []),
];

const inspectRoutes = (options: AppOptions, inspected: Inspected): readonly Route[] => [
  metricsRoute(options, inspected),
  { method: "GET", path: "/graph", role: "read", handle: (c, who) => answerGraph(c, inspected, who) },
  { method: "GET", path: "/explain", role: "read", handle: (c, who) => answerExplain(c, inspected, who) },
  { method: "GET", path: "/config", role: "read", handle: (c, who) => answerConfig(c, inspected, who) },
];

function metricsRoute(options: AppOptions, inspected: Inspected): Route {
  const ends = new CertificateEnds(inspected.engine);
  return {
    method: "GET",
    path: "/metrics",
    role: "read",
    handle: async (c) => {
      const own = ownGauges(options);
      const families = (await options.ownMetrics?.families?.()) ?? [];
      return answerMetrics(c, options.hub.metrics, { own, families, ends }, inspected);
    },
  };
}

/** What the page and `isoline status` show. */
function viewRoutes(options: AppOptions, inspected: Inspected): readonly Route[] {
  const { hub, standing, live = new LiveRequests({ mode: "once", now: Date.now }) } = options;
  const findings = new FindingsCache(inspected, inspected.engine.now);
  const envoys = new EnvoyList(hub, inspected.engine);
  const hosts = new HostIndex(inspected);
  const parts = { hub, inspected, findings, envoys, hosts, ...(standing ? { standing } : {}) };
  const get = (path: string, handle: Route["handle"]): Route => ({
    method: "GET",
    path,
    role: "read",
    handle,
  });
  return [
    get("/overview", (c, who) =>
      c.req.query("live") === undefined
        ? c.json(overviewOf(parts, who), 200, uncached)
        : live.answer(c, who, () => overviewOf(parts, who)),
    ),
    get("/hosts", (c) => answerHosts(c, parts)),
    get("/hosts/:host", (c, who) => answerHost(c, parts, who)),
    get("/findings", (c) => answerFindings(c, inspected, findings)),
    get("/envoys", (c) => answerEnvoys(c, envoys)),
    get("/changes", (c) => answerChanges(c, inspected)),
  ];
}

const sourceRoutes = (sources: PushedSources): readonly Route[] => [
  { method: "POST", path: "/sources", role: "admin", handle: (c) => completeSources(c, sources) },
  { method: "GET", path: "/sources", role: "read", handle: (c) => listSources(c, sources) },
  {
    method: "GET",
    path: "/sources/:name/revisions/:revision",
    role: "admin",
    handle: (c) => getRevision(c, sources),
  },
  {
    method: "PUT",
    path: "/sources/:name/revisions/:revision",
    role: "admin",
    handle: (c, who) => putRevision(c, sources, who),
  },
  {
    method: "PUT",
    path: "/sources/:name",
    role: (c) => (isDryRun(c) ? "preview" : "publish"),
    handle: (c, who) => putSource(c, sources, who),
  },
  {
    method: "GET",
    path: "/sources/:name/revisions",
    role: "publish",
    handle: (c, who) => getHistory(c, sources, who),
  },
  {
    method: "GET",
    path: "/sources/:name",
    role: "publish",
    handle: (c, who) => getSource(c, sources, who),
  },
  { method: "DELETE", path: "/sources/:name", role: "admin", handle: (c) => deleteSource(c, sources) },
];

const holdRoutes = (holds: () => readonly FollowedHolds[]): readonly Route[] => [
  { method: "POST", path: "/accept-shrink", role: "admin", handle: (c) => acceptShrink(c, holds()) },
];

const hookRoutes = (hooks: Hooks): readonly Route[] =>
  hookNames.flatMap((name) =>
    [`/hooks/${name}`, `/hooks/${name}/:token`].map(
      (path): Route => ({ method: "POST", path, role: "hook", handle: (c) => answerHook(c, name, hooks) }),
    ),
  );

type Variables = { readonly Variables: { identities?: readonly Identity[] } };

/**
 * The HTTP surface, built only on web standards: it runs on Node and in workerd. A request is authenticated before its
 * path is read.
 */
export function createApp(options: AppOptions): Hono<Variables> {
  const { hub, authenticate, xdsCluster, client = () => "", fleet = defaultFleet, heldErrors } = options;
  const routes = routesOf(options);
  const open = new Set(routes.filter(({ role }) => role === undefined).map(({ path }) => path));
  const app = new Hono<Variables>();
  app.onError((error, c) => {
    if (error instanceof RequestError) return problem(c, error.status, error.code, error.message);
    if (!URL.canParse(c.req.url))
      return problem(c, 400, "invalid-host", "the Host of the request is not valid");
    const place = /\n\s*(at [^\n]*)/.exec(error.stack ?? "")?.[1];
    hub.log(`unexpected ${error.name}${place ? ` ${place}` : ""}`, "internal-error");
    return problem(c, 500, "internal", "an unexpected error; see the server's log");
  });
  app.notFound((c) => problem(c, 404, "not-found", "this path does not exist"));
  const authLog = new AuthLog(hub.log, hub.now.bind(hub), heldErrors !== undefined);
  const shutOut = (c: Context, refusal: Refusal, token?: Identity): Response => {
    hub.metrics.count("requests_refused_total", { code: String(refusal.status) });
    authLog.refused({ request: c.req.raw, network: networkOf(client(c)), refusal, token });
    return refuse(c, refusal);
  };
  if (heldErrors)
    app.use("*", async (c, next) => {
      const since = hub.now();
      await next();
      const [token] = c.get("identities") ?? [];
      const soon = options.standing?.().aside ?? false;
      if (c.res.status < 400) return;
      const who = { since, network: networkOf(client(c)), soon, ...(token ? { token } : {}) };
      await heldErrors.hold(c.req.raw, c.res, who);
    });
  app.use("*", async (c, next) => {
    const foreign = xdsCluster && refuseForeignPage(c.req.raw, xdsCluster());
    if (foreign) return shutOut(c, foreign);
    if (!open.has(c.req.path)) {
      const identities = await authenticate(c.req.raw, () => networkOf(client(c)));
      if (isRefusal(identities)) return shutOut(c, identities);
      const ours = identities.filter((identity) => identity.fleet === fleet);
      if (ours.length === 0) return shutOut(c, unauthorized, identities[0]);
      c.set("identities", ours);
    }
    return next();
  });
  for (const { method, path, role, handle } of routes) {
    app.on(method, path, async (c) => {
      const asked = typeof role === "function" ? role(c) : role;
      const who = asked === undefined ? nobody : identityFor(c.get("identities") ?? [], asked);
      if (!who) return shutOut(c, unauthorized, c.get("identities")?.[0]);
      const answer = await handle(c, who);
      if (isAudited(c, asked)) {
        const [line, fields] = auditLine(c, who, answer.status);
        hub.log(line, "admin", fields);
      }
      return answer;
    });
  }
  for (const path of new Set(routes.map((route) => route.path))) {
    const allow = routes
      .filter((route) => route.path === path)
      .map(({ method }) => method)
      .join(", ");
    app.all(path, (c) =>
      problem(c, 405, "method-not-allowed", `this path takes ${allow} only`, { headers: { allow } }),
    );
  }
  return app;
}
