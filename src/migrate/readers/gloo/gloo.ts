import { quoteRegex } from "../../../graph/matches/order.js";
import { isRecord } from "../../../schema/issues.js";
import { type Conversion, partOf } from "../../conversion.js";
import type { Field } from "../../field.js";
import {
  anyCasePrefix,
  anyPath,
  exact,
  header,
  matchOf,
  method,
  methods,
  prefix,
  query,
  regex,
} from "../../matches.js";
import type { Redirect, RouteFilters, SourceAction, SourcePart, SourceRoute } from "../../model.js";
import { collectionsOf, type Peer } from "../../peer.js";
import type { SourceObject } from "../../source.js";
import { backendsOf, optionsOf } from "./options.js";
import { policyTable, routeTableTable, virtualServiceTable } from "./table.js";

export const gatewayGroup = "gateway.solo.io";
const attached = ["RouteOption", "VirtualHostOption", "TrafficPolicy", "HTTPListenerPolicy", "RoutePolicy"];

/** Gloo: VirtualServices. HTTPRoutes of kgateway are kept, except those with an attached policy. */
export const gloo: Peer = {
  name: "gloo",
  groups: ["solo.io", "kgateway.dev"],
  kinds: [
    `RouteTable.${gatewayGroup}`,
    `Gateway.${gatewayGroup}`,
    "Upstream.gloo.solo.io",
    "UpstreamGroup.gloo.solo.io",
  ],
  collections: [
    ...collectionsOf(
      gatewayGroup,
      ["v1"],
      ["VirtualService", "RouteTable", "RouteOption", "VirtualHostOption"],
    ),
    ...collectionsOf("gloo.solo.io", ["v1"], ["Upstream", "UpstreamGroup"]),
    ...collectionsOf("gateway.kgateway.dev", ["v1alpha1"], ["TrafficPolicy", "HTTPListenerPolicy"]),
  ],
  takes: ({ group, kind }) =>
    (group === gatewayGroup && kind === "VirtualService") ||
    ((group === gatewayGroup || group === "gateway.kgateway.dev") && attached.includes(kind)),
  read(objects, conversion) {
    for (const object of objects) {
      if (object.kind === "VirtualService") readVirtualService(object, conversion);
      else withhold(object, conversion);
    }
  },
  beside: [
    {
      kinds: ["AuthConfig"],
      message: "AuthConfigs and the Settings of Gloo may restrict access, and none are among the input",
      todo: "look for extauth and ratelimit in Settings",
    },
  ],
};

/** Leaves out the targets of a policy, which must not be served without it. */
function withhold(object: SourceObject, conversion: Conversion): void {
  conversion.take(object, policyTable);
  const refs = object.root.at("spec", "targetRefs").items();
  for (const ref of refs) {
    const [kind, name] = [ref.at("kind").text() ?? "", ref.at("name").text() ?? ""];
    const group = "gateway.networking.k8s.io";
    const found = conversion.find(group, kind, object.namespace, name);
    if (kind === "Gateway")
      for (const route of conversion.ofKind(group, "HTTPRoute")) conversion.withheld.add(route);
    else if (found) conversion.withheld.add(found);
  }
  for (const route of conversion.ofKind("gateway.networking.k8s.io", "HTTPRoute"))
    if (JSON.stringify(route.value).includes(`"name":${JSON.stringify(object.name)}`))
      conversion.withheld.add(route);
}

interface Place {
  readonly hosts: readonly string[];
  readonly hasTls: boolean;
  readonly parts: readonly SourcePart[];
  readonly parents: readonly SourceObject[];
  /** The options of the virtual host, which are defaults for its routes. */
  readonly host: Field;
  readonly conversion: Conversion;
}

function readVirtualService(object: SourceObject, conversion: Conversion): void {
  conversion.take(object, virtualServiceTable);
  const host = object.root.at("spec", "virtualHost");
  const domains = host
    .at("domains")
    .texts()
    .map((domain) => domain.toLowerCase().replace(/:\d+$/, ""));
  const hosts = [...new Set(domains.length > 0 ? domains : ["*"])];
  const hasTls = addSites(object, hosts, conversion);
  const place: Place = { hosts, hasTls, parts: [], parents: [object], host: host.at("options"), conversion };
  for (const field of host.at("routes").items()) readRoute(object, field, place);
}

