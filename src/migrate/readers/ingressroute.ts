import { type Conversion, partOf } from "../conversion.js";
import type { Field } from "../field.js";
import { matchOf, prefix } from "../matches.js";
import type {
  RouteFilters,
  SourceBackend,
  SourceBalancing,
  SourceHealthCheck,
  SourcePart,
  SourceRoute,
} from "../model.js";
import { noFilters } from "../model.js";
import { collectionsOf, type Peer } from "../peer.js";
import type { SourceObject } from "../source.js";
import { carried, changed, ignored, type KindTable } from "../table.js";

const group = "contour.heptio.com";
const kind = "IngressRoute";
const classAnnotation = "contour.heptio.com/ingress.class";

const serviceRows = (at: string) => ({
  [`${at}.name`]: carried,
  [`${at}.port`]: carried,
  [`${at}.weight`]: carried,
  [`${at}.strategy`]: carried,
  [`${at}.healthCheck`]: carried,
  [`${at}.validation.caSecret`]: carried,
  [`${at}.validation.subjectName`]: carried,
});

const table: KindTable = {
  fields: {
    "spec.virtualhost.fqdn": carried,
    "spec.virtualhost.tls.secretName": carried,
    "spec.virtualhost.tls.minimumProtocolVersion": carried,
    "spec.virtualhost.tls.passthrough": carried,
    "spec.routes[].match": carried,
    ...serviceRows("spec.routes[].services[]"),
    "spec.routes[].delegate.name": carried,
    "spec.routes[].delegate.namespace": carried,
    "spec.routes[].enableWebsockets": carried,
    "spec.routes[].permitInsecure": carried,
    "spec.routes[].prefixRewrite": carried,
    "spec.routes[].timeoutPolicy.request": carried,
    "spec.routes[].retryPolicy.count": carried,
    "spec.routes[].retryPolicy.perTryTimeout": carried,
    ...serviceRows("spec.tcpproxy.services[]"),
    "spec.tcpproxy.services[].weight": changed(
      "weights have no meaning for tcpproxy of an IngressRoute; all Services get the same",
    ),
    "spec.tcpproxy.services[].strategy": changed("has no effect for tcpproxy of an IngressRoute; left out"),
    "spec.tcpproxy.services[].healthCheck": changed(
      "has no effect for tcpproxy of an IngressRoute; left out",
    ),
    "spec.tcpproxy.services[].validation": changed("has no effect for tcpproxy of an IngressRoute; left out"),
    "spec.tcpproxy.delegate": carried,
  },
  annotations: { [classAnnotation]: ignored, "kubernetes.io/ingress.class": ignored },
  prefixes: ["contour.heptio.com/"],
};

/**
 * Contour's API before HTTPProxy. Delegations are resolved: each root becomes one object with the complete paths of all
 * its routes.
 */
export const ingressRoute: Peer = {
  name: "ingressroute",
  groups: [group],
  kinds: [],
  collections: collectionsOf(group, ["v1beta1"], [kind]),
  served: () => ({}),
  takes: (object) => object.group === group && object.kind === kind,
  read(objects, conversion) {
    for (const object of objects) conversion.take(object, table);
    const used = new Set<SourceObject>();
    for (const root of objects) {
      const fqdn = root.root.at("spec", "virtualhost", "fqdn").text();
      if (fqdn !== undefined) readRoot(root, fqdn.toLowerCase(), { conversion, used });
    }
    for (const object of objects) {
      if (object.root.at("spec", "virtualhost").given || used.has(object)) continue;
      object.root.at("spec").use();
      conversion.remark(
        "warning",
        partOf(object),
        "no root delegates to it, so that it is not served; left out",
      );
    }
  },
};

interface Reading {
  readonly conversion: Conversion;
  readonly used: Set<SourceObject>;
}

