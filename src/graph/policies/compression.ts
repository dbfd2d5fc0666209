import {
  type Annotations,
  type Context,
  type Policy,
  type RouteAnnotation,
  readAnnotation,
} from "./policy.js";

/** Whether responses are compressed, for clients that accept it. */
export type Compression = "enabled" | "disabled";

type Fields = { readonly disabled: boolean } | undefined;

const annotation: RouteAnnotation<Compression> = {
  name: "isoline.dev/compression",
  values: ["enabled", "disabled"],
  read: (value, { compression: algorithm }) =>
    algorithm === "disabled" ? undefined : value === "disabled" ? "disabled" : "enabled",
};

/** The value of the field, else of the object's annotation. */
function read(
  fields: Fields,
  annotations: Annotations,
  { reader: { settings }, warnIgnored }: Context,
): Compression | undefined {
  if (!fields) return readAnnotation(annotation, annotations, settings);
  if (settings.compression !== "disabled") return fields.disabled ? "disabled" : "enabled";
  if (!fields.disabled)
    warnIgnored("has no effect: the setting compression is disabled", ".compressionPolicy");
  return undefined;
}

/**
 * `compressionPolicy` of a virtual host or route. The annotation of a root applies to its host, that of another object
 * to its routes.
 */
export const compression: Policy<{ host: Compression; route: Compression }> = {
  protects: false,
  fields: { host: ["compressionPolicy"], route: ["compressionPolicy"] },
  anyAction: true,
  read: {
    host: (context) => read(context.virtualhost?.compressionPolicy, context.proxy.meta.annotations, context),
    route(context) {
      const { meta, spec } = context.proxy;
      return read(context.route.compressionPolicy, spec.virtualhost ? {} : meta.annotations, context);
    },
  },
  annotation,
};
