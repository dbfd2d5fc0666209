/** Controllers whose objects are converted, as `--from` names them. */
export const peerNames = [
  "ingressroute",
  "nginx",
  "traefik",
  "istio",
  "emissary",
  "kong",
  "gloo",
  "voyager",
] as const;
