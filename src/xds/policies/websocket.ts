import { facts, type WrittenPolicy } from "./policy.js";

export const websocket: WrittenPolicy<"websocket"> = {
  write: { route: () => ({ action: { upgrade_configs: [{ upgrade_type: "websocket" }] } }) },
  describe({ route: { route }, manager }) {
    const upgrades = route && (route.upgrade_configs ?? manager?.upgrade_configs);
    return facts({ upgrades: upgrades?.map(({ upgrade_type }) => upgrade_type).join(", ") });
  },
};
