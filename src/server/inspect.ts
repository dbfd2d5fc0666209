import type { Context } from "hono";
import type { Engine } from "../engine/engine.js";
import { explain } from "../explain/explain.js";
import { hostNodes } from "../explain/graph.js";
import type { Values } from "../explain/match.js";
import { claimsOn, originsIn } from "../explain/origins.js";
import { hostName, type ListenerChoice, readAsked } from "../explain/request.js";
import { AmbiguousRequestError, RequestSyntaxError } from "../explain/request-error.js";
import { configFor } from "../explain/served-config.js";
import { servedHosts } from "../explain/served-hosts.js";
import { unservedFor } from "../lint/unserved.js";
import { formatHosts, pictureFormats } from "../picture/formats.js";
import { maxDrawnHosts } from "../picture/svg.js";
import type { Source } from "../sources/source.js";
import { nothingPublished, problem, uncached } from "./problem.js";
import type { Identity } from "./tokens.js";

/** The served configuration, and the sources that it was compiled from. */
export interface Inspected {
  readonly engine: Engine;
  /** The source of the objects. */
  readonly source?: Pick<Source, "findings" | "locate" | "status" | "health">;
  /**
   * The followed Kubernetes clusters: the state of each kind, and the numbers of pending and failing statuses if
   * statuses are written. The name is empty if there is only one cluster.
   */
  clusters?(): readonly {
    readonly cluster: string;
    /** Whether its served objects come from the store, because it has not answered for every kind since the start. */
    readonly stale: boolean;
    readonly kinds: Readonly<
      Record<string, { readonly state: string; readonly held?: { readonly objects: number } }>
    >;
    readonly statuses?: { readonly failing: number; readonly pending: number };
    /** The time of the last read of the kind that was read least recently, in ms since the epoch. */
    readonly lookedAt?: number | undefined;
  }[];
}

const pageSize = 100;
const maxPageSize = 500;

/** The values that routes compare headers with are often shared secrets, so the role `read` does not see them. */
export const valuesFor = ({ role }: Identity): Values => (role === "admin" ? "shown" : "hidden");

/** `GET /explain?method=GET&url=URL&header=NAME:VALUE…&gateway=NAMESPACE/NAME&address=IP`: an Explanation as JSON. */
export function answerExplain(c: Context, { engine }: Inspected, who: Identity): Response {
  const { snapshot, store, platform, settings } = engine;
  if (!snapshot) return nothingPublished(c);
  const { method = "GET", url = "" } = c.req.query();
  try {
    const request = readAsked(method, url, c.req.queries("header") ?? [], choiceIn(c));
    const explanation = explain(configFor(snapshot, hostName(request.authority)), request, {
      origins: originsIn(store, settings, platform),
      claimsOn: (host) => claimsOn(store, host),
      unservedFor: (host) => unservedFor(host, store, settings),
      values: valuesFor(who),
    });
    return c.json(explanation, 200, uncached);
  } catch (error) {
    if (error instanceof AmbiguousRequestError)
      return problem(c, 400, "ambiguous", error.message, { more: { choices: error.choices } });
    if (error instanceof RequestSyntaxError) return problem(c, 400, "bad-request", error.message);
    throw error;
  }
}

/** The Gateway and the address that the query of a request chooses. */
export function choiceIn(c: Context): ListenerChoice {
  const { gateway, address } = c.req.query();
  return { ...(gateway ? { gateway } : {}), ...(address ? { address } : {}) };
}

/**
 * `GET /graph?host=HOST`, or a page of all hosts in the order of their names: `?after=HOST&limit=N`; `next` is the
 * `after` of the next page. With `requests` each route has a request that it takes; `gateway` and `address` keep the listeners of a Gateway or an IP address. `format` is `json`, `dot`, `svg` or
 * `text`. A page of an SVG has `maxDrawnHosts` hosts at most.
 */
export function answerGraph(c: Context, inspected: Inspected, who: Identity): Response {
  const { snapshot, store, platform, settings } = inspected.engine;
  if (!snapshot) return nothingPublished(c);
  const { host, after = "", requests } = c.req.query();
  const format = pictureFormats.find((one) => one === (c.req.query("format") ?? "json"));
  if (!format) return problem(c, 400, "bad-format", `format is one of ${pictureFormats.join(", ")}`);
  const largest = format === "svg" ? maxDrawnHosts : maxPageSize;
  const limit = c.req.query("limit") ?? String(Math.min(pageSize, largest));
  const size = Number(limit);
  if (!/^\d+$/.test(limit) || size < 1 || size > largest)
    return problem(c, 400, "bad-limit", `limit is a number from 1 to ${largest}`);
  const hosts = servedHosts(snapshot);
  const chosen =
    host === undefined
      ? hosts.filter((name) => name > after).slice(0, size)
      : hosts.filter((name) => name === host.toLowerCase());
  if (host !== undefined && chosen.length === 0)
    return problem(c, 404, "not-found", "this host is not served");
  const origins = originsIn(store, settings, platform);
  const shown = { values: valuesFor(who), requests: requests !== undefined, choice: choiceIn(c) };
  const last = chosen.at(-1) ?? "";
  const next = host === undefined && last !== hosts.at(-1) && last !== "" ? { next: last } : {};
  const nodes = hostNodes(chosen, snapshot, origins, shown);
  if (format === "json") return c.json({ hosts: nodes, ...next }, 200, uncached);
  return c.body(formatHosts(nodes, format), 200, {
    ...uncached,
    "content-type": format === "svg" ? "image/svg+xml" : "text/plain; charset=utf-8",
    // A picture contains names that users wrote, so a browser that opens it must not run anything.
    "content-security-policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
    "x-content-type-options": "nosniff",
    ...("next" in next && next.next ? { link: nextLink(c, next.next) } : {}),
  });
}

/** The link to the next page, as in RFC 8288. */
function nextLink(c: Context, after: string): string {
  const url = new URL(c.req.url);
  url.searchParams.set("after", after);
  return `<${url.pathname}${url.search}>; rel="next"`;
}
