import type { Policy } from "./policy.js";

/** `enableWebsockets` of a route. */
export const websocket: Policy<{ route: true }> = {
  protects: false,
  fields: { route: ["enableWebsockets"] },
  read: {
    route: ({ route }) => route.enableWebsockets || undefined,
    ingressRoute: ({ route }) => route.enableWebsockets || undefined,
    ingress({ annotation, path }) {
      const paths = annotation("websocket-routes")?.split(",");
      return paths?.some((one) => one.trim() === path) || undefined;
    },
  },
};
