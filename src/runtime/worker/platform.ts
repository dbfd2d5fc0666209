import { checkKeyPair } from "../../platform/key-pair.js";
import type { Platform } from "../../update.js";

/**
 * An object answers nobody while it compiles without a pause: 200 units take it some 100 ms. It compiles 2,000 for one request or alarm,
 * which have a bound on their time.
 */
export const workerPlatform: Platform = { checkKeyPair, maxUnits: 2000, sliceUnits: 200 };
