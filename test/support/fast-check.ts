/** fast-check with a fixed seed, and the number of runs of the suite. */
export * as fc from "./properties.js";
