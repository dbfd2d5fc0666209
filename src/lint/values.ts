import { pathText } from "../schema/field-path.js";
import type { Finding } from "../schema/meta.js";
import type { KubeObject } from "../schema/object.js";
import { nearestName } from "../schema/spelling.js";
import { placesOf } from "../schema/unsupported-fields.js";
import { lint } from "./lint.js";

/** A field whose unknown values stand for the default, as in Contour. */
interface LenientField {
  readonly path: string;
  readonly values: readonly string[];
  readonly fallback: string;
}

const strategies = ["RoundRobin", "WeightedLeastRequest", "Random"];
const ofRequests = [...strategies, "Cookie", "RequestHash"];
const strategy = (path: string, values: readonly string[]): LenientField => ({
  path,
  values,
  fallback: "RoundRobin",
});
const versions = ["1.2", "1.3"];

const fields: Readonly<Partial<Record<KubeObject["kind"], readonly LenientField[]>>> = {
  HTTPProxy: [
    strategy("spec.routes.loadBalancerPolicy.strategy", ofRequests),
    strategy("spec.tcpproxy.loadBalancerPolicy.strategy", ofRequests),
    { path: "spec.virtualhost.tls.minimumProtocolVersion", values: versions, fallback: "1.2" },
    { path: "spec.virtualhost.tls.maximumProtocolVersion", values: versions, fallback: "1.3" },
  ],
  IngressRoute: [
    strategy("spec.routes.services.strategy", [...strategies, "Cookie"]),
    strategy("spec.tcpproxy.services.strategy", [...strategies, "Cookie"]),
    { path: "spec.virtualhost.tls.minimumProtocolVersion", values: versions, fallback: "1.2" },
  ],
  ExtensionService: [strategy("spec.loadBalancerPolicy.strategy", ofRequests)],
};

/** Warnings about unknown values, such as a strategy in another case. */
export const lintValues = (object: KubeObject): Finding[] =>
  (fields[object.kind] ?? []).flatMap((field) =>
    placesOf(object, field.path.split(".")).flatMap(({ path, value }) => {
      const problem = problemOf(value, field);
      return problem
        ? lint(object.ref, { reason: "UnknownValue", message: problem, path: pathText(path) })
        : [];
    }),
  );

function problemOf(value: unknown, { values, fallback }: LenientField): string | undefined {
  if (typeof value !== "string" || value === "" || values.includes(value)) return undefined;
  const near = nearestName(value, values);
  const hint = near ? `; did you mean ${near}?` : "";
  return `${JSON.stringify(value.slice(0, 80))} is not one of ${values.join(", ")}; ${fallback} is used${hint}`;
}
