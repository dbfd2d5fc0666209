import type { Mark } from "../link/mark.js";
import type { Poll } from "../link/respond.js";
import type { EnvoyVersion } from "../xds/envoy-version.js";
import type { Reply } from "./reply.js";

/** A poll with the name of the xDS cluster in the Envoy's bootstrap, the Envoy's release, and the mark of its version. */
export type HubPoll = Poll & {
  readonly xdsCluster?: string;
  readonly envoy?: EnvoyVersion;
  readonly mark?: Mark;
};

/** The reply if the wait ends now. */
export type Prepared = { readonly reply: Reply; readonly version?: string; readonly waitUntil: number };

/** A key that is equal for polls of the same Envoy. */
export const envoyKey = ({ token, node }: Poll): string => JSON.stringify([token.id, node]);

/** A key that is equal for polls of the same subscription. */
export const subscriptionOf = ({ token, node, type, names }: Poll): string =>
  JSON.stringify([token.id, node, type, names]);
