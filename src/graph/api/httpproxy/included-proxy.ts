import { isAllowedClass } from "../../core/class.js";
import type { HTTPProxy, Reader } from "../../core/reader.js";

/** What an include names, if it is of our class: another controller's objects are not there for us. */
export function includedProxy(reader: Reader, namespace: string, name: string): HTTPProxy | undefined {
  const proxy = reader.get("HTTPProxy", namespace, name);
  return proxy && isAllowedClass(proxy, proxy.spec.ingressClassName, reader.settings) ? proxy : undefined;
}
