import type { PathRewrite } from "../../graph/policy/path-rewrite.js";
import type { Written } from "./written.js";

export const writePathRewrite = ({ prefix }: PathRewrite): Written => ({
  action: { prefix_rewrite: prefix },
});