function readRoot(root: SourceObject, host: string, reading: Reading): void {
  const { conversion } = reading;
  const tls = root.root.at("spec", "virtualhost", "tls");
  const secret = tls.at("secretName").text();
  const passthrough = tls.at("passthrough").flag() ?? false;
  const minimum = tls.at("minimumProtocolVersion").text();
  const part = partOf(root, root.root.at("spec", "virtualhost"));
  const tcp = root.root.at("spec", "tcpproxy");
  const backends = tcp.given ? tcpBackends(root, tcp, [root], reading) : [];
  const own = backends.length > 0 ? { tcp: backends } : {};
  if (minimum !== undefined && minimum !== "1.2" && minimum !== "1.3")
    conversion.remark(
      "warning",
      partOf(root, tls.at("minimumProtocolVersion")),
      `TLS ${minimum} is not served; 1.2 is the least`,
      { hosts: [host] },
    );
  if (secret) {
    const slash = secret.indexOf("/");
    conversion.sites.push({
      part,
      host,
      tls: {
        kind: "terminate",
        secret: {
          namespace: slash < 0 ? root.namespace : secret.slice(0, slash),
          name: secret.slice(slash + 1),
        },
        ...(minimum === "1.3" || minimum === "1.2" ? { minimum } : {}),
      },
      ...own,
    });
  } else if (passthrough && backends.length > 0)
    conversion.sites.push({ part, host, tls: { kind: "passthrough" }, ...own });
  const routes: SourceRoute[] = [];
  readRoutes(root, { host, hasTls: secret !== undefined && secret !== "", parents: [root], routes }, reading);
  const lastOf = new Map(routes.map((route) => [route.match.path.value, route]));
  for (const route of routes)
    if (lastOf.get(route.match.path.value) === route) conversion.routes.push(route);
    else {
      const message = `a later route has the same match ${route.match.path.value}, which counts; left out`;
      conversion.remark("info", route.parts[0] ?? part, message, { hosts: [host] });
    }
}

interface Place {
  readonly host: string;
  readonly hasTls: boolean;
  /** The chain of delegating objects, starting with the root. */
  readonly parents: readonly SourceObject[];
  /** The match of the delegating route. */
  readonly within?: string;
  /** The list that receives the routes. */
  readonly routes: SourceRoute[];
}

/** Reads the routes up to the first invalid one, because IngressRoute serves only the routes before it. */
function readRoutes(object: SourceObject, place: Place, reading: Reading): void {
  const fields = object.root.at("spec", "routes").items();
  for (const [i, field] of fields.entries()) {
    const match = field.at("match").text();
    const problem = routeProblem(field, match, place);
    if (problem !== undefined || match === undefined) {
      for (const left of fields.slice(i)) left.use();
      const message = `${problem ?? "match is missing"}: it and the routes after it are not served; left out`;
      reading.conversion.remark("warning", partOf(object, field), message, { hosts: [place.host] });
      return;
    }
    if (field.at("services").given) addRoute(object, field, match, place, reading);
    else follow(object, field, match, place, reading);
  }
}

function routeProblem(field: Field, match: string | undefined, { within }: Place): string | undefined {
  const slashed = (path: string): string => (path.endsWith("/") ? path : `${path}/`);
  if (field.at("services").given && field.at("delegate").given) return "has both services and delegate";
  if (match !== undefined && within !== undefined && !slashed(match).startsWith(slashed(within)))
    return `its match ${match} is not within ${within} of the route that delegates here`;
  return undefined;
}

function follow(object: SourceObject, field: Field, match: string, place: Place, reading: Reading): void {
  const { conversion, used } = reading;
  const name = field.at("delegate", "name").text() ?? "";
  const namespace = field.at("delegate", "namespace").text() || object.namespace;
  const target = conversion.find(group, kind, namespace, name);
  const problem = delegateProblem(target, `${namespace}/${name}`, place);
  if (!target || problem !== undefined) {
    conversion.remark("warning", partOf(object, field), `${problem}; left out`, { hosts: [place.host] });
    return;
  }
  used.add(target);
  readRoutes(target, { ...place, parents: [...place.parents, target], within: match }, reading);
}

/** The reason why IngressRoute does not follow a delegation, or undefined. */
function delegateProblem(
  target: SourceObject | undefined,
  name: string,
  { parents }: Place,
): string | undefined {
  if (name.endsWith("/")) return "has neither services nor delegate";
  if (!target) return `IngressRoute ${name} is not among the input: nothing is served here`;
  if (parents.includes(target)) return "delegates in a circle, which is not served";
  return target.root.at("spec", "virtualhost").given ? `IngressRoute ${name} is a root` : undefined;
}

