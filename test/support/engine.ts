import { Engine } from "../../src/engine/engine.js";
import type { Outlet } from "../../src/engine/outlet.js";
import type { Store } from "../../src/store/store.js";
import type { Platform } from "../../src/update.js";
import { platform as usual } from "./compile.js";

/** An outlet that serves nothing. */
export const noOutlet = (): Outlet => ({
  metrics: { count: () => undefined, observe: () => undefined },
  partAsked: () => undefined,
  publish: () => undefined,
  setPushed: () => undefined,
  missingSources: 0,
  log: () => undefined,
});

/** An engine over a store. */
export const engineOf = (
  store: Store,
  {
    outlet = noOutlet(),
    platform = usual,
    now = Date.now,
  }: { readonly outlet?: Outlet; readonly platform?: Platform; readonly now?: () => number } = {},
): Engine => new Engine({ store, platform, outlet, now });
