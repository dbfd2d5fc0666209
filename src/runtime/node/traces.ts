import { type Context, ROOT_CONTEXT, type Tracer, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, BatchSpanProcessor, type SpanExporter } from "@opentelemetry/sdk-trace-base";
import type { Published } from "../../engine/publisher.js";
import { LogBudget } from "../../log/budget.js";
import type { Log } from "../../log/log.js";
import { messageOf } from "../../schema/words.js";
import type { PublicationAcceptance } from "../../server/envoy-reports.js";

export interface TracesOptions {
  /** The base URL of a collector for OTLP over HTTP; spans go to its `/v1/traces`. */
  readonly endpoint: string;
  readonly version: string;
  readonly log: Log;
}

/** The parts of a publication that are still to be reported. */
interface Traced {
  readonly context: Context;
  readonly publishedAt: number;
  accepted: number;
}

/** Bounds of a trace and of the memory for traces. */
const maxCompiles = 20;
const maxAccepted = 200;
const maxTraces = 64;
const maxText = 500;
const shutdownMs = 2000;

/**
 * Traces of publications: a span `change` from the first change to the publication, with a span for each compilation
 * and for the publication; then a span for each acceptance by an Envoy, and one for the time for which old and new
 * clusters are served together.
 */
export class Traces {
  readonly #provider: BasicTracerProvider;
  readonly #tracer: Tracer;
  #compiles: (readonly [from: number, to: number])[] = [];
  /** By sequence. */
  readonly #traced = new Map<number, Traced>();

  constructor({ endpoint, version, log }: TracesOptions) {
    const attributes = {
      "service.name": process.env.OTEL_SERVICE_NAME || "isoline",
      "service.version": version,
    };
    const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, "")}/v1/traces` });
    this.#provider = new BasicTracerProvider({
      resource: resourceFromAttributes(attributes),
      spanProcessors: [new BatchSpanProcessor(reporting(exporter, endpoint, log))],
    });
    this.#tracer = this.#provider.getTracer("isoline", version);
  }

  compiled(from: number, to: number): void {
    if (this.#compiles.length < maxCompiles) this.#compiles.push([from, to]);
  }

  published(publication: Published | undefined): void {
    const compiles = this.#compiles;
    this.#compiles = [];
    if (!publication) return;
    const { sequence, changedAt, linkedFrom, publishedAt, change } = publication;
    const startTime = Math.min(changedAt, ...compiles.map(([from]) => from));
    const root = this.#tracer.startSpan(
      "change",
      {
        startTime,
        attributes: {
          "isoline.sequence": sequence,
          "isoline.hosts": change?.hostCount ?? 0,
          "isoline.types": [...(change?.types ?? [])],
          ...causeAttributes(publication),
        },
      },
      ROOT_CONTEXT,
    );
    const context = trace.setSpan(ROOT_CONTEXT, root);
    for (const [from, to] of compiles) this.#span("compile", context, from, to);
    this.#span("publish", context, linkedFrom, publishedAt);
    root.end(publishedAt);
    this.#traced.set(sequence, { context, publishedAt, accepted: 0 });
    for (const old of this.#traced.keys()) {
      if (this.#traced.size <= maxTraces) break;
      this.#traced.delete(old);
    }
  }

  accepted({ sequence, node, type, at }: PublicationAcceptance): void {
    const traced = this.#traced.get(sequence);
    if (!traced || traced.accepted++ >= maxAccepted) return;
    this.#span(`accept ${type}`, traced.context, traced.publishedAt, at, {
      "isoline.node": node.slice(0, maxText),
    });
  }

  /** Nothing of the state before a publication is served any more. */
  settled(sequence: number, at: number): void {
    const traced = this.#traced.get(sequence);
    if (traced) this.#span("switch", traced.context, traced.publishedAt, at);
  }

  #span(name: string, context: Context, from: number, to: number, attributes = {}): void {
    this.#tracer.startSpan(name, { startTime: from, attributes }, context).end(Math.max(from, to));
  }

  /** Sends what is left, for a limited time. */
  async close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, shutdownMs);
    });
    await Promise.race([this.#provider.shutdown().catch(() => undefined), late]);
    clearTimeout(timer);
  }
}

/** The sources of a change, with the last revision, person and commit. */
function causeAttributes({ causes }: Published): Record<string, string | number | string[]> {
  const { revision, by, commit } = causes.at(-1) ?? {};
  return {
    "isoline.sources": causes.map(({ source }) => source.slice(0, maxText)),
    ...(revision === undefined ? {} : { "isoline.revision": revision }),
    ...(by === undefined ? {} : { "isoline.by": by.slice(0, maxText) }),
    ...(commit === undefined ? {} : { "isoline.commit": commit }),
  };
}

/** An exporter whose failures are lines of the log. */
function reporting(exporter: SpanExporter, endpoint: string, log: Log): SpanExporter {
  const budget = new LogBudget({ log, now: Date.now, maxLines: 1 });
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        if (result.error)
          budget.log(
            `${spans.length} spans can't be sent to ${new URL(endpoint).origin}: ${messageOf(result.error)}`,
            "traces-not-sent",
          );
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
  };
}
