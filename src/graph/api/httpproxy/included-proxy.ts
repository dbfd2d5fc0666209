import type { ErrorCode } from "../../../schema/finding-codes.js";
import type { Ref } from "../../../schema/meta.js";
import { isAllowedClass } from "../../core/class.js";
import type { HTTPProxy, Reader, Report } from "../../core/reader.js";
import { type Followed, follow } from "../roots/follow.js";

/** The included object if it is of a served class. Objects of another controller count as missing. */
export function includedProxy(reader: Reader, namespace: string, name: string): HTTPProxy | undefined {
  const proxy = reader.get("HTTPProxy", namespace, name);
  return proxy && isAllowedClass(proxy, proxy.spec.ingressClassName, reader.settings) ? proxy : undefined;
}

/** Where an include does not lead. */
interface Problem {
  readonly kind: "problem";
  readonly reason: ErrorCode;
  readonly message: string;
}

/** Follows an include of `proxy`, the last of `chain`. */
export function readInclude(
  proxy: HTTPProxy,
  include: { readonly namespace?: string; readonly name: string },
  chain: readonly Ref[],
  reader: Reader,
  report: Report,
): Extract<Followed<HTTPProxy>, { kind: "target" | "end" }> | Problem {
  const namespace = include.namespace || proxy.meta.namespace;
  const name = `${namespace}/${include.name}`;
  const problem = (reason: ErrorCode, message: string): Problem => ({ kind: "problem", reason, message });
  const found = follow(includedProxy(reader, namespace, include.name), chain, reader, report);
  switch (found.kind) {
    case "missing":
      return problem("IncludeNotFound", `include ${name} not found`);
    case "root":
      return problem("RootIncludesRoot", `root httpproxy cannot include another root httpproxy (${name})`);
    case "forbidden":
      return problem("IncludeNotPermitted", `include is not permitted: ${found.why}`);
    default:
      return found;
  }
}
