import { z } from "zod";
import { name, oneLine, percent, text, uint32 } from "./fields.js";

/** Spans of Envoy, sent to an extension service. */
export const tracing = z.object({
  extensionService: name,
  includePodDetail: z.boolean().default(true),
  serviceName: z.string().default("contour"),
  overallSampling: percent,
  clientSampling: percent,
  randomSampling: percent,
  maxPathTagLength: uint32.default(256),
  customTags: z
    .array(
      z
        .object({ tagName: name, literal: text, requestHeaderName: oneLine.optional() })
        .refine(({ literal, requestHeaderName }) => !literal !== !requestHeaderName, {
          error: "must set exactly one of literal and requestHeaderName",
        }),
    )
    .refine((tags) => new Set(tags.map(({ tagName }) => tagName)).size === tags.length, {
      error: "must not contain a tagName twice",
    })
    .default([]),
});