/** Adds the sites of hosts. Returns whether the hosts have a certificate. */
function addSites(object: SourceObject, hosts: readonly string[], conversion: Conversion): boolean {
  const ssl = object.root.at("spec", "sslConfig");
  const part = partOf(object, ssl);
  const name = ssl.at("secretRef", "name").text();
  const namespace = ssl.at("secretRef", "namespace").text() ?? object.namespace;
  ssl.at("sniDomains").use();
  const version = ssl.at("parameters", "minimumProtocolVersion").text();
  const minimum = version === "TLSv1_3" ? "1.3" : version === "TLSv1_2" ? "1.2" : undefined;
  const isOneWay = ssl.at("oneWayTls").flag() ?? false;
  if (name === undefined) return false;
  const secret = { namespace, name };
  const found = conversion.find("", "Secret", namespace, name);
  const client = isWithCa(found) && !isOneWay ? { ca: secret, optional: false } : undefined;
  if (!found && !isOneWay)
    conversion.remark(
      "warning",
      part,
      "where the Secret has ca.crt, clients need certificates in Gloo, and here none",
      { hosts, todo: "give the Secret among the input, or write clientValidation" },
    );
  for (const host of hosts)
    if (host !== "*")
      conversion.sites.push({
        part,
        host,
        tls: { kind: "terminate", secret, ...(minimum ? { minimum } : {}), ...(client ? { client } : {}) },
      });
  return true;
}

const isWithCa = (secret: SourceObject | undefined): boolean => {
  const data = secret?.value.data;
  return isRecord(data) && (data["ca.crt"] !== undefined || data.rootca !== undefined);
};

function readRoute(object: SourceObject, field: Field, place: Place): void {
  const { conversion, hosts, hasTls, parts } = place;
  const part = partOf(object, field);
  const matchers = field.at("matchers").items();
  const matches = matchers.length > 0 ? matchers.flatMap(matcherOf) : [{ match: matchOf(anyPath) }];
  const delegate = field.at("delegateAction");
  if (delegate.seen()) {
    follow(object, field, delegate, place);
    return;
  }
  const context = { owner: object, hosts, conversion, part };
  const target = backendsOf(field.at("routeAction"), context);
  const options = optionsOf(field.at("options"), place.host, context);
  const redirect = redirectOf(field.at("redirectAction"));
  const response = field.at("directResponseAction");
  const respond = response.seen()
    ? { status: response.at("status").number() ?? 503, body: response.at("body").text() ?? "" }
    : undefined;
  if (target.backends.length === 0 && !redirect && !respond && !target.closed)
    conversion.remark("error", part, "has no action that is known here; answered 503", {
      hosts,
      closes: true,
    });
  const answer: SourceAction = redirect
    ? { kind: "redirect", redirect }
    : respond
      ? { kind: "respond", ...respond }
      : target.backends.length > 0
        ? { kind: "forward", backends: target.backends }
        : { kind: "respond", status: 503, body: "" };
  const isLost = target.closed || (answer.kind === "respond" && !respond);
  for (const { match, problem } of matches) {
    if (problem !== undefined)
      conversion.remark("error", part, `${problem}; answered 503`, { hosts, closes: true });
    conversion.routes.push({
      parts: [part, { object, path: "spec.virtualHost.options" }, ...parts, ...target.parts],
      hosts,
      match,
      ...(match.path.kind === "prefix" ? { action: answer, filters: options } : wholePaths(answer, options)),
      access: [],
      // A VirtualService is either for TLS or for plain connections.
      http: hasTls ? "none" : "serve",
      https: hasTls,
      ...(isLost || problem !== undefined ? { closed: true } : {}),
    });
  }
}

/** If the match is not a prefix, a rewrite replaces the whole path. */
function wholePaths(action: SourceAction, filters: RouteFilters): Pick<SourceRoute, "action" | "filters"> {
  const { rewrite } = filters;
  return {
    action: action.kind === "redirect" ? { kind: "redirect", redirect: wholePath(action.redirect) } : action,
    filters:
      rewrite?.kind === "prefix" ? { ...filters, rewrite: { kind: "full", value: rewrite.value } } : filters,
  };
}

const wholePath = (redirect: Redirect): Redirect =>
  redirect.path?.kind === "prefix"
    ? { ...redirect, path: { kind: "full", value: redirect.path.value } }
    : redirect;

