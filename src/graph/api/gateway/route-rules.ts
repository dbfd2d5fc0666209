import { UnitCache } from "../../../schema/compile-cache.js";
import type { Finding, Ref } from "../../../schema/meta.js";
import type { NeededUnit } from "../../core/keys.js";
import { NeedCollector } from "../../core/need-collector.js";
import { createReport, type Kind, type ObjectByKind, type Reader } from "../../core/reader.js";
import { type RuleRoutes, readGrpcRules, readHttpRules } from "./http-route.js";
import { routeContext } from "./problems.js";

type RuledRoute = ObjectByKind<"HTTPRoute" | "GRPCRoute">;

/** The parts of a Gateway and its listener that the clusters of a route depend on. */
export interface RuleOptions {
  /** The protocol of backends of a GRPCRoute whose Services specify none. */
  readonly grpcProtocol: "h2" | "h2c";
  /** The client certificate of the Gateway for backends, as `<namespace>/<name>` of its Secret. */
  readonly certificate?: string | undefined;
}

/** The rules of a route as they are validated: with the usual protocol and without a client certificate. */
export const usualRules: RuleOptions = { grpcProtocol: "h2c" };

/** The result of reading the rules of a route: what is served if the route is attached, and what its status reports. */
interface ReadRules {
  readonly rules: readonly RuleRoutes[];
  readonly findings: readonly Finding[];
  /** The units that the rules need where they are served. */
  readonly needs: readonly NeededUnit[];
}

/** Reads the rules of a route, once per unit: its validation and all listeners use the same result. */
export function readRules(
  route: RuledRoute,
  { grpcProtocol, certificate }: RuleOptions,
  reader: Reader,
): ReadRules {
  const protocol = route.kind === "GRPCRoute" ? grpcProtocol : "";
  const key = [route.ref, protocol, certificate].join(" ");
  return reader.unitCache.once(evaluate, key, route, grpcProtocol, certificate, reader);
}

function evaluate(
  route: RuledRoute,
  grpcProtocol: RuleOptions["grpcProtocol"],
  certificate: string | undefined,
  reader: Reader,
): ReadRules {
  const collector = new NeedCollector(reader);
  const report = createReport();
  const context = routeContext(route, collector, report, certificate);
  const rules =
    route.kind === "HTTPRoute" ? readHttpRules(route, context) : readGrpcRules(route, context, grpcProtocol);
  return { rules, findings: report.findings, needs: collector.needs };
}

/** The BackendTLSPolicies of the Services that a route refers to. */
export function policiesOf(route: RuledRoute, reader: Reader): ReadonlySet<Ref> {
  const noting = new PolicyCollector(reader);
  readRules(route, usualRules, noting);
  return noting.policies;
}

/** Notes the BackendTLSPolicies that are read. Its cache is its own: a cached result reads nothing. */
class PolicyCollector extends NeedCollector {
  readonly policies = new Set<Ref>();
  readonly #cache = new UnitCache();

  override get unitCache(): UnitCache {
    return this.#cache;
  }

  override get<K extends Kind>(kind: K, namespace: string, name: string): ObjectByKind<K> | undefined {
    const object = this.inner.get(kind, namespace, name);
    if (object?.kind === "BackendTLSPolicy") this.policies.add(object.ref);
    return object;
  }
}
