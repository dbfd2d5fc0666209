/** Pages whose commands need nothing but the checkout, and lead to no Envoy. */
export const plainPages: readonly string[] = [
  "cost",
  "migrate",
  "monitoring",
  "performance",
  "reliability",
  "status",
].map((name) => `docs/${name}.md`);
