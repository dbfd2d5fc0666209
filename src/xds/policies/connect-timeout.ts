import { duration } from "../duration.js";
import type { WrittenPolicy } from "./policy.js";

export const connectTimeoutMs: WrittenPolicy<"connectTimeoutMs"> = {
  write: { cluster: (ms) => ({ cluster: { connect_timeout: duration(ms) } }) },
};
