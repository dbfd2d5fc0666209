import type { TimeoutPolicy } from "../../graph/policies/timeout.js";
import { duration } from "../duration.js";
import type { Written } from "./written.js";

export const writeTimeout = ({ response, idle }: TimeoutPolicy): Written => ({
  action: {
    ...(response === undefined ? {} : { timeout: duration(response) }),
    ...(idle === undefined ? {} : { idle_timeout: duration(idle) }),
  },
});
