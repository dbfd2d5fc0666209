#!/usr/bin/env node
/** The oldest Node that works, such as `20.19`; set by the build from package.json. */
declare const ISOLINE_NODE: string;

/**
 * The program `isoline`. It is compiled to syntax that old releases of Node can parse, and has no static imports, so
 * that old releases print one line instead of a syntax error.
 */
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const [oldestMajor = 0, oldestMinor = 0] = ISOLINE_NODE.split(".").map(Number);
if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
  console.error(`isoline: Node ${ISOLINE_NODE} or newer is required; this is Node ${process.versions.node}`);
  process.exitCode = 2;
} else void import("./main.js");
