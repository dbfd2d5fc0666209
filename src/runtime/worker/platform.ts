import { checkKeyPair } from "../../platform/key-pair.js";
import type { Platform } from "../../update.js";

/**
 * An object can't answer while it compiles without a pause: 200 units take about 100 ms. It compiles at most 2,000
 * units for one request or alarm, because their time is limited.
 */
export const workerPlatform: Platform = { checkKeyPair, maxUnits: 2000, sliceUnits: 200 };

/**
 * Limits of held polls. In a measurement with bodies of 77 KB, an isolate of 128 MB held 8,000 polls and was ended at
 * 12,000: about 25 KB for each poll. A Worker copies each body that it sends, so answers have 8 MiB at a time.
 */
export const workerHolds = { maxHeld: 6000, maxWaiters: 8000, outgoingBytes: 8 * 1024 * 1024 };
