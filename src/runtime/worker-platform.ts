import { checkKeyPair } from "../platform/key-pair.js";
import type { Platform } from "../update.js";

/** An object answers nobody while it compiles: 2,000 units take it one to two seconds. */
export const workerPlatform: Platform = { checkKeyPair, maxUnits: 2000 };
