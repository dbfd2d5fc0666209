import { createMemoryStore } from "./memory.js";
import type { Store } from "./store.js";
export const createSqliteStore = (_file: string): Store => createMemoryStore();
