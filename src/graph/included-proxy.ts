import { isAllowedClass } from "./class.js";
import type { HTTPProxy, Reader } from "./reader.js";

/** What an include names, if it is of our class: another controller's objects are not there for us. */
export function includedProxy(reader: Reader, namespace: string, name: string): HTTPProxy | undefined {
  const proxy = reader.get("HTTPProxy", namespace, name);
  return proxy && isAllowedClass(proxy, proxy.spec.ingressClassName, reader.settings) ? proxy : undefined;
}
