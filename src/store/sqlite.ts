import type { Store } from "./store.js";
import { createMemoryStore } from "./memory.js";
export const createSqliteStore = (_file: string): Store => createMemoryStore();