/** Reads the routes of RouteTables. Their paths are complete, not relative to the delegating route. */
function follow(object: SourceObject, field: Field, delegate: Field, place: Place): void {
  const { conversion, hosts, parents } = place;
  const part = partOf(object, field);
  const ref = delegate.at("ref").given ? delegate.at("ref") : delegate;
  const name = ref.at("name").text();
  const namespace = ref.at("namespace").text() ?? object.namespace;
  const labels = delegate.at("selector", "labels").record();
  const spaces = delegate.at("selector", "namespaces").texts();
  const all = conversion.ofKind(gatewayGroup, "RouteTable");
  const found =
    name === undefined
      ? all.filter(
          (table) =>
            (spaces.length === 0
              ? table.namespace === object.namespace
              : spaces.includes("*") || spaces.includes(table.namespace)) &&
            labels.every(([key, value]) => table.labels[key] === value),
        )
      : all.filter((table) => table.name === name && table.namespace === namespace);
  const weightOf = ({ root }: SourceObject): number => root.at("spec", "weight").number() ?? 0;
  const sorted = [...found].sort((a, b) => weightOf(a) - weightOf(b));
  if (sorted.length === 0 || sorted.some((table) => parents.includes(table))) {
    const why =
      sorted.length === 0 ? "no RouteTable of the input is meant" : "the RouteTable leads back to itself";
    conversion.remark("error", part, `${why}: what is delegated is left out`, {
      hosts,
      todo: "give the RouteTables among the input",
    });
    return;
  }
  for (const table of sorted) {
    conversion.take(table, routeTableTable);
    for (const route of table.root.at("spec", "routes").items())
      readRoute(table, route, { ...place, parts: [...place.parts, part], parents: [...parents, table] });
  }
}

/** One match for each method. */
function matcherOf(field: Field): { match: SourceRoute["match"]; problem?: string }[] {
  const anyCase = field.at("caseSensitive").flag() === false;
  const [start, whole, pattern] = [
    field.at("prefix").text(),
    field.at("exact").text(),
    field.at("regex").text(),
  ];
  const path =
    whole !== undefined
      ? anyCase
        ? regex(`(?i)${quoteRegex(whole)}`)
        : exact(whole)
      : pattern !== undefined
        ? regex(anyCase ? `(?i)${pattern}` : pattern)
        : anyCase
          ? anyCasePrefix(start ?? "/")
          : prefix(start ?? "/");
  const headers = field
    .at("headers")
    .items()
    .map((one) => {
      const [name, value] = [one.at("name").text() ?? "", one.at("value").text()];
      const invert = one.at("invertMatch").flag() ?? false;
      const isPattern = one.at("regex").flag() ?? false;
      one.use();
      if (!value) return header(name, "present", "", { invert });
      return header(name, isPattern ? "regex" : "exact", value, { invert, treatMissingAsEmpty: invert });
    });
  const queries = field
    .at("queryParameters")
    .items()
    .map((one) => {
      const [name, value] = [one.at("name").text() ?? "", one.at("value").text()];
      one.use();
      if (!value) return query(name, "present");
      return query(name, one.at("regex").flag() ? "regex" : "exact", value);
    });
  const asked = field.at("methods").texts();
  const wrong = asked.find((name) => !methods.includes(name.toUpperCase()));
  const lists = asked.length > 0 ? asked.map((name) => [...headers, method(name)]) : [headers];
  return lists.map((own) => ({
    match: matchOf(path, own, queries),
    ...(wrong === undefined ? {} : { problem: `the method ${wrong} can't be said` }),
  }));
}

const codes: Readonly<Record<string, number>> = {
  MOVED_PERMANENTLY: 301,
  FOUND: 302,
  SEE_OTHER: 303,
  TEMPORARY_REDIRECT: 307,
  PERMANENT_REDIRECT: 308,
};

function redirectOf(field: Field): Redirect | undefined {
  if (!field.seen()) return undefined;
  const hostname = field.at("hostRedirect").text();
  const [whole, start] = [field.at("pathRedirect").text(), field.at("prefixRewrite").text()];
  const code = field.at("responseCode").text() ?? "";
  return {
    ...(field.at("httpsRedirect").flag() ? { scheme: "https" as const } : {}),
    ...(hostname === undefined ? {} : { hostname }),
    ...(whole === undefined
      ? start === undefined
        ? {}
        : { path: { kind: "prefix" as const, value: start } }
      : { path: { kind: "full" as const, value: whole } }),
    status: (Object.hasOwn(codes, code) ? codes[code] : undefined) ?? 301,
  };
}
