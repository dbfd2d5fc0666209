import { duration } from "../duration.js";
import { facts, type WrittenPolicy } from "./policy.js";

/** For Envoy, a timeout of zero is no timeout. */
const shown = (given: string): string => (Number.parseFloat(given) === 0 ? "none" : given);

export const timeout: WrittenPolicy<"timeout"> = {
  write: {
    route: ({ response, idle }) => ({
      action: {
        ...(response === undefined ? {} : { timeout: duration(response) }),
        ...(idle === undefined ? {} : { idle_timeout: duration(idle) }),
      },
    }),
  },
  describe: ({ route: { route } }) =>
    route
      ? facts({
          timeout: route.timeout === undefined ? "15s, Envoy's default" : shown(route.timeout),
          "idle timeout": route.idle_timeout && shown(route.idle_timeout),
        })
      : [],
};

export const idleConnectionMs: WrittenPolicy<"idleConnectionMs"> = {
  write: { cluster: (ms) => ({ http: { idle_timeout: duration(ms) } }) },
};