function addRoute(
  object: SourceObject,
  field: Field,
  match: string,
  place: Place,
  { conversion }: Reading,
): void {
  const services = field.at("services").items();
  const part = partOf(object, field);
  const backends = services.map((service) => backendOf(object, service));
  const strategies = new Set(services.map((service) => service.at("strategy").text() ?? ""));
  const checks = services.map((service) => healthCheckOf(service.at("healthCheck")));
  if (strategies.size > 1 || new Set(checks.map((check) => JSON.stringify(check))).size > 1)
    conversion.remark(
      "error",
      part,
      "its services differ in strategy or healthCheck, of which a route has one: that of the first is used",
      {
        hosts: [place.host],
        todo: "let all services of the route have the same",
      },
    );
  const isInsecure = field.at("permitInsecure").flag() ?? false;
  const route: SourceRoute = {
    parts: [part],
    hosts: [place.host],
    match: matchOf(prefix(match)),
    action: { kind: "forward", backends },
    filters: filtersOf(field, strategyOf(services[0]?.at("strategy").text()), checks[0]),
    access: [],
    http: place.hasTls && !isInsecure ? 301 : "serve",
    https: place.hasTls,
    precedence: -match.length,
  };
  place.routes.push(route);
}

const strategies = ["Random", "WeightedLeastRequest", "Cookie"] as const;

const strategyOf = (text: string | undefined): SourceBalancing | undefined => {
  const strategy = strategies.find((one) => one === text);
  return strategy && { strategy };
};

function filtersOf(
  field: Field,
  balancing: SourceBalancing | undefined,
  healthCheck: SourceHealthCheck | undefined,
): RouteFilters {
  const rewrite = field.at("prefixRewrite").text();
  const retry = field.at("retryPolicy");
  const perTry = retry.at("perTryTimeout").text();
  const count = retry.at("count").number();
  return {
    ...noFilters(timeoutOf(field.at("timeoutPolicy", "request").text())),
    ...(rewrite ? { rewrite: { kind: "prefix", value: rewrite } } : {}),
    ...(retry.given
      ? {
          retry: {
            count: count || 1,
            on: [],
            ...(perTry !== undefined && isDuration(perTry) ? { perTry } : {}),
          },
        }
      : {}),
    ...(balancing ? { balancing } : {}),
    ...(healthCheck ? { healthCheck } : {}),
    websockets: field.at("enableWebsockets").flag() ?? false,
  };
}

const isDuration = (text: string): boolean => /^(?:\d+(?:\.\d+)?(?:h|m|s|ms|us|µs|ns))+$/.test(text);

/** A value that cannot be parsed disables the timeout. Without a value, Envoy's default applies. */
function timeoutOf(text: string | undefined): string | undefined {
  if (text === undefined || text === "") return undefined;
  return isDuration(text) && !/^0+(?:\.0+)?[a-z]+$/.test(text) ? text : "infinity";
}

function healthCheckOf(field: Field): SourceHealthCheck | undefined {
  const path = field.at("path").text();
  const host = field.at("host").text();
  if (path === undefined) return undefined;
  const numbers = [
    "intervalSeconds",
    "timeoutSeconds",
    "unhealthyThresholdCount",
    "healthyThresholdCount",
  ] as const;
  const given = numbers.flatMap((name) => {
    const value = field.at(name).number();
    return value === undefined ? [] : [[name, value]];
  });
  return { path, ...(host === undefined ? {} : { host }), ...Object.fromEntries(given) };
}

function backendOf(object: SourceObject, field: Field): SourceBackend {
  const port = field.at("port").number() ?? 0;
  const weight = field.at("weight").number();
  const caSecret = field.at("validation", "caSecret").text();
  const subjectName = field.at("validation", "subjectName").text();
  return {
    namespace: object.namespace,
    name: field.at("name").text() ?? "",
    port,
    ...(weight === undefined ? {} : { weight }),
    ...(caSecret && subjectName ? { validation: { caSecret, subjectName } } : {}),
  };
}

function tcpBackends(
  object: SourceObject,
  tcp: Field,
  parents: readonly SourceObject[],
  reading: Reading,
): SourceBackend[] {
  const { conversion, used } = reading;
  const part: SourcePart = partOf(object, tcp);
  const services = tcp.at("services").items();
  if (services.length > 0)
    return services.map((service) => {
      service.use();
      return {
        namespace: object.namespace,
        name: service.at("name").text() ?? "",
        port: service.at("port").number() ?? 0,
      };
    });
  const name = tcp.at("delegate", "name").text();
  const namespace = tcp.at("delegate", "namespace").text() || object.namespace;
  const target = name === undefined ? undefined : conversion.find(group, kind, namespace, name);
  if (!target || parents.includes(target) || target.root.at("spec", "virtualhost").given) {
    conversion.remark("warning", part, "delegates to no IngressRoute that could be served; left out");
    return [];
  }
  used.add(target);
  return tcpBackends(target, target.root.at("spec", "tcpproxy"), [...parents, target], reading);
}
