import { checkKeyPair } from "../../platform/key-pair.js";
import type { Platform } from "../../update.js";

/**
 * An object can't answer while it compiles without a pause: 200 units take about 100 ms. It compiles at most 2,000
 * units for one request or alarm, whose time is limited.
 */
export const workerPlatform: Platform = { checkKeyPair, maxUnits: 2000, sliceUnits: 200 };
