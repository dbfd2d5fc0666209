import type { Body } from "../link/body.js";
import type { Sending } from "./outgoing.js";

/** The answer to a poll. */
export type Reply =
  /**
   * `sending`: the place that the body has while it is sent. `processed`: to be called when the Envoy is known to have
   * processed the answer; absent for polls that are not direct.
   */
  (
    | { readonly status: 200; readonly body: Body; readonly sending?: Sending; processed?(): void }
    /** `reconnect`: the next poll should use another connection, so that another replica can get it. */
    | { readonly status: 304; readonly reconnect?: true }
    | { readonly status: 503; readonly reason: string }
    /** The token, or the server for all tokens, has the maximum number of held polls. */
    | { readonly status: 429; readonly of: "token" | "server" }
  ) & {
    /** This replica steps aside: the next poll should reach another one. */
    readonly leaves?: true;
  };
