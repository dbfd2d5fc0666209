import type { Written } from "./written.js";

export const writeWebsocket = (): Written => ({
  action: { upgrade_configs: [{ upgrade_type: "websocket" }] },
});
