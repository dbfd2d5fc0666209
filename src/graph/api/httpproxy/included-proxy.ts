import { isAllowedClass } from "../../core/class.js";
import type { HTTPProxy, Reader } from "../../core/reader.js";

/** The included object if it is of a served class. Objects of another controller count as missing. */
export function includedProxy(reader: Reader, namespace: string, name: string): HTTPProxy | undefined {
  const proxy = reader.get("HTTPProxy", namespace, name);
  return proxy && isAllowedClass(proxy, proxy.spec.ingressClassName, reader.settings) ? proxy : undefined;
}
