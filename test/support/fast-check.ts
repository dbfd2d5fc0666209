/** fast-check with a fixed seed and the number of runs that the suite takes. */
export * as fc from "./properties.js";
