import type { PathMatch } from "../../../graph/matches/match-types.js";
import { type Conversion, partOf } from "../../conversion.js";
import { exact, matchOf, segments } from "../../matches.js";
import type { Redirect, SourceRewrite, SourceRoute } from "../../model.js";
import type { IngressAnnotations } from "../ingress-rules.js";
import { accessOf, restrictionsOf } from "./access.js";
import { filtersOf } from "./filters.js";
import { type Location, type NginxHost, partsOf, precedenceOf } from "./location.js";
import { anyForm, usualForm } from "./rewrite.js";

/** The routes of one path of one host. */
export function locationRoutes(location: Location, host: NginxHost, conversion: Conversion): SourceRoute[] {
  const { annotations, object, backend } = location;
  const part = partOf(object, location.field);
  const matched = matchOfLocation(location, host, conversion);
  const url = redirectOf(annotations);
  const to = url === undefined ? undefined : urlRedirect(url);
  const restrictions = restrictionsOf(location, host, conversion);
  const access = accessOf(location, host, conversion);
  const { filters, backendOf } = filtersOf(location, host, conversion);
  const base = {
    parts: partsOf(location, host),
    hosts: [host.host],
    match: matchOf(matched.path),
    https: host.hasTls,
    precedence: precedenceOf(location, host),
  };
  if (url !== undefined && !to)
    conversion.remark("error", part, `the redirect to ${url} can't be said; answered 503`, {
      hosts: [host.host],
      closes: true,
    });
  // nginx evaluates redirects before address lists and passwords, and before the redirect to HTTPS.
  if (to) {
    conversion.remark("info", part, "the redirect keeps the query of the request", { hosts: [host.host] });
    const route: SourceRoute = {
      ...base,
      action: { kind: "redirect", redirect: to },
      filters,
      access: [],
      http: "serve",
    };
    return [route];
  }
  if (!backend)
    conversion.remark("warning", part, "has no Service as its backend; answered 503", {
      hosts: [host.host],
      closes: true,
    });
  const isClosed = restrictions || !backend || url !== undefined || matched.isClosed;
  return [
    {
      ...base,
      action: backend
        ? { kind: "forward", backends: [backendOf(backend)] }
        : { kind: "respond", status: 503, body: "" },
      filters: matched.rewrite ? { ...filters, rewrite: matched.rewrite } : filters,
      access,
      http: httpOf(location, host, conversion),
      ...(isClosed ? { closed: true } : {}),
    },
  ];
}

interface Matched {
  readonly path: PathMatch;
  readonly rewrite?: SourceRewrite;
  readonly isClosed?: boolean;
}

function matchOfLocation(location: Location, host: NginxHost, conversion: Conversion): Matched {
  const { path, type, annotations, object, field } = location;
  if (!host.isRegex) return { path: type === "Exact" ? exact(path) : segments(path) };
  const part = partOf(object, field);
  const target = annotations.text("rewrite-target");
  const note = (message: string): void => conversion.remark("info", part, message, { hosts: [host.host] });
  if (host.isUsual) {
    note(
      "the path is matched in the case that is written, and not in any case as ingress-nginx does on a host with use-regex or rewrite-target",
    );
    const { match, rewrite } = usualForm(path, target) ?? { match: segments(path) };
    return { path: match, ...(rewrite ? { rewrite } : {}) };
  }
  const { match, rewrite, problem } = anyForm(path, target);
  if (problem === undefined) return { path: match, ...(rewrite ? { rewrite } : {}) };
  conversion.remark("error", part, `the path ${path} ${problem}; answered 503`, {
    hosts: [host.host],
    closes: true,
    todo: "serve the Ingress as it is (setting ingressNginx), or let the backend take the path",
  });
  return { path: match, isClosed: true };
}

function httpOf(
  { annotations, path }: Location,
  host: NginxHost,
  conversion: Conversion,
): SourceRoute["http"] {
  const isForced = annotations.flag("force-ssl-redirect") ?? false;
  const isOn = annotations.flag("ssl-redirect") ?? true;
  if (path.startsWith("/.well-known/acme-challenge")) return "serve";
  if (!host.hasTls) {
    if (!isForced) return "serve";
    const part = annotations.partOf("force-ssl-redirect");
    conversion.remark(
      "warning",
      part,
      "redirects to HTTPS on a host without a certificate: that is for TLS that ends before Envoy, where it would go round in a circle; left out",
      {
        hosts: [host.host],
        todo: "name a certificate in spec.tls, or redirect where TLS ends",
      },
    );
    return "serve";
  }
  return isForced || isOn ? host.config.redirectStatus : "serve";
}

interface UrlRedirect {
  readonly url: string;
  readonly status: number;
}

/** The redirect of the annotations, as `STATUS URL`. The temporary redirect has precedence. */
export function redirectOf(annotations: IngressAnnotations): string | undefined {
  const { url, status } = chosenRedirect(annotations) ?? {};
  return url === undefined ? undefined : `${status} ${url}`;
}

function chosenRedirect(annotations: IngressAnnotations): UrlRedirect | undefined {
  const permanent = annotations.text("permanent-redirect");
  const permanentCode = annotations.number("permanent-redirect-code") ?? 301;
  const temporary = annotations.text("temporal-redirect");
  const temporaryCode = annotations.number("temporal-redirect-code") ?? 302;
  if (temporary !== undefined) return { url: temporary, status: codeOf(temporaryCode, 307, 302) };
  return permanent === undefined ? undefined : { url: permanent, status: codeOf(permanentCode, 308, 301) };
}

const codeOf = (code: number, highest: number, usual: number): number =>
  code >= 300 && code <= highest ? code : usual;

/**
 * Parses `STATUS URL`; undefined if the URL is invalid, or if Envoy's redirects do not support the URL or the status.
 */
export function urlRedirect(text: string): Redirect | undefined {
  const space = text.indexOf(" ");
  const status = Number(text.slice(0, space));
  if (![301, 302, 303, 307, 308].includes(status)) return undefined;
  let url: URL;
  try {
    url = new URL(text.slice(space + 1));
  } catch {
    return undefined;
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") return undefined;
  if (url.search !== "" || url.hash !== "" || url.username !== "") return undefined;
  return {
    scheme: url.protocol === "http:" ? "http" : "https",
    hostname: url.hostname,
    ...(url.port === "" ? {} : { port: Number(url.port) }),
    status,
    path: { kind: "full", value: url.pathname },
  };
}
