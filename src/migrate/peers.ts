import type { Peer } from "./peer.js";
import { emissary } from "./readers/emissary/emissary.js";
import { gloo } from "./readers/gloo/gloo.js";
import { ingressRoute } from "./readers/ingressroute.js";
import { istio } from "./readers/istio/istio.js";
import { kong } from "./readers/kong/kong.js";
import { nginx } from "./readers/nginx/nginx.js";
import { traefik } from "./readers/traefik/traefik.js";
import { voyager } from "./readers/voyager.js";

/** All peers, in the order in which they convert their objects. */
export const peers: readonly Peer[] = [ingressRoute, nginx, traefik, istio, emissary, kong, gloo, voyager];
