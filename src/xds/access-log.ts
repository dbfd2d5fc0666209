import type {
  AccessLog,
  AccessLogFilter,
  SubstitutionFormatString,
  TypedExtensionConfig,
} from "../gen/envoy.js";
import { defaultJsonFields, readJsonField } from "../schema/access-log.js";
import type { SettingsSpec } from "../schema/settings.js";

type Options = SettingsSpec["accessLog"];

/** An access log in a file, in the format of the settings. */
export function writeAccessLog(path: string, options: Options): readonly AccessLog[] {
  if (options.level === "disabled") return [];
  const filter = writeFilter(options.level);
  const format = options.format === "json" ? writeJson(options.jsonFields) : writeText(options.formatString);
  return [
    {
      name: "envoy.access_loggers.file",
      ...(filter ? { filter } : {}),
      typed_config: {
        "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
        path,
        ...(format ? { log_format: format } : {}),
      },
    },
  ];
}

function writeText(format: string): SubstitutionFormatString | undefined {
  if (format === "") return undefined;
  return { text_format_source: { inline_string: format }, ...writeFormatters([format]) };
}

/** If several fields have one name, the last one is written. */
function writeJson(configured: readonly string[]): SubstitutionFormatString {
  const fields = (configured.length > 0 ? configured : defaultJsonFields).map(readJsonField);
  return {
    json_format: Object.fromEntries(fields.map(({ name, format }) => [name, format])),
    omit_empty_values: true,
    ...writeFormatters(fields.map(({ format }) => format)),
  };
}

const formatters: readonly { readonly operator: RegExp; readonly config: TypedExtensionConfig }[] = [
  {
    operator: /%REQ_WITHOUT_QUERY[(%]/,
    config: {
      name: "envoy.formatter.req_without_query",
      typed_config: {
        "@type": "type.googleapis.com/envoy.extensions.formatter.req_without_query.v3.ReqWithoutQuery",
      },
    },
  },
  {
    operator: /%METADATA[(%]/,
    config: {
      name: "envoy.formatter.metadata",
      typed_config: { "@type": "type.googleapis.com/envoy.extensions.formatter.metadata.v3.Metadata" },
    },
  },
];

/** The extensions behind the operators that formats use. */
function writeFormatters(formats: readonly string[]): Pick<SubstitutionFormatString, "formatters"> {
  const used = formatters.filter(({ operator }) => formats.some((format) => operator.test(format)));
  return used.length > 0 ? { formatters: used.map(({ config }) => config) } : {};
}

/** Whether log lines contain the objects that routes come from. */
export const readsSource = ({ level, format, jsonFields, formatString }: Options): boolean =>
  level !== "disabled" &&
  (format === "json" ? jsonFields : [formatString]).some((text) =>
    /^contour_config_(?:kind|namespace|name)$|:io\.projectcontour\./.test(text),
  );

const leastStatus = { info: undefined, error: 300, critical: 500, disabled: undefined } as const;

/** Logs responses with at least this status, and all responses with a response flag: every flag is an error. */
function writeFilter(level: Options["level"]): AccessLogFilter | undefined {
  const status = leastStatus[level];
  if (status === undefined) return undefined;
  const value = { default_value: status, runtime_key: "contour.accesslog.filter.status_code" };
  return {
    or_filter: {
      filters: [{ status_code_filter: { comparison: { op: "GE", value } } }, { response_flag_filter: {} }],
    },
  };
}
