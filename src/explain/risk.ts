import type { ConfigChange } from "./change.js";
import type { Detail } from "./leaves.js";

/**
 * Possible effects of a change on the users of a host, highest risk first. The codes are stable: pipelines read them.
 */
export const riskCodes = [
  "host-gone",
  "tls-off",
  "error-answer",
  "authorization-dropped",
  "jwt-dropped",
  "address-filter-dropped",
  "client-certificate-dropped",
  "rate-limit-dropped",
  "https-redirect-dropped",
  "tls-version-lowered",
  "listener-closed",
  "route-lost",
  "route-shadowed",
  "catch-all-widened",
  "protection-changed",
  "upstream-tls-changed",
  "certificate-changed",
  "backends-changed",
  "weights-changed",
  "timeout-changed",
  "retry-changed",
] as const;
export type RiskCode = (typeof riskCodes)[number];

const ranks: ReadonlyMap<RiskCode, number> = new Map(riskCodes.map((code, i) => [code, i]));

/** The rank of the highest risk, 0 for the first code; above all ranks without a risk. */
export const rankOf = (risk: readonly RiskCode[]): number =>
  Math.min(riskCodes.length, ...risk.map((code) => ranks.get(code) ?? riskCodes.length));

/** Each code once, highest risk first. */
export const sortedRisk = (risk: Iterable<RiskCode>): RiskCode[] => {
  const all = new Set(risk);
  return riskCodes.filter((code) => all.has(code));
};

const dropped: Readonly<Record<string, RiskCode>> = {
  authorization: "authorization-dropped",
  JWT: "jwt-dropped",
  addresses: "address-filter-dropped",
  "client certificate": "client-certificate-dropped",
  "local rate limit": "rate-limit-dropped",
  "global rate limit": "rate-limit-dropped",
};

/** The risks of differing facts, for requests that are served on both sides. */
export function riskOfDetails(details: readonly Detail[]): RiskCode[] {
  // If only one side forwards, the details of forwarding are not a change of their own.
  const isOther = details.some(
    ({ what, before, after }) => forwards.has(what) && (before === undefined) !== (after === undefined),
  );
  return details.flatMap((detail) =>
    isOther && ofForwarding.has(detail.what) ? [] : (riskOfDetail(detail) ?? []),
  );
}

const forwards = new Set(["backends", "TCP to"]);
const ofForwarding = new Set([...forwards, "timeout", "idle timeout", "retries"]);

function riskOfDetail({ what, before, after }: Detail): RiskCode | undefined {
  const code = dropped[what];
  if (code) {
    if (before === undefined || isOff(before)) return undefined;
    if (after === undefined || isOff(after) || isWeaker(what, before, after)) return code;
    return "protection-changed";
  }
  switch (what) {
    case "TLS":
      return lowered(before, after) ? "tls-version-lowered" : undefined;
    case "certificate":
      return before === undefined || after === undefined ? undefined : "certificate-changed";
    case "backends":
    case "TCP to":
      return withoutWeights(before) === withoutWeights(after) ? "weights-changed" : "backends-changed";
    case "timeout":
    case "idle timeout":
      return "timeout-changed";
    case "retries":
      return "retry-changed";
    default:
      return what.startsWith("transport_socket") ? "upstream-tls-changed" : undefined;
  }
}

/** The text of `protectionFacts` for a route that is exempt from its host's authorization. */
const isOff = (fact: string): boolean => fact.startsWith("off (");

/**
 * Weaker: clients without a certificate, or with any certificate, are accepted; requests pass while the authorization
 * server does not answer.
 */
function isWeaker(what: string, before: string, after: string): boolean {
  if (what === "client certificate")
    return (
      (before.startsWith("required") && !after.startsWith("required")) ||
      (!before.includes("any certificate") && after.includes("any certificate"))
    );
  const open = "allows requests when it does not respond";
  return what === "authorization" && !before.includes(open) && after.includes(open);
}

function lowered(before: string | undefined, after: string | undefined): boolean {
  const [old, now] = [before, after].map((text) => /^1\.(\d)/.exec(text ?? "")?.[1]);
  return old !== undefined && now !== undefined && now < old;
}

const withoutWeights = (text: string | undefined): string => text?.replace(/ \(weight \d+\)/g, "") ?? "";

/** The risk of a change by itself; `compareRequests` reports the risks of requests. */
export function riskOfChange({ kind, change, details }: ConfigChange): RiskCode[] {
  if (kind === "certificate") return change === "changed" ? ["certificate-changed"] : [];
  if (kind === "listener") return change === "removed" ? ["listener-closed"] : riskOfDetails(details);
  if (kind === "endpoints") return [];
  return change === "changed" ? sortedRisk(riskOfDetails(details)) : [];
}
