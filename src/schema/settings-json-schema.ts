import { z } from "zod";
import { settingsSpec } from "./settings.js";

/** The JSON Schema of settings, for editors. It has Isoline's names of settings; Contour's other names stay allowed. */
export const settingsJsonSchema = (): object => ({
  title: "Settings of Isoline",
  description:
    "See docs/settings.md. Contour's names and kebab-case are read, too, and are not part of this schema.",
  ...z.toJSONSchema(settingsSpec, { io: "input", unrepresentable: "any" }),
});
