import type { ObjectByKind } from "../graph/core/reader.js";
import type { Finding } from "../schema/meta.js";
import { type Lint, lint } from "./lint.js";

type Ingress = ObjectByKind<"Ingress">;

/** Whether an Ingress of the same namespace has a rule for a host. */
type IsRuled = (host: string) => boolean;

/** Warnings about parts of an Ingress without effect. */
export function lintIngress({ ref, spec }: Ingress, isRuled: IsRuled): Finding[] {
  return [...tlsLints(spec, isRuled), ...pathLints(spec)].map((one) => lint(ref, one));
}

const noEffect = (path: string, message: string): Lint => ({ reason: "IgnoredField", message, path });

function tlsLints({ tls = [] }: Ingress["spec"], isRuled: IsRuled): Lint[] {
  const secrets = new Map<string, string>();
  return tls.flatMap(({ hosts = [], secretName }, i) => {
    const path = `spec.tls[${i}]`;
    if (!secretName)
      return [
        noEffect(path, "has no secretName, so its hosts have no certificate and are not served over TLS"),
      ];
    if (hosts.length === 0)
      return [noEffect(path, "has no hosts, so its certificate is not used; list the hosts of the rules")];
    return hosts.flatMap((text, j) => {
      const host = text.toLowerCase();
      const earlier = secrets.get(host);
      secrets.set(host, secretName);
      const problem = hostProblem(host, { secretName, earlier, isRuled });
      return problem ? [{ ...problem, path: `${path}.hosts[${j}]` }] : [];
    });
  });
}

interface HostContext {
  readonly secretName: string;
  /** The Secret of an earlier entry for the host. */
  readonly earlier: string | undefined;
  readonly isRuled: IsRuled;
}

function hostProblem(
  host: string,
  { secretName, earlier, isRuled }: HostContext,
): Omit<Lint, "path"> | undefined {
  const quoted = JSON.stringify(host);
  if (earlier !== undefined && earlier !== secretName)
    return {
      reason: "SeveralSecrets",
      message: `${quoted} has the Secret "${earlier}" in another entry; the last valid one is used`,
    };
  if (isRuled(host)) return undefined;
  const wildcard = host.startsWith("*.")
    ? ": the certificate of a wildcard is used only for a rule with this host"
    : "";
  return {
    reason: "IgnoredField",
    message: `no Ingress of this namespace has a rule for the host ${quoted}${wildcard}`,
  };
}

function pathLints({ rules = [] }: Ingress["spec"]): Lint[] {
  return rules.flatMap(({ http }, i) =>
    (http?.paths ?? []).flatMap(({ path = "", pathType }, j) => {
      if (!path.endsWith("/*") || (pathType !== "Prefix" && pathType !== "Exact")) return [];
      const message = `${JSON.stringify(path)} with pathType ${pathType} matches only paths with a *; write ${JSON.stringify(path.slice(0, -1))} with pathType Prefix`;
      return [{ reason: "LiteralWildcard", message, path: `spec.rules[${i}].http.paths[${j}].path` }];
    }),
  );
}
