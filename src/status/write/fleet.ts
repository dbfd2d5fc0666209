import { isOfFleet } from "../../graph/api/gateway/selector.js";
import { gatewayGroup } from "../../schema/gateway.js";
import { refOf } from "../../schema/meta.js";
import type { SettingsSpec } from "../../schema/settings.js";
import type { Store } from "../../store/store.js";

const listenerSet = `${gatewayGroup}/ListenerSet/`;

/**
 * Whether a parent is a Gateway of another fleet (the setting `gateway.selector`), or a ListenerSet of one: its entry
 * belongs to the deployment of that fleet, which has the same controller name. An entry about a Gateway that is gone
 * belongs to any of them.
 *
 * @param parent `<namespace>/<name>`, for another kind than Gateway after `<group>/<kind>/`.
 */
export function isOfAnotherFleet(parent: string, store: Store, settings: SettingsSpec): boolean {
  const [namespace = "", name = ""] = parent.replace(listenerSet, "").split("/");
  const set = parent.startsWith(listenerSet)
    ? store.object(refOf("ListenerSet", namespace, name))
    : undefined;
  const { parentRef } = set?.kind === "ListenerSet" ? set.spec : {};
  const gateway = store.object(
    parentRef
      ? refOf("Gateway", parentRef.namespace || namespace, parentRef.name)
      : refOf("Gateway", namespace, name),
  );
  return gateway?.kind === "Gateway" && !isOfFleet(gateway.spec, settings);
}
