import type { Written } from "./index.js";

export const writeWebsocket = (): Written => ({ action: { upgrade_configs: [{ upgrade_type: "websocket" }] } });
