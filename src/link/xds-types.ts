export const xdsTypes = ["clusters", "endpoints", "listeners", "routes", "scoped-routes", "secrets"] as const;
export type XdsType = (typeof xdsTypes)[number];
