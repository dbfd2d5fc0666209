// test/bench/apps.ts
function applications(count2) {
  const namespaces = Math.max(1, Math.floor(count2 / 50));
  const lines = [];
  const add2 = (object) => {
    lines.push(JSON.stringify(object));
  };
  for (let k = 0; k < namespaces; k++)
    add2({ apiVersion: "v1", kind: "Namespace", metadata: { name: `team-${k}` } });
  for (let i = 0; i < count2; i++) for (const object of application(i, `team-${i % namespaces}`)) add2(object);
  return lines.join("\n");
}
function application(i, namespace, timeout4 = "15s") {
  const name3 = `app-${i}`;
  const metadata2 = { name: name3, namespace, creationTimestamp: "2026-01-01T00:00:00Z", generation: 1 };
  const services = [{ name: name3, port: 80 }];
  const subnet = `${i >> 8 & 255}.${i & 255}`;
  return [
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: metadata2,
      spec: {
        clusterIP: `10.0.${subnet}`,
        ports: [{ name: "http", port: 80, protocol: "TCP", targetPort: 8080 }]
      }
    },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { ...metadata2, name: `${name3}-x`, labels: { "kubernetes.io/service-name": name3 } },
      addressType: "IPv4",
      ports: [{ name: "http", port: 8080, protocol: "TCP" }],
      endpoints: [100, 101, 102].map((net) => ({
        addresses: [`10.${net}.${subnet}`],
        conditions: { ready: true }
      }))
    },
    {
      apiVersion: "projectcontour.io/v1",
      kind: "HTTPProxy",
      metadata: metadata2,
      spec: {
        virtualhost: { fqdn: `${name3}.${namespace}.example.com` },
        routes: [
          { conditions: [{ prefix: "/" }], services },
          { conditions: [{ prefix: "/api/v1" }], services, timeoutPolicy: { response: timeout4 } },
          {
            conditions: [{ prefix: "/api/v2" }, { header: { name: "x-canary", exact: "yes" } }],
            services,
            pathRewritePolicy: { replacePrefix: [{ replacement: "/" }] }
          }
        ]
      }
    }
  ];
}

// src/documents/compose.ts
import {
  EVENT_ID as EVENT_ID2,
  getScalarValue as getScalarValue2,
  SCALAR_STYLE as SCALAR_STYLE2
} from "js-yaml";

// src/schema/issues.ts
var isRecord = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
var pathText = (path3) => path3.reduce((text4, key) => {
  if (typeof key === "number") return `${text4}[${key}]`;
  const word = String(key);
  if (!/^[\w-]+$/.test(word)) return `${text4}[${quote(word)}]`;
  return text4 ? `${text4}.${word}` : word;
}, "");
var quote = (text4) => JSON.stringify(text4.length > 80 ? `${text4.slice(0, 77)}...` : text4);
var schemaError = (about4, message, path3 = "") => ({
  about: about4,
  severity: "error",
  type: "SchemaError",
  reason: "Invalid",
  message,
  ...path3 ? { path: path3 } : {}
});
var maxFindings = 100;
var schemaFindings = (about4, issues, input, prefix, secret) => {
  const findings = issues.slice(0, maxFindings).map((issue) => {
    const value = valueAt(input, issue.path);
    const found = secret ? "" : describeFound(value);
    return schemaError(about4, issueText(issue, value) + found, pathText([...prefix, ...issue.path]));
  });
  const more = issues.length - findings.length;
  if (more > 0) findings.push(schemaError(about4, `has ${more} more errors of its fields`));
  return findings;
};
var valueAt = (input, path3) => path3.reduce(
  (value, key) => typeof value === "object" && value !== null && Object.hasOwn(value, key) ? value[key] : void 0,
  input
);
var nouns = {
  string: "text",
  boolean: "true or false",
  int: "a whole number",
  number: "a number",
  array: "a list",
  object: "a map of fields",
  record: "a map of fields"
};
function issueText(issue, value) {
  switch (issue.code) {
    case "invalid_type":
      if (value === void 0) return `is missing; it must be ${nouns[issue.expected] ?? issue.expected}`;
      return `must be ${nouns[issue.expected] ?? issue.expected}${quotesHelp(issue.expected, value)}`;
    case "invalid_value":
      return value === void 0 ? `is missing; use one of ${choices(issue.values)}` : `must be one of ${choices(issue.values)}`;
    case "too_small":
      if (issue.origin === "string" && issue.minimum === 1) return "must not be empty";
      return `must ${amount(issue.origin, "at least", Number(issue.minimum))}`;
    case "too_big":
      return `must ${amount(issue.origin, "at most", Number(issue.maximum))}`;
    default:
      return issue.message;
  }
}
var quotesHelp = (expected, value) => expected === "string" && (typeof value === "number" || typeof value === "boolean") ? " (put it in quotes)" : "";
var choices = (values) => values.map((value) => JSON.stringify(value)).join(", ");
function amount(origin, bound, count2) {
  if (origin === "string") return `have ${bound} ${count2} characters`;
  if (origin === "array") return `have ${bound} ${count2} ${count2 === 1 ? "entry" : "entries"}`;
  return `be ${bound} ${count2}`;
}
var placeholder = /\$\{[A-Za-z_][^}]*\}|\$\([A-Za-z_]\w*\)|\$ARGOCD_\w+|\{\{[^}]*\}\}|<path:[^>]+>/;
function describeFound(value) {
  if (typeof value === "string") {
    const hint = placeholder.test(value) ? ": a placeholder that is not substituted" : "";
    return `, found ${quote(value)}${hint}`;
  }
  if (typeof value === "number" || typeof value === "boolean") return `, found ${value}`;
  if (Array.isArray(value)) return ", found a list";
  return "";
}
var maxDepth = 64;
var maxFields = 1e5;
function inspect(input) {
  const seen = { nulls: false, fields: 0 };
  const hostile2 = walkMap(input, 0, seen);
  const { nulls } = seen;
  return hostile2 ? { problem: hostile2.problem, path: pathText(hostile2.keys.slice(0, 8)), nulls } : { nulls };
}
var tooDeep = {
  problem: `is nested more than ${maxDepth} levels deep; no Kubernetes object is`,
  keys: []
};
var tooManyFields = {
  problem: `has over ${maxFields} fields and entries of lists; split the object`,
  keys: []
};
var notUnicode = { problem: "holds half a surrogate pair, which is not Unicode text", keys: [] };
var within = ({ problem: problem2, keys: keys2 }, key) => ({ problem: problem2, keys: [key, ...keys2] });
function walkMap(map, depth, seen) {
  if (depth >= maxDepth) return tooDeep;
  for (const key in map) {
    if (++seen.fields > maxFields) return tooManyFields;
    if (key === "__proto__")
      return { problem: "is a key that no Kubernetes object has; remove it", keys: [key] };
    if (!key.isWellFormed()) return within(notUnicode, "(key)");
    if (key === "status" && depth === 0 || key === "managedFields" && depth === 1) continue;
    const value = map[key];
    if (value === null) seen.nulls = true;
    const hostile2 = walkValue(value, depth, seen);
    if (hostile2) return within(hostile2, key);
  }
  return void 0;
}
function walkList(list2, depth, seen) {
  if (depth >= maxDepth) return tooDeep;
  seen.fields += list2.length;
  if (seen.fields > maxFields) return tooManyFields;
  for (let i = 0; i < list2.length; i++) {
    const hostile2 = walkValue(list2[i], depth, seen);
    if (hostile2) return within(hostile2, i);
  }
  return void 0;
}
function walkValue(value, depth, seen) {
  if (typeof value === "string") return value.isWellFormed() ? void 0 : notUnicode;
  if (typeof value !== "object" || value === null) return void 0;
  return Array.isArray(value) ? walkList(value, depth + 1, seen) : walkMap(value, depth + 1, seen);
}
function withoutNulls(value) {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).filter(([, member]) => member !== null).map(([key, member]) => [key, withoutNulls(member)])
  );
}

// src/documents/events.ts
import {
  EVENT_ID,
  getScalarValue,
  parseEvents,
  SCALAR_STYLE,
  YAMLException
} from "js-yaml";

// src/documents/limits.ts
var maxNodes = 2e6;
var maxServedNodes = 6e5;
var maxObjects = 25e4;
var maxFaults = 1e3;
var maxDepth2 = 100;
var freeCopies = 2e4;
var sliceLength = 128 * 1024;
var DocumentError = class extends Error {
  constructor(message, offset, code = "not-valid") {
    super(message);
    this.offset = offset;
    this.code = code;
  }
};
var tooManyNodes = (offset, most2 = maxNodes) => new DocumentError(
  `the document has over ${most2} nodes or lines; split it with lines of ---, or write it as JSON`,
  offset,
  "too-large"
);
var tooDeep2 = (offset, levels = maxDepth2) => new DocumentError(`the document is nested over ${levels} levels deep`, offset, "too-deep");
var freeAgain = 1024 * 1024;
var costOf = (text4, most2 = maxNodes) => ({
  written: 0,
  copied: 0,
  again: freeAgain + 2 * text4.length,
  most: most2
});
var nodeLength = 16;
var nodesOf = (scalar) => 1 + (typeof scalar === "string" ? Math.floor(scalar.length / nodeLength) : 0);
function countCopies(cost, nodes, offset) {
  cost.copied += nodes;
  if (cost.copied > freeCopies + cost.written)
    throw new DocumentError(
      `aliases and merge keys add over ${freeCopies} nodes to the ${cost.written} that are written; write them out, or split the file`,
      offset,
      "too-large"
    );
}

// src/documents/scalar.ts
var words = new Map([
  ...["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"].map(
    (word) => [word, true]
  ),
  ...["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"].map(
    (word) => [word, false]
  ),
  ...["", "~", "null", "Null", "NULL"].map((word) => [word, null]),
  ...[".nan", ".NaN", ".NAN"].map((word) => [word, Number.NaN]),
  ...[".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"].map(
    (word) => [word, Number.POSITIVE_INFINITY]
  ),
  ...["-.inf", "-.Inf", "-.INF"].map((word) => [word, Number.NEGATIVE_INFINITY])
]);
var notText = /^[-+.0-9~yYnNtTfFoO]/;
var integer = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))$/;
var float = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
var maxNumber = 400;
function readPlain(text4) {
  if (text4 !== "" && !notText.test(text4)) return text4;
  const word = words.get(text4);
  if (word !== void 0) return word;
  if (text4.length > maxNumber) return text4;
  if (text4.startsWith(".")) return readFloat(text4) ?? text4;
  if (!/^[-+0-9]/.test(text4)) return text4;
  const digits = text4.replaceAll("_", "");
  return readInteger(digits) ?? readFloat(digits) ?? text4;
}
function readInteger(text4) {
  const [, sign, hex2, binary, octal, decimal] = integer.exec(text4) ?? [];
  if (sign === void 0) return void 0;
  const digits = hex2 ? `0x${hex2}` : binary ? `0b${binary}` : octal ? `0o${octal}` : decimal;
  const value = BigInt(digits ?? "");
  if (sign === "-") return value <= 1n << 63n ? -value : void 0;
  return value < 1n << (sign === "+" ? 63n : 64n) ? value : void 0;
}
function readFloat(text4) {
  const value = float.test(text4) ? Number(text4) : Number.NaN;
  return Number.isFinite(value) ? value : void 0;
}
function keyText(key) {
  if (key === null) return void 0;
  return typeof key === "number" ? floatText(key) : String(key);
}
function floatText(value) {
  if (Number.isNaN(value)) return ".nan";
  const short = Math.fround(value);
  if (!Number.isFinite(short)) return value < 0 ? "-.inf" : ".inf";
  let digits = 1;
  while (digits < 9 && Math.fround(Number(short.toPrecision(digits))) !== short) digits++;
  const [mantissa = "", power = "0"] = short.toExponential(digits - 1).split("e");
  const exponent = Number(power);
  if (exponent >= -4 && exponent < 6) return String(Number(short.toPrecision(digits)));
  const sign = exponent < 0 ? "-" : "+";
  return `${mantissa}e${sign}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

// src/documents/events.ts
var indent = " ".repeat(256);
function* readEvents(text4, cost) {
  checkNodes(text4, cost.most);
  const moved = [];
  const origin = (offset) => originOf(offset, moved);
  let source2 = text4;
  for (; ; ) {
    const read = tryEvents(source2, origin);
    if ("events" in read) return { events: read.events, source: source2, origin };
    const start = lineStart(source2, read.left);
    cost.again -= source2.length;
    if (source2.slice(start, read.left).trim() !== "")
      throw new DocumentError("not valid YAML: use spaces in place of tabs", origin(read.left));
    if (cost.again < 0 || start <= (moved.at(-1) ?? -1))
      throw new DocumentError(
        "not valid YAML: indent the lines of flow collections and quoted texts",
        origin(read.left)
      );
    source2 = source2.slice(0, start) + indent + source2.slice(start);
    moved.push(start);
    yield;
  }
}
function originOf(offset, moved) {
  let added = 0;
  for (const start of moved) {
    if (start >= offset) break;
    added += Math.min(indent.length, offset - start);
  }
  return offset - added;
}
function lineStart(text4, offset) {
  let start = offset;
  while (start > 0 && text4[start - 1] !== "\n" && text4[start - 1] !== "\r") start--;
  return start;
}
function tryEvents(source2, origin) {
  try {
    return { events: parseEvents(source2, { maxDepth: maxDepth2 }) };
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const offset = error.mark?.position ?? 0;
    if (error.reason === "deficient indentation") return { left: offset };
    if (error.reason.startsWith("nesting exceeded")) throw tooDeep2(origin(offset));
    throw new DocumentError(`not valid YAML: ${withoutQuotes(error.reason)}`, origin(offset));
  }
}
var withoutQuotes = (reason) => reason.replace(/ "[^"]*"/, "").replace(/(characters): .*$/s, "$1");
var structure = new Set([..."[{,:?-\n\r"].map((sign) => sign.charCodeAt(0)));
function checkNodes(text4, most2) {
  if (text4.length < most2) return;
  let signs = 0;
  for (let i = 0; i < text4.length; i++) if (structure.has(text4.charCodeAt(i))) signs++;
  if (signs > most2) throw tooManyNodes(0, most2);
}
function startOf(event) {
  if (event.type === EVENT_ID.ALIAS) return event.anchorStart;
  if (event.type === EVENT_ID.SCALAR) return event.valueStart - (isQuoted(event) ? 1 : 0);
  return event.type === EVENT_ID.SEQUENCE || event.type === EVENT_ID.MAPPING ? event.start : -1;
}
var isQuoted = ({ style }) => style === SCALAR_STYLE.SINGLE_QUOTED || style === SCALAR_STYLE.DOUBLE_QUOTED;
function scalarIn(source2, event) {
  const text4 = getScalarValue(source2, event);
  return event.style === SCALAR_STYLE.PLAIN ? readPlain(ownText(text4, source2)) : ownText(text4, source2);
}
var shortSource = 16 * 1024;
var ownText = (part2, source2) => source2.length < shortSource ? part2 : ` ${part2}`.slice(1);

// src/documents/compose.ts
var maxDoubts = 20;
var empty = { value: null, nodes: 0, height: 0, copied: false };
var keySlot = { is: "key", of: "" };
var mergeSlot = { is: "merge", of: "<<" };
var Composer = class {
  constructor(text4, cost) {
    this.text = text4;
    this.cost = cost;
  }
  #stack = [];
  /** Undefined for a value that is not whole yet. */
  #anchors = /* @__PURE__ */ new Map();
  #root = empty;
  #items = [];
  #doubts = [];
  /** Where the last node that is not empty begins. */
  #at = 0;
  *documents() {
    let offset = 0;
    let nodes = 0;
    for (const event of this.text.events) {
      if (event.type === EVENT_ID2.DOCUMENT) {
        this.#root = empty;
        this.#items = [];
        this.#doubts = [];
        this.#anchors.clear();
        nodes = 0;
      } else if (event.type === EVENT_ID2.POP) {
        if (this.#stack.length > 0) this.#leave();
        else yield { ...this.#whole(), offset };
      } else {
        this.#at = Math.max(this.#at, startOf(event));
        this.cost.written++;
        if (++nodes > this.cost.most) throw tooManyNodes(this.#offset, this.cost.most);
        if (nodes === 1) offset = this.#offset;
        this.#enter(event);
      }
    }
  }
  #whole() {
    const { value, nodes } = this.#root;
    return { value, nodes, items: this.#items, doubts: this.#doubts };
  }
  #enter(event) {
    const around = this.#stack.at(-1);
    if (around?.slot.of === "items" && this.#stack.length === 2 && Array.isArray(around.into))
      this.#items.push(this.#offset);
    if (event.type === EVENT_ID2.ALIAS) this.#take(this.#aliased(event));
    else if (event.type !== EVENT_ID2.SCALAR) this.#open(event, around);
    else if (around && !Array.isArray(around.into) && around.next.is === "key") this.#readKey(event, around);
    else this.#take(this.#named(event, this.#finite(event)));
  }
  #open(event, around) {
    const isList2 = event.type === EVENT_ID2.SEQUENCE;
    const inMap = around !== void 0 && !Array.isArray(around.into);
    const slot = inMap ? around.next : keySlot;
    if (inMap && slot.is === "key") throw this.#fail("a key is a list or a map; keys are text");
    if (around?.merged && isList2) throw this.#fail(wrongMerge);
    this.#checkTag(event, isList2 ? "!!seq" : "!!map");
    const anchor = this.#textOf(event.anchorStart, event.anchorEnd);
    if (anchor !== void 0) this.#anchors.set(anchor, void 0);
    this.#stack.push({
      into: isList2 ? [] : {},
      anchor,
      slot,
      nodes: 1,
      height: 1,
      next: keySlot,
      own: void 0,
      merged: isList2 && slot.is === "merge" ? [] : void 0
    });
  }
  #leave() {
    const frame = this.#stack.pop();
    if (!frame) return;
    const { into: value, nodes, height, merged: merged2, anchor } = frame;
    const node = { value, nodes, height, copied: false };
    if (anchor !== void 0) this.#anchors.set(anchor, node);
    const around = this.#stack.at(-1);
    if (!merged2 || !around) this.#take(node);
    else {
      for (const one of merged2.reverse()) this.#merge(one, around);
      around.next = keySlot;
    }
  }
  /** Puts a whole value where it belongs. */
  #take(node) {
    const around = this.#stack.at(-1);
    if (!around) {
      this.#root = node;
      return;
    }
    const { into, next, merged: merged2 } = around;
    if ((merged2 || !Array.isArray(into) && next.is === "merge") && !isRecord(node.value))
      throw this.#fail(wrongMerge);
    if (merged2) merged2.push(node);
    else if (Array.isArray(into)) into.push(node.value);
    else if (next.is === "key") {
      this.#setKey(node.value, around);
      return;
    } else if (next.is === "merge") this.#merge(node, around);
    else setOwn(into, next.of, node.value);
    around.next = keySlot;
    around.nodes += node.nodes;
    around.height = Math.max(around.height, node.height + 1);
    if (this.#stack.length + node.height > maxDepth2) throw tooDeep2(this.#offset);
  }
  /** Sets all keys of a map in another one. As in go-yaml v2, they win over what is set before and lose to what comes after. */
  #merge({ value, nodes, copied }, around) {
    const { into } = around;
    if (!isRecord(value) || Array.isArray(into)) return;
    if (!copied) countCopies(this.cost, nodes, this.#offset);
    around.own ??= new Set(Object.keys(into));
    for (const key of Object.keys(value)) {
      if (around.own.has(key)) this.#doubt(key);
      setOwn(into, key, value[key]);
    }
  }
  #doubt(key) {
    if (this.#doubts.length === maxDoubts) return;
    const at = pathText([...this.#path().slice(0, -1), key]);
    const message = `${at}: is set before \`<<\` and by what is merged, which wins; write \`<<\` first if it should lose`;
    this.#doubts.push({ message, offset: this.#offset });
  }
  #readKey(event, around) {
    const tag = this.#textOf(event.tagStart, event.tagEnd);
    const mayMerge = tag === "!!merge" || tag === void 0 && event.style === SCALAR_STYLE2.PLAIN;
    if (mayMerge && this.#textOf(event.valueStart, event.valueEnd) === "<<") {
      around.next = mergeSlot;
      return;
    }
    const key = this.#scalar(event);
    this.#named(event, key);
    this.#setKey(key, around);
  }
  #setKey(key, around) {
    const text4 = typeof key === "object" ? void 0 : keyText(key);
    if (text4 === void 0) throw this.#fail("a key is empty, null or no text; put it in quotes");
    const { own, into } = around;
    around.next = { is: "value", of: text4 };
    if (own ? own.has(text4) : Object.hasOwn(into, text4))
      throw this.#fail("the key is set twice in one map; remove one of the two");
    own?.add(text4);
    around.nodes += nodesOf(text4);
  }
  #aliased({ anchorStart, anchorEnd }) {
    const name3 = this.#textOf(anchorStart, anchorEnd) ?? "";
    const node = this.#anchors.get(name3);
    if (!node)
      throw this.#fail(
        this.#anchors.has(name3) ? "an alias stands inside of what it names" : "an alias has no anchor before it in its document"
      );
    countCopies(this.cost, node.nodes, this.#offset);
    return { ...node, copied: true };
  }
  /** Keeps a scalar for aliases, where it has an anchor. */
  #named({ anchorStart, anchorEnd }, scalar) {
    const value = typeof scalar === "bigint" ? Number(scalar) : scalar;
    const node = { value, nodes: nodesOf(value), height: 0, copied: false };
    const anchor = this.#textOf(anchorStart, anchorEnd);
    if (anchor !== void 0) this.#anchors.set(anchor, node);
    return node;
  }
  /** A scalar that is no key: JSON has no infinite numbers. */
  #finite(event) {
    const value = this.#scalar(event);
    if (typeof value !== "number" || Number.isFinite(value)) return value;
    throw this.#fail("an infinite or undefined number can't be read; put the text in quotes");
  }
  #scalar(event) {
    const tag = this.#textOf(event.tagStart, event.tagEnd);
    const value = scalarIn(this.text.source, event);
    if (tag === void 0) return value;
    const text4 = getScalarValue2(this.text.source, event);
    return tag === "!" ? text4 : this.#tagged(shortTag(tag), text4);
  }
  #tagged(tag, text4) {
    if (tag === "!!str" || tag === "!!timestamp") return text4;
    const value = readPlain(text4);
    if (tag === "!!float" && typeof value === "bigint") return Number(value);
    const fits2 = scalarTags.get(tag);
    if (fits2?.(value)) return value;
    throw this.#fail(fits2 ? `the value is no ${tag.slice(2)}` : unknownTag);
  }
  #checkTag(event, known5) {
    const tag = this.#textOf(event.tagStart, event.tagEnd);
    if (tag !== void 0 && tag !== "!" && shortTag(tag) !== known5) throw this.#fail(unknownTag);
  }
  get #offset() {
    return this.text.origin(this.#at);
  }
  #textOf(start, end) {
    return start < 0 ? void 0 : this.text.source.slice(start, end);
  }
  /** The path of the key or value that comes next. */
  #path() {
    return this.#stack.flatMap(({ into, next }) => {
      if (Array.isArray(into)) return [into.length];
      return next.is === "key" ? [] : [next.of];
    });
  }
  /** The path of where the composer is goes into the message. */
  #fail(message) {
    const at = pathText(this.#path());
    return new DocumentError(at ? `${at}: ${message}` : message, this.#offset);
  }
};
var unknownTag = "the tag is not known; remove it";
var wrongMerge = "`<<` takes a map or a list of maps";
var scalarTags = /* @__PURE__ */ new Map([
  ["!!int", (value) => typeof value === "bigint"],
  ["!!float", (value) => typeof value === "number"],
  ["!!bool", (value) => typeof value === "boolean"],
  ["!!null", (value) => value === null]
]);
var shortTag = (tag) => tag.replace(/^!<tag:yaml\.org,2002:(.*)>$/, "!!$1");
function setOwn(into, key, value) {
  if (key === "__proto__")
    Object.defineProperty(into, key, { value, enumerable: true, configurable: true, writable: true });
  else into[key] = value;
}
var compose = (text4, cost) => new Composer(text4, cost).documents();

// src/schema/words.ts
var plural = (count2, noun) => `${count2} ${noun}${count2 === 1 ? "" : "s"}`;
var messageOf = (error) => error instanceof Error ? error.message : String(error);

// src/documents/json.ts
function readJson(text4, start, cost, depth = maxDepth2) {
  const { end, nodes, pairs: pairs2 } = scan(text4, start, depth);
  const slice = text4.slice(start, end);
  let value;
  try {
    value = JSON.parse(slice);
  } catch (error) {
    throw new JsonSyntaxError(slice, start, error);
  }
  cost.written += nodes;
  if (countKeys(value) !== pairs2) throw new RepeatedKeyError(start, end);
  return { value, end };
}
var RepeatedKeyError = class extends DocumentError {
  constructor(start, end) {
    super("a key is set twice in one object; remove one of the two", start, "repeated-key");
    this.end = end;
  }
};
var JsonSyntaxError = class extends Error {
  constructor(text4, start, error) {
    super("not valid JSON");
    this.text = text4;
    this.start = start;
    this.error = error;
  }
  /** Costs as much as parsing the text several times. */
  locate() {
    const end = this.text.trimEnd().length;
    const position = Math.min(errorAt(this.error, this.text), end);
    const what = position === end ? "it ends too early" : "unexpected text";
    return new DocumentError(`not valid JSON: ${what}`, this.start + position);
  }
};
var [quote2, backslash, comma, colon] = [34, 92, 44, 58];
var isOpening = (code) => code === 91 || code === 123;
var isClosing = (code) => code === 93 || code === 125;
function scan(text4, start, deepest) {
  let depth = 0;
  let nodes = 1;
  let pairs2 = 0;
  for (let i = start; i < text4.length; i++) {
    const code = text4.charCodeAt(i);
    if (code === quote2) i = endOfString(text4, i);
    else if (isOpening(code)) {
      nodes++;
      if (++depth > deepest) throw tooDeep2(i, deepest);
    } else if (isClosing(code)) {
      if (--depth <= 0) return { end: i + 1, nodes, pairs: pairs2 };
    } else if (code === comma) nodes++;
    else if (code === colon) {
      nodes++;
      pairs2++;
    }
    if (nodes > maxNodes) throw tooManyNodes(start);
  }
  return { end: text4.length, nodes, pairs: pairs2 };
}
function endOfString(text4, start) {
  for (let i = start + 1; i < text4.length; i++) {
    const code = text4.charCodeAt(i);
    if (code === backslash) i++;
    else if (code === quote2) return i;
  }
  return text4.length;
}
function countKeys(value) {
  if (typeof value !== "object" || value === null) return 0;
  let keys2 = 0;
  if (Array.isArray(value)) for (const one of value) keys2 += countKeys(one);
  else for (const one of Object.values(value)) keys2 += 1 + countKeys(one);
  return keys2;
}
function statedPosition(error) {
  const stated = /at position (\d+)/.exec(messageOf(error))?.[1];
  return stated === void 0 ? void 0 : Number(stated);
}
var maxSearched = 1024 * 1024;
function errorAt(error, text4) {
  const stated = statedPosition(error);
  if (stated !== void 0) return stated;
  if (text4.length > maxSearched) return 0;
  let good = 0;
  let bad = text4.length + 1;
  while (bad - good > 1) {
    const length = good + bad >> 1;
    if (isCutShort(text4.slice(0, length))) good = length;
    else bad = length;
  }
  return good;
}
function isCutShort(prefix) {
  try {
    JSON.parse(prefix);
    return true;
  } catch (error) {
    return /end of JSON|Unterminated/.test(messageOf(error)) || (statedPosition(error) ?? -1) >= prefix.length;
  }
}

// src/documents/split.ts
function* lineTexts(text4) {
  for (let start = 0; start < text4.length; ) {
    const found = text4.indexOf("\n", start);
    const end = found < 0 ? text4.length : found + 1;
    yield text4.slice(start, end);
    start = end;
  }
}
function* documentTexts(text4) {
  let start = 0;
  for (let next = nextMarker(text4, 0); next >= 0; next = nextMarker(text4, next)) {
    const part2 = text4.slice(start, next);
    if (isDirectives(part2)) continue;
    yield part2;
    start = next;
  }
  yield text4.slice(start);
}
function nextMarker(text4, from) {
  for (let at = text4.indexOf("\n---", from); at >= 0; at = text4.indexOf("\n---", at + 1))
    if (/^\s?$/.test(text4.charAt(at + 4))) return at + 1;
  return -1;
}
var isDirectives = (part2) => part2.charAt(contentStart(part2, 0)) === "%" && part2.split("\n").every((line) => /^%|^\s*(?:#.*)?$/.test(line));
function contentStart(text4, from) {
  let at = from === 0 && /^---(?:\s|$)/.test(text4.slice(0, 4)) ? 3 : from;
  for (; at < text4.length; at++) {
    if (text4[at] === "#") {
      const end = text4.indexOf("\n", at);
      if (end < 0) return -1;
      at = end;
    } else if (!/\s/.test(text4.charAt(at))) return at;
  }
  return -1;
}
function newlines(text4, from = 0, to = text4.length) {
  let count2 = 0;
  for (let at = text4.indexOf("\n", from); at >= 0 && at < to; at = text4.indexOf("\n", at + 1)) count2++;
  return count2;
}
function placeOf({ text: text4, line }, offset) {
  return {
    line: line + newlines(text4, 0, offset),
    column: offset - text4.lastIndexOf("\n", offset - 1)
  };
}

// src/documents/documents.ts
var parts = {
  yaml: documentTexts,
  json: (text4) => [text4],
  lines: lineTexts
};
function* readDocuments(text4, format = "yaml", most2) {
  const cost = costOf(text4, most2);
  let objects = 0;
  let faults = 0;
  let unpaused = 0;
  let line = 1;
  for (const part2 of parts[format](text4.replace(/^\ufeff/, ""))) {
    for (const step of readPart({ text: part2, line }, format, cost)) {
      objects += step && "value" in step ? sizeOf(step.value) : 0;
      faults += step && "fault" in step ? 1 : 0;
      const limit2 = overLimit(objects, faults);
      yield limit2 ? { fault: limit2, line, column: 1 } : step;
      if (limit2) return;
    }
    line += newlines(part2);
    unpaused += part2.length;
    if (unpaused < sliceLength) continue;
    unpaused = 0;
    yield void 0;
  }
}
function overLimit(objects, faults) {
  if (objects > maxObjects) return `the text has over ${maxObjects} objects; split it`;
  return faults > maxFaults ? `over ${maxFaults} documents can't be read; the rest is left out` : void 0;
}
function sizeOf(value) {
  if (Array.isArray(value)) return value.length;
  const items = typeof value === "object" && value !== null && "items" in value ? value.items : void 0;
  return Array.isArray(items) ? 1 + items.length : 1;
}
function* readPart(part2, format, cost) {
  const start = contentStart(part2.text, 0);
  if (start < 0) return;
  try {
    if (format !== "yaml") yield* readJsonValues(part2, start, cost);
    else if (/[[{]/.test(part2.text.charAt(start))) yield* readEither(part2, start, cost);
    else yield* readYaml(part2, cost);
  } catch (error) {
    const found = error instanceof JsonSyntaxError ? error.locate() : error;
    if (!(found instanceof DocumentError)) throw found;
    yield { fault: found.message, ...placeOf(part2, found.offset) };
  }
}
function* readEither(part2, start, cost) {
  let isJson = false;
  try {
    for (const step of readJsonValues(part2, start, cost)) {
      isJson = true;
      yield step;
    }
    return;
  } catch (error) {
    if (isJson || !(error instanceof JsonSyntaxError)) throw error;
  }
  yield* readYaml(part2, cost);
}
function* readJsonValues(part2, start, cost) {
  const { text: text4 } = part2;
  let unpaused = 0;
  let line = part2.line;
  for (let at = start, from = 0; at >= 0; ) {
    line += newlines(text4, from, at);
    const before = cost.written;
    const { value, end } = readValue(text4, at, cost);
    const nodes = cost.written - before;
    yield { value, line, itemLines: [], nodes, doubts: [], part: { text: text4.slice(at, end), line } };
    unpaused += end - at;
    if (unpaused > sliceLength) {
      unpaused = 0;
      yield void 0;
    }
    from = at;
    at = contentStart(text4, end);
  }
}
function readValue(text4, start, cost) {
  try {
    return readJson(text4, start, cost);
  } catch (error) {
    if (!(error instanceof RepeatedKeyError)) throw error;
    throw repeatedKeyIn(text4.slice(start, error.end), start) ?? error;
  }
}
function repeatedKeyIn(text4, start) {
  try {
    for (const step of readYaml({ text: text4, line: 1 }, costOf(text4))) void step;
    return void 0;
  } catch (error) {
    return error instanceof DocumentError ? new DocumentError(error.message, start + error.offset) : void 0;
  }
}
function* readYaml(part2, cost) {
  const events = yield* readEvents(part2.text, cost);
  let from = 0;
  let line = part2.line;
  for (const { value, offset, items, nodes, doubts: found } of compose(events, cost)) {
    if (value === null) continue;
    line += newlines(part2.text, from, offset);
    from = offset;
    const doubts = found.map(({ message, offset: at }) => ({ message, line: placeOf(part2, at).line }));
    yield { value, line, itemLines: linesOf(part2, items), nodes, doubts, part: part2 };
  }
}
function linesOf({ text: text4, line }, offsets) {
  let from = 0;
  let at = line;
  return offsets.map((offset) => {
    at += newlines(text4, from, offset);
    from = offset;
    return at;
  });
}

// src/schema/bootstrap-settings.ts
function bootstrapFindings({ ref, spec }) {
  const { maxRequestsPerIOCycle, maxConnectionsPerListener } = spec.listener;
  const set = {
    "listener.maxRequestsPerIOCycle": maxRequestsPerIOCycle !== void 0,
    "listener.maxConnectionsPerListener": maxConnectionsPerListener !== void 0,
    runtimeSettings: Object.keys(spec.runtimeSettings).length > 0
  };
  return Object.entries(set).flatMap(
    ([path3, isSet]) => isSet ? [
      {
        about: ref,
        severity: "warning",
        type: "SettingsError",
        reason: "BootstrapOnly",
        message: "is a value of Envoy's runtime, which is not served: it takes effect in Envoys whose bootstrap was written with `isoline bootstrap --settings`",
        path: path3
      }
    ] : []
  );
}
var unfilteredFindings = ({ ref, spec }, instead) => spec.watchNamespaces.length === 0 ? [] : [
  {
    about: ref,
    severity: "warning",
    type: "SettingsError",
    reason: "NoEffect",
    message: `has no effect here; ${instead}`,
    path: "watchNamespaces"
  }
];

// src/schema/core.ts
import { z as z2 } from "zod";

// src/schema/fields.ts
import ipaddr from "ipaddr.js";
import { z } from "zod";
var text = z.string().optional();
var flag = z.boolean().optional();
var name = z.string().min(1);
var port = z.int().min(1).max(65535);
var uint32 = z.int().min(0).max(4294967295);
var label = "[a-z0-9](?:-*[a-z0-9])*";
var dnsName = `${label}(?:\\.${label})*`;
var isSubdomain = (value) => value.length <= 253 && subdomain.test(value);
var isLabel = (value) => value.length <= 63 && dnsLabel.test(value);
var isWildcardSubdomain = (value) => value.length <= 253 && wildcardSubdomain.test(value);
var subdomain = new RegExp(`^${dnsName}$`);
var wildcardSubdomain = new RegExp(`^(?:\\*\\.)?${dnsName}$`);
var dnsLabel = new RegExp(`^${label}$`);
var hostname = z.string().max(253).regex(subdomain, { error: "must be a lower-case DNS name" });
var wildcardHostname = z.string().max(253).regex(wildcardSubdomain, {
  error: "must be a lower-case DNS name, optionally with a leading *."
});
var { IPv4, IPv6 } = ipaddr;
var isBlock = (value) => IPv4.isValidCIDRFourPartDecimal(value) || IPv6.isValidCIDR(value) && !value.includes("%");
var forbiddenHost = z.string().transform((value) => {
  if (IPv4.isValidFourPartDecimal(value)) return `${value}/32`;
  return IPv6.isValid(value) ? `${value}/128` : value;
}).refine((value) => isBlock(value) || isWildcardSubdomain(value), {
  error: "must be a lower-case DNS name, optionally with a leading *., an IP address or a block of them (CIDR)"
});
var units = "(?:(?:\\d+(?:\\.\\d*)?|\\.\\d+)(?:h|ms?|s|us|\xB5s|\u03BCs|ns))+";
var timeout = z.string().max(100).regex(new RegExp(`^(?:${units}|infinity|infinite)$`), {
  error: 'must be a duration with a unit such as "15s", or "infinity"'
});
var finiteDuration = z.string().max(100).regex(new RegExp(`^(?:${units})$`), { error: 'must be a duration with a unit such as "15s"' });
var maxAge = z.string().max(100).regex(new RegExp(`^(?:${units}|0)$`), { error: 'must be a duration with a unit such as "10m", or "0"' });
var oneLine = z.string().min(1).regex(/^[^\0\r\n]*$/, { error: "must be one line, without control characters" });
var sentText = z.string().regex(new RegExp("^\\P{Cc}*$", "u"), { error: "must hold no control characters" });
var absolutePath = z.string().regex(/^\/[^\0\r\n]*$/, { error: "must start with / and be one line" });
var encoder = new TextEncoder();
var shortName = oneLine.refine((value) => encoder.encode(value).length <= 1024, {
  error: "must be at most 1024 bytes"
});
var celRule = (rule, message) => ({
  "x-kubernetes-validations": [{ rule, message }]
});

// src/schema/core.ts
var protocol = z2.string().default("TCP");
var namespaceSpec = z2.object({ labels: z2.record(z2.string(), z2.string()).optional() });
function checkPorts(ports, context) {
  const numbers = /* @__PURE__ */ new Set();
  const names4 = /* @__PURE__ */ new Set();
  for (const [i, { name: name3, port: port2, protocol: protocol4 }] of ports.entries()) {
    const refuse2 = (field, message) => context.addIssue({ code: "custom", message, path: [i, field] });
    if (numbers.has(`${protocol4} ${port2}`))
      refuse2("port", `must be a number that no other ${protocol4} port has`);
    if (name3 && names4.has(name3)) refuse2("name", "must be a name that no other port has");
    numbers.add(`${protocol4} ${port2}`);
    names4.add(name3 ?? "");
  }
}
var serviceSpec = z2.object({
  type: z2.enum(["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]).default("ClusterIP"),
  externalName: text,
  clusterIP: text,
  ports: z2.array(
    z2.object({
      name: text,
      port,
      protocol,
      appProtocol: text,
      targetPort: z2.union([z2.int(), z2.string()], { error: "must be a port number or name" }).optional()
    })
  ).superRefine(checkPorts).optional()
});
var endpointSliceSpec = z2.object({
  service: z2.string(),
  addressType: z2.enum(["IPv4", "IPv6", "FQDN"]).default("IPv4"),
  endpoints: z2.array(
    z2.object({
      addresses: z2.array(z2.string()),
      conditions: z2.object({ ready: z2.boolean().optional() }).optional()
    }).transform(({ addresses, conditions }) => ({ addresses, ready: conditions?.ready ?? true }))
  ).default([]),
  ports: z2.array(z2.object({ name: z2.string().default(""), port: port.optional(), protocol })).default([])
});
var endpointsSpec = z2.object({
  subsets: z2.array(
    z2.object({
      addresses: z2.array(z2.object({ ip: z2.string() })).optional(),
      ports: z2.array(z2.object({ name: text, port, protocol })).optional()
    })
  ).optional()
});
var keys = ["tls.crt", "tls.key", "ca.crt", "crl.pem"];
var secretSpec = z2.object({
  type: z2.string().default("Opaque"),
  data: z2.record(
    z2.string(),
    z2.string().transform((encoded, context) => {
      const decoded = decodeBase64(encoded);
      if (decoded !== void 0) return decoded;
      context.addIssue("is not base64; encode the value or put it under stringData");
      return z2.NEVER;
    })
  ),
  stringData: z2.record(z2.string(), z2.string())
}).transform(({ type: type4, data, stringData }) => ({
  type: type4,
  data: { ...data, ...mapValues(stringData, byteString) }
}));
var maxJwks = 64 * 1024;
function isJwks(text4) {
  if (text4.length > maxJwks || !/^\s*\{/.test(text4)) return false;
  try {
    const value = JSON.parse(text4);
    return typeof value === "object" && value !== null && Array.isArray(value.keys);
  } catch {
    return false;
  }
}
function knownKeys(map, encoded) {
  if (typeof map !== "object" || map === null) return {};
  const mayBeJwks = (value) => {
    if (typeof value !== "string" || value.length > 2 * maxJwks) return false;
    return isJwks(encoded ? decodeBase64(value) ?? "" : value);
  };
  return Object.fromEntries(
    Object.entries(map).filter(
      ([key, value]) => keys.includes(key) || mayBeJwks(value)
    )
  );
}
var configMapSpec = z2.object({ data: z2.partialRecord(z2.enum(["ca.crt"]), z2.string()) }).transform(({ data }) => ({ data: mapValues(data, byteString) }));
var mapValues = (map, change) => Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value ?? "")]));
function decodeBase64(encoded) {
  try {
    return atob(encoded);
  } catch {
    return void 0;
  }
}
var byteString = (value) => /^[\0-\x7f]*$/.test(value) ? value : Array.from(new TextEncoder().encode(value), (byte) => String.fromCharCode(byte)).join("");

// src/schema/delegation.ts
import { z as z3 } from "zod";
var delegationSpec = z3.object({
  delegations: z3.array(z3.object({ secretName: name, targetNamespaces: z3.array(z3.string()) }))
});

// src/schema/extensionservice.ts
import { z as z6 } from "zod";

// src/schema/httpproxy-policies.ts
import { z as z5 } from "zod";

// src/schema/sparse.ts
import { z as z4 } from "zod";
var maxParts = 64;
function sparse(shape) {
  const schema = z4.object(shape);
  const optional = Object.keys(shape).filter(
    (key) => shape[key]?._zod.optin === "optional" && shape[key]?._zod.optout === "optional"
  );
  const bits2 = new Map(optional.slice(0, 31).map((key, i) => [key, 1 << i]));
  const parts2 = /* @__PURE__ */ new Map();
  const whole2 = z4.object(shape);
  const partOf = (present) => {
    const known5 = parts2.get(present);
    if (known5) return known5;
    if (parts2.size >= maxParts) return whole2;
    const kept2 = Object.entries(shape).filter(([key]) => {
      const bit = bits2.get(key);
      return bit === void 0 || (present & bit) !== 0;
    });
    const part2 = z4.object(Object.fromEntries(kept2));
    parts2.set(present, part2);
    return part2;
  };
  const parse = (payload, context) => {
    const input = payload.value;
    let present = 0;
    if (typeof input === "object") for (const key in input) present |= bits2.get(key) ?? 0;
    return partOf(present)._zod.run(payload, context);
  };
  schema._zod.parse = parse;
  schema._zod.run = parse;
  return schema;
}

// src/schema/httpproxy-policies.ts
var headerCondition = sparse({
  name: shortName,
  present: flag,
  notpresent: flag,
  contains: text,
  notcontains: text,
  exact: text,
  notexact: text,
  regex: text,
  ignoreCase: flag,
  treatMissingAsEmpty: flag
});
var headerValue = z5.object({ name, value: oneLine });
var headersPolicy = z5.object({
  set: z5.array(headerValue).optional(),
  remove: z5.array(z5.string()).optional()
});
var timeoutPolicy = z5.object({
  response: timeout.optional(),
  idle: timeout.optional(),
  idleConnection: timeout.optional()
});
var retryOn = z5.enum([
  "5xx",
  "gateway-error",
  "reset",
  "reset-before-request",
  "connect-failure",
  "envoy-ratelimited",
  "retriable-4xx",
  "refused-stream",
  "retriable-status-codes",
  "retriable-headers",
  "http3-post-connect-failure",
  "cancelled",
  "deadline-exceeded",
  "internal",
  "resource-exhausted",
  "unavailable"
]);
var retryPolicy = z5.object({
  count: z5.int().min(-1).max(4294967295).default(1),
  perTryTimeout: timeout.optional(),
  retryOn: z5.array(retryOn).optional(),
  retriableStatusCodes: z5.array(z5.int().min(100).max(599)).optional()
});
var seconds = uint32.optional();
var threshold = uint32.optional();
var tcpHealthCheckPolicy = z5.object({
  intervalSeconds: seconds,
  timeoutSeconds: seconds,
  unhealthyThresholdCount: threshold,
  healthyThresholdCount: threshold
});
var httpHealthCheckPolicy = tcpHealthCheckPolicy.extend({
  path: sentText.min(1),
  host: sentText.optional(),
  expectedStatuses: z5.array(z5.object({ start: z5.int().min(100).max(599), end: z5.int().min(101).max(600) })).optional()
});
var loadBalancerPolicy = z5.object({
  strategy: text,
  requestHashPolicies: z5.array(
    z5.object({
      terminal: flag,
      headerHashOptions: z5.object({ headerName: shortName }).optional(),
      queryParameterHashOptions: z5.object({ parameterName: name }).optional(),
      hashSourceIP: flag
    })
  ).optional()
});
var pathRewritePolicy = z5.object({
  replacePrefix: z5.array(z5.object({ prefix: name.optional(), replacement: oneLine })).optional()
});
var redirectCode = z5.literal([301, 302, 303, 307, 308]);
var requestRedirectPolicy = z5.object({
  scheme: z5.enum(["http", "https"]).optional(),
  hostname: hostname.optional(),
  port: port.optional(),
  statusCode: redirectCode.default(302),
  path: absolutePath.optional(),
  prefix: absolutePath.optional()
});
var directResponsePolicy = z5.object({ statusCode: z5.int().min(200).max(599), body: text });
var internalRedirectPolicy = z5.object({
  maxInternalRedirects: uint32.optional(),
  redirectResponseCodes: z5.array(redirectCode).optional(),
  allowCrossSchemeRedirect: z5.enum(["Always", "Never", "SafeOnly"]).default("Never"),
  denyRepeatedRouteRedirect: flag
});
var upstreamValidation = z5.object({
  caSecret: name.max(317),
  subjectName: name.max(250),
  subjectNames: z5.array(z5.string()).min(1).max(8).optional()
}).refine(({ subjectName, subjectNames }) => !subjectNames?.length || subjectNames[0] === subjectName, {
  error: "must have subjectName as the first of subjectNames"
}).meta(
  celRule(
    "!has(self.subjectNames) || self.subjectNames[0] == self.subjectName",
    "must have subjectName as the first of subjectNames"
  )
);
var cookieName = z5.string().min(1).max(4096).regex(/^[^()<>@,;:\\"/[\]?={} \p{Cc}]+$/u, { error: "must be a cookie name, without separators" });
var cookiePath = z5.string().min(1).max(4096).regex(/^[^;\p{Cc}]+$/u, { error: "must hold no ; and no control character" });
var cookieRewritePolicy = z5.object({
  name: cookieName,
  pathRewrite: z5.object({ value: cookiePath }).optional(),
  domainRewrite: z5.object({ value: hostname }).optional(),
  secure: flag,
  sameSite: z5.enum(["Strict", "Lax", "None"]).optional()
});
var localRateLimit = z5.object({
  requests: uint32.min(1),
  unit: z5.enum(["second", "minute", "hour"]),
  burst: uint32.optional(),
  responseStatusCode: z5.int().min(400).max(599).optional(),
  responseHeadersToAdd: z5.array(headerValue).optional()
});
var rateLimitEntry = z5.object({
  genericKey: z5.object({ key: text, value: name }).optional(),
  requestHeader: z5.object({ headerName: shortName, descriptorKey: name }).optional(),
  requestHeaderValueMatch: z5.object({
    headers: z5.array(headerCondition).min(1).optional(),
    expectMatch: z5.boolean().default(true),
    value: name
  }).optional(),
  remoteAddress: z5.object({}).optional()
});
var globalRateLimit = z5.object({
  disabled: flag,
  descriptors: z5.array(z5.object({ entries: z5.array(rateLimitEntry).min(1) })).min(1).optional()
});
var rateLimitPolicy = z5.object({
  local: localRateLimit.optional(),
  global: globalRateLimit.optional()
});
var slowStartPolicy = z5.object({
  window: finiteDuration,
  aggression: z5.string().max(40).regex(/^(?:[0-9]+(?:[.][0-9]+)?|[.][0-9]+)$/, {
    error: 'must be a decimal number in quotes, such as "1.0"'
  }).default("1.0"),
  minWeightPercent: z5.int().min(0).max(100).default(10)
});
var authorizationPolicy = z5.object({
  disabled: flag,
  context: z5.record(z5.string(), z5.string()).optional()
});
var jwtVerificationPolicy = z5.object({ require: text, disabled: flag });
var ipFilterPolicy = z5.object({ source: z5.enum(["Peer", "Remote"]), cidr: z5.string() });

// src/schema/extensionservice.ts
var limit = uint32.optional();
var extensionServiceSpec = z6.object({
  services: z6.array(z6.object({ name, port, weight: uint32.optional() })).min(1),
  validation: upstreamValidation.optional(),
  protocol: z6.enum(["h2", "h2c", "http/1.1"]).default("h2"),
  loadBalancerPolicy: loadBalancerPolicy.optional(),
  timeoutPolicy: timeoutPolicy.optional(),
  protocolVersion: z6.enum(["v3"]).default("v3"),
  circuitBreakerPolicy: z6.object({
    maxConnections: limit,
    maxPendingRequests: limit,
    maxRequests: limit,
    maxRetries: limit,
    perHostMaxConnections: limit
  }).optional()
});

// src/schema/gateway.ts
import { z as z7 } from "zod";
var gatewayGroup = "gateway.networking.k8s.io";
var sectionName = z7.string().min(1).max(253);
var labelSelector = z7.object({
  matchLabels: z7.record(z7.string(), z7.string()).default({}),
  matchExpressions: z7.array(
    z7.object({
      key: name,
      operator: z7.enum(["In", "NotIn", "Exists", "DoesNotExist"]),
      values: z7.array(z7.string()).default([])
    })
  ).default([])
});
var gatewayClassSpec = z7.object({ controllerName: name });
var certificateRef = z7.object({
  group: z7.string().default(""),
  kind: z7.string().default("Secret"),
  name,
  namespace: text
});
var asked = z7.record(z7.string(), z7.unknown()).optional();
var listener = z7.object({
  name: sectionName,
  /** Empty and absent: any host. What is no host name is found by the compiler: it costs the other listeners nothing. */
  hostname: z7.string().max(253).default(""),
  port,
  protocol: z7.string().min(1).max(255),
  tls: z7.object({
    mode: z7.enum(["Terminate", "Passthrough"]).default("Terminate"),
    certificateRefs: z7.array(certificateRef).max(64).default([]),
    frontendValidation: asked
  }).optional(),
  allowedRoutes: z7.object({
    namespaces: z7.object({
      from: z7.enum(["All", "Same", "Selector", "None"]).default("Same"),
      selector: labelSelector.optional()
    }).prefault({}),
    kinds: z7.array(z7.object({ group: z7.string().default(gatewayGroup), kind: name })).max(8).default([])
  }).prefault({})
});
var gatewaySpec = z7.object({
  gatewayClassName: name,
  listeners: z7.array(listener).min(1).max(64).refine((all) => new Set(all.map((one) => one.name)).size === all.length, {
    error: "must not hold two listeners of one name"
  }),
  tls: z7.object({ frontend: asked, backend: asked }).optional(),
  addresses: z7.array(z7.object({ type: z7.string().default("IPAddress"), value: z7.string().default("") })).max(16).default([])
});
var referenceGrantSpec = z7.object({
  from: z7.array(z7.object({ group: z7.string().max(253), kind: name, namespace: name })).min(1).max(16),
  to: z7.array(z7.object({ group: z7.string().max(253), kind: name, name: text })).min(1).max(16)
});
var backendTlsPolicySpec = z7.object({
  targetRefs: z7.array(z7.object({ group: z7.string().default(""), kind: name, name, sectionName: sectionName.optional() })).min(1).max(16),
  validation: z7.object({
    caCertificateRefs: z7.array(z7.object({ group: z7.string().default(""), kind: name, name })).max(16).default([]),
    wellKnownCACertificates: text,
    hostname: z7.string().min(1).max(253),
    subjectAltNames: z7.array(z7.object({ type: z7.enum(["Hostname", "URI"]), hostname: text, uri: text })).max(5).default([])
  })
});

// src/schema/gateway-routes.ts
import { z as z8 } from "zod";
var parentRef = z8.object({
  group: z8.string().default(gatewayGroup),
  kind: z8.string().default("Gateway"),
  namespace: text,
  name,
  sectionName: sectionName.optional(),
  port: port.optional()
});
var parentRefs = z8.array(parentRef).max(32).default([]);
var hostnames = z8.array(wildcardHostname).max(16).default([]);
var objectRef = z8.object({
  group: z8.string().default(""),
  kind: z8.string().default("Service"),
  name,
  namespace: text,
  port: port.optional()
});
var backendRef = objectRef.extend({ weight: z8.int().min(0).max(1e6).default(1) });
var headerName = z8.string().max(256).regex(/^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$/, { error: "must be the name of a header (RFC 7230 token)" });
var header = z8.object({ name: headerName, value: z8.string().min(1).max(4096) });
var headerModifier = z8.object({
  set: z8.array(header).max(16).default([]),
  add: z8.array(header).max(16).default([]),
  remove: z8.array(z8.string()).max(16).default([])
});
var pathModifier = z8.object({
  type: z8.enum(["ReplaceFullPath", "ReplacePrefixMatch"]),
  replaceFullPath: z8.union([z8.literal(""), oneLine.max(1024)]).default(""),
  replacePrefixMatch: z8.union([z8.literal(""), oneLine.max(1024)]).default("")
});
var mirror = z8.object({
  backendRef: objectRef,
  percent: z8.int().min(0).max(100).optional(),
  fraction: z8.object({ numerator: z8.int().min(0), denominator: z8.int().min(1).default(100) }).optional()
}).refine(({ percent: percent2, fraction }) => percent2 === void 0 || fraction === void 0, {
  error: "must not set both percent and fraction"
});
var filterFields = {
  RequestHeaderModifier: "requestHeaderModifier",
  ResponseHeaderModifier: "responseHeaderModifier",
  RequestMirror: "requestMirror",
  RequestRedirect: "requestRedirect",
  URLRewrite: "urlRewrite"
};
var filterObject = z8.object({
  type: name,
  requestHeaderModifier: headerModifier.optional(),
  responseHeaderModifier: headerModifier.optional(),
  requestMirror: mirror.optional(),
  requestRedirect: z8.object({
    scheme: z8.enum(["http", "https"]).optional(),
    hostname: hostname.optional(),
    path: pathModifier.optional(),
    port: port.optional(),
    statusCode: z8.literal([301, 302, 303, 307, 308]).default(302)
  }).optional(),
  urlRewrite: z8.object({ hostname: hostname.optional(), path: pathModifier.optional() }).optional()
});
var filter = filterObject.superRefine((value, context) => {
  const field = new Map(Object.entries(filterFields)).get(value.type);
  if (field && value[field] === void 0)
    context.addIssue({
      code: "custom",
      message: `is missing; a filter of type ${value.type} needs it`,
      path: [field]
    });
});
var filters = z8.array(filter).max(16).default([]);
var filteredBackendRefs = z8.array(backendRef.extend({ filters })).max(16).default([]);
var valueMatch = z8.object({
  type: z8.enum(["Exact", "RegularExpression"]).default("Exact"),
  name: headerName,
  value: oneLine.max(4096)
});
var valueMatches = z8.array(valueMatch).max(16).default([]);
var anyPath = { type: "PathPrefix", value: "/" };
var httpMatch = z8.object({
  path: z8.object({
    type: z8.enum(["Exact", "PathPrefix", "RegularExpression"]).default("PathPrefix"),
    value: z8.string().max(1024).default("/")
  }).default(anyPath),
  headers: valueMatches,
  queryParams: valueMatches,
  method: z8.enum(["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"]).optional()
});
var duration = z8.string().regex(/^(?:\d{1,5}(?:h|m|s|ms)){1,4}$/, { error: 'must be a duration such as "10s" or "1m30s"' });
var anyRule = { matches: [{ path: anyPath }] };
var httpRouteSpec = z8.object({
  parentRefs,
  hostnames,
  rules: z8.array(
    z8.object({
      // Without any, all requests.
      matches: z8.array(httpMatch).max(64).default([]).transform((matches) => matches.length > 0 ? matches : [httpMatch.parse({})]),
      filters,
      backendRefs: filteredBackendRefs,
      timeouts: z8.object({ request: duration.optional(), backendRequest: duration.optional() }).optional()
    })
  ).max(16).prefault([anyRule])
});
var grpcRouteSpec = z8.object({
  parentRefs,
  hostnames,
  rules: z8.array(
    z8.object({
      matches: z8.array(
        z8.object({
          method: z8.object({
            type: z8.enum(["Exact", "RegularExpression"]).default("Exact"),
            service: z8.string().max(1024).optional(),
            method: z8.string().max(1024).optional()
          }).optional(),
          headers: valueMatches
        })
      ).max(64).default([]),
      filters,
      backendRefs: filteredBackendRefs
    })
  ).max(16).default([])
});
var plainRules = z8.array(z8.object({ backendRefs: z8.array(backendRef).max(16).default([]) })).max(16);
var tlsRouteSpec = z8.object({
  parentRefs,
  hostnames: z8.array(wildcardHostname).max(1024).default([]),
  rules: plainRules.min(1)
});
var tcpRouteSpec = z8.object({ parentRefs, rules: plainRules.min(1) });

// src/schema/httpproxy.ts
import { z as z10 } from "zod";

// src/schema/httpproxy-virtualhost.ts
import { z as z9 } from "zod";
var clientValidation = z9.object({
  caSecret: name.optional(),
  skipClientCertValidation: flag,
  forwardClientCertificate: z9.object({ subject: flag, cert: flag, chain: flag, dns: flag, uri: flag }).optional(),
  crlSecret: name.optional(),
  crlOnlyVerifyLeafCert: flag,
  optionalClientCertificate: flag
});
var tls = z9.object({
  secretName: text,
  minimumProtocolVersion: text,
  maximumProtocolVersion: text,
  passthrough: flag,
  clientValidation: clientValidation.optional(),
  enableFallbackCertificate: flag
});
var allowedHeader = z9.object({
  exact: text,
  prefix: name.optional(),
  suffix: name.optional(),
  contains: name.optional(),
  ignoreCase: flag
}).refine(
  ({ exact, prefix, suffix, contains }) => [exact, prefix, suffix, contains].filter((m) => m !== void 0).length === 1,
  {
    error: "must set exactly one of exact, prefix, suffix and contains"
  }
).meta(
  celRule(
    "(has(self.exact) ? 1 : 0) + (has(self.prefix) ? 1 : 0) + (has(self.suffix) ? 1 : 0) + (has(self.contains) ? 1 : 0) == 1",
    "must set exactly one of exact, prefix, suffix and contains"
  )
);
var authorization = z9.object({
  extensionRef: z9.object({ apiVersion: name.optional(), namespace: name.optional(), name: name.optional() }).optional(),
  serviceType: z9.enum(["grpc", "http"]).default("grpc"),
  httpSettings: z9.object({
    pathPrefix: text,
    allowedAuthorizationHeaders: z9.array(allowedHeader).optional(),
    allowedUpstreamHeaders: z9.array(allowedHeader).optional()
  }).optional(),
  authPolicy: authorizationPolicy.optional(),
  responseTimeout: timeout.optional(),
  failOpen: flag,
  withRequestBody: z9.object({ maxRequestBytes: uint32.min(1).default(1024), allowPartialMessage: flag, packAsBytes: flag }).optional()
}).refine(({ httpSettings, serviceType }) => !httpSettings || serviceType === "http", {
  error: "can only be set when serviceType is http",
  path: ["httpSettings"]
}).meta(
  celRule(
    "!has(self.httpSettings) || (has(self.serviceType) && self.serviceType == 'http')",
    "httpSettings can only be set when serviceType is http"
  )
);
var token = z9.string().regex(/^[a-zA-Z0-9!#$%&'*+.^_`|~-]+$/, {
  error: "must be a header or method name, without spaces and separators"
});
var corsPolicy = z9.object({
  allowCredentials: flag,
  allowOrigin: z9.array(z9.string()).min(1),
  allowMethods: z9.array(token).min(1),
  allowHeaders: z9.array(token).min(1).optional(),
  exposeHeaders: z9.array(token).min(1).optional(),
  maxAge: maxAge.optional(),
  allowPrivateNetwork: flag
});
var jwtProvider = z9.object({
  name,
  default: flag,
  issuer: text,
  audiences: z9.array(z9.string()).optional(),
  remoteJWKS: z9.object({
    uri: name,
    validation: upstreamValidation.optional(),
    timeout: finiteDuration.optional(),
    cacheDuration: finiteDuration.optional(),
    dnsLookupFamily: z9.enum(["auto", "v4", "v6"]).optional()
  }).optional(),
  localJWKS: z9.object({ secretName: name, key: name }).optional(),
  forwardJWT: flag
}).refine(({ remoteJWKS, localJWKS }) => remoteJWKS === void 0 !== (localJWKS === void 0), {
  error: "must set exactly one of remoteJWKS and localJWKS"
}).meta(
  celRule(
    "has(self.remoteJWKS) != has(self.localJWKS)",
    "must set exactly one of remoteJWKS and localJWKS"
  )
);
var virtualHost = sparse({
  fqdn: wildcardHostname,
  tls: tls.optional(),
  authorization: authorization.optional(),
  corsPolicy: corsPolicy.optional(),
  rateLimitPolicy: rateLimitPolicy.optional(),
  jwtProviders: z9.array(jwtProvider).optional(),
  ipAllowPolicy: z9.array(ipFilterPolicy).optional(),
  ipDenyPolicy: z9.array(ipFilterPolicy).optional()
});

// src/schema/httpproxy.ts
var condition = sparse({
  prefix: text,
  exact: text,
  regex: text,
  header: headerCondition.optional(),
  queryParameter: z10.object({
    name: shortName,
    exact: text,
    prefix: text,
    suffix: text,
    regex: text,
    contains: text,
    ignoreCase: flag,
    present: flag
  }).optional()
});
var service = sparse({
  name,
  port,
  healthPort: port.optional(),
  protocol: z10.enum(["h2", "h2c", "tls"]).optional(),
  weight: uint32.optional(),
  validation: upstreamValidation.optional(),
  mirror: flag,
  requestHeadersPolicy: headersPolicy.optional(),
  responseHeadersPolicy: headersPolicy.optional(),
  cookieRewritePolicies: z10.array(cookieRewritePolicy).optional(),
  slowStartPolicy: slowStartPolicy.optional()
});
var route = sparse({
  conditions: z10.array(condition).optional(),
  services: z10.array(service).optional(),
  enableWebsockets: flag,
  permitInsecure: flag,
  authPolicy: authorizationPolicy.optional(),
  timeoutPolicy: timeoutPolicy.optional(),
  retryPolicy: retryPolicy.optional(),
  healthCheckPolicy: httpHealthCheckPolicy.optional(),
  loadBalancerPolicy: loadBalancerPolicy.optional(),
  pathRewritePolicy: pathRewritePolicy.optional(),
  requestHeadersPolicy: headersPolicy.optional(),
  responseHeadersPolicy: headersPolicy.optional(),
  cookieRewritePolicies: z10.array(cookieRewritePolicy).optional(),
  rateLimitPolicy: rateLimitPolicy.optional(),
  requestRedirectPolicy: requestRedirectPolicy.optional(),
  directResponsePolicy: directResponsePolicy.optional(),
  internalRedirectPolicy: internalRedirectPolicy.optional(),
  jwtVerificationPolicy: jwtVerificationPolicy.optional(),
  ipAllowPolicy: z10.array(ipFilterPolicy).optional(),
  ipDenyPolicy: z10.array(ipFilterPolicy).optional()
});
var tcpInclude = z10.object({ name, namespace: text });
var httpProxySpec = sparse({
  ingressClassName: text,
  virtualhost: virtualHost.optional(),
  routes: z10.array(route).optional(),
  includes: z10.array(z10.object({ name, namespace: text, conditions: z10.array(condition).optional() })).optional(),
  tcpproxy: z10.object({
    loadBalancerPolicy: loadBalancerPolicy.optional(),
    services: z10.array(service).optional(),
    include: tcpInclude.optional(),
    includes: tcpInclude.optional(),
    healthCheckPolicy: tcpHealthCheckPolicy.optional()
  }).optional()
});

// src/schema/ingress.ts
import { z as z11 } from "zod";
var backend = z11.object({
  service: z11.object({ name, port: z11.object({ number: port.optional(), name: text }).optional() }).optional(),
  resource: z11.object({ kind: z11.string(), name: z11.string() }).optional(),
  serviceName: text,
  servicePort: z11.union([port, z11.string()], { error: "must be a port number or name" }).optional()
}).transform(({ service: service3, resource, serviceName, servicePort }) => {
  const old = typeof servicePort === "number" ? { number: servicePort } : { name: servicePort ?? "" };
  const found = service3 ?? (serviceName ? { name: serviceName, port: old } : void 0);
  return { ...found ? { service: found } : {}, ...resource ? { resource } : {} };
});
var host = z11.union([z11.literal(""), wildcardHostname], {
  error: "must be a lower-case DNS name, optionally with a leading *."
});
var ingressSpec = z11.object({
  ingressClassName: text,
  defaultBackend: backend.optional(),
  /** The name of `defaultBackend` in the beta versions. */
  backend: backend.optional(),
  tls: z11.array(z11.object({ hosts: z11.array(z11.string()).optional(), secretName: text })).optional(),
  rules: z11.array(
    z11.object({
      host: host.optional(),
      http: z11.object({
        paths: z11.array(
          z11.object({
            path: z11.string().max(4096).optional(),
            pathType: z11.enum(["Exact", "Prefix", "ImplementationSpecific"]).optional(),
            backend
          })
        )
      }).optional()
    })
  ).optional()
}).transform(
  ({ backend: old, ...spec }) => old && !spec.defaultBackend ? { ...spec, defaultBackend: old } : spec
);
var ingressClassSpec = z11.object({ controller: text });

// src/schema/ingressroute.ts
import { z as z12 } from "zod";
var healthCheck = z12.object({
  path: sentText.min(1),
  host: sentText.optional(),
  intervalSeconds: uint32.optional(),
  timeoutSeconds: uint32.optional(),
  unhealthyThresholdCount: uint32.optional(),
  healthyThresholdCount: uint32.optional()
});
var service2 = z12.object({
  name,
  port: z12.int(),
  weight: uint32.optional(),
  strategy: text,
  healthCheck: healthCheck.optional(),
  validation: z12.object({ caSecret: text, subjectName: text }).optional()
});
var path = z12.string().regex(/^\/[^\s\p{Cc}?#]*$/u, { error: "must be a path that starts with /" });
var delegate = z12.object({ name, namespace: text });
var ingressRouteSpec = z12.object({
  virtualhost: z12.object({
    fqdn: z12.string().refine((fqdn) => isSubdomain(fqdn.toLowerCase().replace(/^\*\./, "")), {
      error: "must be a DNS name"
    }),
    tls: z12.object({
      secretName: text,
      minimumProtocolVersion: text,
      passthrough: flag
    }).optional()
  }).optional(),
  routes: z12.array(
    z12.object({
      match: path,
      services: z12.array(service2).optional(),
      delegate: delegate.optional(),
      enableWebsockets: flag,
      permitInsecure: flag,
      prefixRewrite: path.optional(),
      timeoutPolicy: z12.object({ request: text }).optional(),
      retryPolicy: z12.object({ count: uint32.optional(), perTryTimeout: text }).optional()
    })
  ).optional(),
  tcpproxy: z12.object({ services: z12.array(service2).optional(), delegate: delegate.optional() }).optional()
});

// src/schema/foreign-annotations.ts
var restricting = new RegExp(
  [
    "^nginx\\.ingress\\.kubernetes\\.io/(?:auth-|(?:white|allow|deny|black)list-source-range|limit-|enable-global-auth|satisfy|enable-modsecurity|modsecurity-|enable-owasp)",
    "^nginx\\.(?:org|com)/(?:basic-auth|jwt-|policies|limit-req)",
    "^ingress\\.kubernetes\\.io/(?:auth-|whitelist-source-range)",
    "^alb\\.ingress\\.kubernetes\\.io/(?:auth-|inbound-cidrs|waf|shield|mutual-authentication|security-groups)",
    "^traefik\\.ingress\\.kubernetes\\.io/router\\.(?:middlewares|tls\\.options)",
    "^haproxy\\.org/(?:allow-list|deny-list|whitelist|blacklist|auth-|client-ca|client-crt|rate-limit)",
    "^haproxy-ingress\\.github\\.io/(?:auth-|oauth|(?:white|allow|deny)list-source-range|limit-|waf)",
    "^konghq\\.com/plugins"
  ].join("|")
);
var isForeignRestriction = (name3) => restricting.test(name3);

// src/schema/meta.ts
var refOf = (kind, namespace, name3) => [kind, namespace, name3].join("/");
var kindOf = (ref) => ref.slice(0, ref.indexOf("/"));
var namespaceOf = (ref) => ref.split("/", 2)[1] ?? "";
var isOfPods = (kind) => kind === "EndpointSlice" || kind === "Endpoints";
var isSubstitute = ({ kind, ref, meta }) => meta.cluster !== void 0 && !isOfPods(kind) && ref.endsWith(`@${meta.cluster}`);
function byObject(findings) {
  const found = /* @__PURE__ */ new Map();
  for (const finding of findings) {
    const same3 = found.get(finding.about);
    if (same3) same3.push(finding);
    else found.set(finding.about, [finding]);
  }
  return found;
}

// src/schema/object-meta.ts
var kept = /^(?:projectcontour\.io|contour\.heptio\.com|ingress\.kubernetes\.io|ingressclass\.kubernetes\.io|isoline\.dev)\/|^kubernetes\.io\/ingress/;
var noAnnotations = {};
function parseMeta(kind, input, clusterScoped) {
  const meta = isRecord(input) ? input : {};
  const name3 = nameProblem(meta.name, kind === "Namespace" ? isLabel : isSubdomain);
  const asked2 = clusterScoped ? void 0 : meta.namespace;
  const namespace = asked2 === void 0 || asked2 === "" ? void 0 : nameProblem(asked2, isLabel);
  const goodName = name3 === void 0 ? String(meta.name) : "";
  const fallback = clusterScoped ? "" : "default";
  const goodNamespace = namespace === void 0 && asked2 ? String(asked2) : fallback;
  const about4 = refOf(kind, goodNamespace, goodName);
  const findings = [];
  const refuse2 = (problem2, ...path3) => {
    findings.push(schemaError(about4, problem2, pathText(["metadata", ...path3])));
  };
  if (name3) refuse2(name3, "name");
  if (namespace) refuse2(namespace, "namespace");
  let annotations2 = noAnnotations;
  for (const [key, value] of isRecord(meta.annotations) ? Object.entries(meta.annotations) : []) {
    if (!kept.test(key) && !(kind === "Ingress" && isForeignRestriction(key))) continue;
    if (typeof value === "string") annotations2 = { ...annotations2, [key]: value };
    else refuse2("must be text (put it in quotes)", "annotations", key);
  }
  const result = {
    name: goodName,
    namespace: goodNamespace,
    generation: Number.isSafeInteger(meta.generation) ? Number(meta.generation) : 0,
    created: typeof meta.creationTimestamp === "string" ? meta.creationTimestamp : "",
    annotations: annotations2
  };
  return { meta: result, about: about4, findings, ...name3 || namespace ? {} : { ref: about4 } };
}
function nameProblem(value, isValid) {
  if (value === void 0) return "is missing; every object needs a name";
  if (typeof value !== "string") return "must be text (put it in quotes)";
  if (isValid(value)) return void 0;
  return `must be a Kubernetes name (lower-case letters, digits and -), found ${quote(value)}`;
}

// src/schema/spelling.ts
var maxDistance = 2;
function nearestKind(kind, known5) {
  if (kind.length > 40) return void 0;
  const word = kind.toLowerCase();
  return known5.find((candidate) => distance(word, candidate.toLowerCase()) <= maxDistance);
}
var maxName = 60;
var plain = (name3) => name3.toLowerCase().replace(/[-_.]/g, "");
function nearestName(name3, known5, strict = false) {
  if (name3.length > maxName) return void 0;
  const word = plain(name3);
  const limit2 = Math.floor(word.length / (strict ? 6 : 3));
  let best;
  for (const candidate of known5) {
    const other = plain(candidate);
    const letters = distance(word, other);
    const begins = !strict && sharedStart(word, other) >= Math.max(5, word.length * 0.6);
    if (letters > limit2 && !begins) continue;
    const score = letters > limit2 ? limit2 + letters / maxName : letters;
    if (!best || score < best.score) best = { candidate, score };
  }
  return best?.candidate;
}
function sharedStart(a, b) {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}
function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replace, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

// src/gen/fields.ts
var fieldShapes = [
  {},
  { "*": 0 },
  { "apiVersion": 0, "blockOwnerDeletion": 0, "controller": 0, "kind": 0, "name": 0, "uid": 0 },
  { "annotations": 1, "creationTimestamp": 0, "deletionGracePeriodSeconds": 0, "deletionTimestamp": 0, "finalizers": 0, "generateName": 0, "generation": 0, "labels": 1, "managedFields": 0, "name": 0, "namespace": 0, "ownerReferences": 2, "resourceVersion": 0, "selfLink": 0, "uid": 0 },
  { "group": 0, "kind": 0, "name": 0, "sectionName": 0 },
  { "group": 0, "kind": 0, "name": 0 },
  { "hostname": 0, "type": 0, "uri": 0 },
  { "caCertificateRefs": 5, "hostname": 0, "subjectAltNames": 6, "wellKnownCACertificates": 0 },
  { "options": 1, "targetRefs": 4, "validation": 7 },
  { "apiVersion": 0, "kind": 0, "metadata": 3, "spec": 8, "status": 0 },
  { "apiVersion": 0, "binaryData": 1, "data": 1, "immutable": 0, "kind": 0, "metadata": 3 },
  { "ready": 0, "serving": 0, "terminating": 0 },
  { "name": 0 },
  { "forNodes": 12, "forZones": 12 },
  { "apiVersion": 0, "fieldPath": 0, "kind": 0, "name": 0, "namespace": 0, "resourceVersion": 0, "uid": 0 },
  { "addresses": 0, "conditions": 11, "deprecatedTopology": 1, "hints": 13, "hostname": 0, "nodeName": 0, "targetRef": 14, "topology": 0, "zone": 0 },
  { "appProtocol": 0, "name": 0, "port": 0, "protocol": 0 },
  { "addressType": 0, "apiVersion": 0, "endpoints": 15, "kind": 0, "metadata": 3, "ports": 16 },
  { "hostname": 0, "ip": 0, "nodeName": 0, "targetRef": 14 },
  { "addresses": 18, "notReadyAddresses": 18, "ports": 16 },
  { "apiVersion": 0, "kind": 0, "metadata": 3, "subsets": 19 },
  { "maxConnections": 0, "maxPendingRequests": 0, "maxRequests": 0, "maxRetries": 0, "perHostMaxConnections": 0 },
  { "headerName": 0 },
  { "parameterName": 0 },
  { "hashSourceIP": 0, "headerHashOptions": 22, "queryParameterHashOptions": 23, "terminal": 0 },
  { "requestHashPolicies": 24, "strategy": 0 },
  { "name": 0, "port": 0, "weight": 0 },
  { "idle": 0, "idleConnection": 0, "response": 0 },
  { "caSecret": 0, "subjectName": 0, "subjectNames": 0 },
  { "circuitBreakerPolicy": 21, "loadBalancerPolicy": 25, "protocol": 0, "protocolVersion": 0, "services": 26, "timeoutPolicy": 27, "validation": 28 },
  { "apiVersion": 0, "kind": 0, "metadata": 3, "spec": 29, "status": 0 },
  { "group": 0, "kind": 0, "name": 0, "namespace": 0, "port": 0, "sectionName": 0 },
  { "name": 0, "value": 0 },
  { "add": 32, "remove": 0, "set": 32 },
  { "group": 0, "kind": 0, "name": 0, "namespace": 0, "port": 0 },
  { "denominator": 0, "numerator": 0 },
  { "backendRef": 34, "fraction": 35, "percent": 0 },
  { "extensionRef": 5, "requestHeaderModifier": 33, "requestMirror": 36, "responseHeaderModifier": 33, "type": 0 },
  { "filters": 37, "group": 0, "kind": 0, "name": 0, "namespace": 0, "port": 0, "weight": 0 },
  { "name": 0, "type": 0, "value": 0 },
  { "method": 0, "service": 0, "type": 0 },
  { "headers": 39, "method": 40 },
  { "lifetimeType": 0 },
  { "absoluteTimeout": 0, "cookieConfig": 42, "sessionName": 0, "type": 0 },
  { "backendRefs": 38, "filters": 37, "matches": 41, "name": 0, "sessionPersistence": 43 },
  { "hostnames": 0, "parentRefs": 31, "rules": 44, "useDefaultGateways": 0 },
  { "apiVersion": 0, "kind": 0, "metadata": 3, "spec": 45, "status": 0 },
  { "type": 0, "value": 0 },
  { "key": 0, "operator": 0, "values": 0 },
  { "matchExpressions": 48, "matchLabels": 1 },
  { "from": 0, "selector": 49 },
  { "namespaces": 50 },
  { "annotations": 1, "labels": 1, "parametersRef": 5 },
  { "group": 0, "kind": 0 },
  { "kinds": 53, "namespaces": 50 },
  { "group": 0, "kind": 0, "name": 0, "namespace": 0 },
  { "caCertificateRefs": 55 },
  { "certificateRefs": 55, "frontendValidation": 56, "mode": 0, "options": 1 },
  { "allowedRoutes": 54, "hostname": 0, "name": 0, "port": 0, "protocol": 0, "tls": 57 },
  { "clientCertificateRef": 55 },
  { "caCertificateRefs": 55, "mode": 0 },
  { "validation": 60 },
  { "port": 0, "tls": 61 },
  { "default": 61, "perPort": 62 },
  { "backend": 59, "frontend": 63 },
  { "addresses": 47, "allowedListeners": 51, "defaultScope": 0, "gatewayClassName": 0, "infrastructure": 52, "listeners": 58, "tls": 64 },
  { "apiVersion": 0, "kind": 0, "metadata": 3, "spec": 65, "status": 0 },
  { "controllerName": 0, "description": 0, "parametersRef": 55 },
  { "apiVersion": 0, "kind": 0, "metadata": 3, "spec": 67, "status": 0 },
  { "contains": 0, "exact": 0, "ignoreCase": 0, "name": 0, "notcontains": 0, "notexact": 0, "notpresent": 0, "present": 0, "regex": 0, "treatMissingAsEmpty": 0 },
  { "contains": 0, "exact": 0, "ignoreCase": 0, "name": 0, "prefix": 0, "present": 0, "regex": 0, "suffix": 0 },
  { "exact": 0, "header": 69, "prefix": 0, "queryParameter": 70, "regex": 0 },
  { "conditions": 71, "name": 0, "namespace": 0 },
  { "context": 1, "disabled": 0 },
  { "value": 0 },
  { "domainRewrite": 74, "name": 0, "pathRewrite": 74, "sameSite": 0, "secure": 0 },
  { "body": 0, "statusCode": 0 },
  { "end": 0, "start": 0 },
  { "expectedStatuses": 77, "healthyThresholdCount": 0, "host": 0, "intervalSeconds": 0, "path": 0, "timeoutSeconds": 0, "unhealthyThresholdCount": 0 },
  { "allowCrossSchemeRedirect": 0, "denyRepeatedRouteRedirect": 0, "maxInternalRedirects": 0, "redirectResponseCodes": 0 },
  { "cidr": 0, "source": 0 },
  { "disabled": 0, "require": 0 },
  { "prefix": 0, "replacement": 0 },
  { "replacePrefix": 82 },
  { "key": 0, "value": 0 },
  { "descriptorKey": 0, "headerName": 0 },
  { "expectMatch": 0, "headers": 69, "value": 0 },
  { "genericKey": 84, "remoteAddress": 0, "requestHeader": 85, "requestHeaderValueMatch": 86 },
  { "entries": 87 },
  { "descriptors": 88, "disabled": 0 },
  { "burst": 0, "requests": 0, "responseHeadersToAdd": 32, "responseStatusCode": 0, "unit": 0 },
  { "global": 89, "local": 90 },
  { "remove": 0, "set": 32 },
  { "hostname": 0, "path": 0, "port": 0, "prefix": 0, "scheme": 0, "statusCode": 0 },
  { "count": 0, "perTryTimeout": 0, "retriableStatusCodes": 0, "retryOn": 0 },
  { "aggression": 0, "minWeightPercent": 0, "window": 0 },
  { "cookieRewritePolicies": 75, "healthPort": 0, "mirror": 0, "name": 0, "port": 0, "protocol": 0, "requestHeadersPolicy": 92, "responseHeadersPolicy": 92, "slowStartPolicy": 95, "validation": 28, "weight": 0 },
  { "authPolicy": 73, "conditions": 71, "cookieRewritePolicies": 75, "directResponsePolicy": 76, "enableWebsockets": 0, "healthCheckPolicy": 78, "internalRedirectPolicy": 79, "ipAllowPolicy": 80, "ipDenyPolicy": 80, "jwtVerificationPolicy": 81, "loadBalancerPolicy": 25, "pathRewritePolicy": 83, "permitInsecure": 0, "rateLimitPolicy": 91, "requestHeadersPolicy": 92, "requestRedirectPolicy": 93, "responseHeadersPolicy": 92, "retryPolicy": 94, "services": 96, "timeoutPolicy": 27 },
  { "healthyThresholdCount": 0, "intervalSeconds": 0, "timeoutSeconds": 0, "unhealthyThresholdCount": 0 },
  { "name": 0, "namespace": 0 },
  { "healthCheckPolicy": 98, "include": 99, "includes": 99, "loadBalancerPolicy": 25, "services": 96 },
  { "apiVersion": 0, "name": 0, "namespace": 0 },
  { "contains": 0, "exact": 0, "ignoreCase": 0, "prefix": 0, "suffix": 0 },
  { "allowedAuthorizationHeaders": 102, "allowedUpstreamHeaders": 102, "pathPrefix": 0 },
  { "allowPartialMessage": 0, "maxRequestBytes": 0, "packAsBytes": 0 },
  { "authPolicy": 73, "extensionRef": 101, "failOpen": 0, "httpSettings": 103, "responseTimeout": 0, "serviceType": 0, "withRequestBody": 104 },
  { "allowCredentials": 0, "allowHeaders": 0, "allowMethods": 0, "allowOrigin": 0, "allowPrivateNetwork": 0, "exposeHeaders": 0, "maxAge": 0 },
  { "key": 0, "secretName": 0 },
  { "cacheDuration": 0, "dnsLookupFamily": 0, "timeout": 0, "uri": 0, "validation": 28 },
  { "audiences": 0, "default": 0, "forwardJWT": 0, "issuer": 0, "localJWKS": 107, "name": 0, "remoteJWKS": 108 },
  { "cert": 0, "chain": 0, "dns": 0, "subject": 0, "uri": 0 },
  { "caSecret": 0, "crlOnlyVerifyLeafCert": 0, "crlSecret": 0, "forwardClientCertificate": 110, "optionalClientCertificate": 0, "skipClientCertValidation": 0 },
  { "clientValidation": 111, "enableFallbackCertificate": 0, "maximumProtocolVersion": 0, "minimumProtocolVersion": 0, "passthrough": 0, "secretName": 0 },
  { "authorization": 105, "corsPolicy": 106, "fqdn": 0, "ipAllowPolicy": 80, "ipDenyPolicy": 80, "jwtProviders": 109, "rateLimitPolicy": 91, "tls": 112 },
  { "includes": 72, "ingressClassName": 0, "routes": 97, "tcpproxy": 100, "virtualhost": 113 },
  { "apiVersion": 0, "kind": 0, "metadata": 3, "spec": 114, "status": 0 },
  { "allowCredentials": 0, "allowHeaders": 0, "allowMethods": 0, "allowOrigins": 0, "exposeHeaders": 0, "maxAge": 0 },
  { "maxSize": 0 },
  { "allowedHeaders": 0 },
  { "allowedHeaders": 0, "allowedResponseHeaders": 0, "path": 0 },
  { "backendRef": 34, "forwardBody": 117, "grpc": 118, "http": 119, "protocol": 0 },
  { "replaceFullPath": 0, "replacePrefixMatch": 0, "type": 0 },
  { "hostname": 0, "path": 121, "port": 0, "scheme": 0, "statusCode": 0 },
  { "hostname": 0, "path": 121 },
  { "cors": 116, "extensionRef": 5, "externalAuth": 120, "requestHeaderModifier": 33, "requestMirror": 36, "requestRedirect": 122, "responseHeaderModifier": 33, "type": 0, "urlRewrite": 123 },
  { "filters": 124, "group": 0, "kind": 0, "name": 0, "namespace": 0, "port": 0, "weight": 0 },
  { "headers": 39, "method": 0, "path": 47, "queryParams": 39 },
  { "attempts": 0, "backoff": 0, "codes": 0 },
  { "backendRequest": 0, "request": 0 },
  { "backendRefs": 125, "filters": 124, "matches": 126, "name": 0, "retry": 127, "sessionPersistence": 43, "timeouts": 128 },
  { "hostnames": 0, "parentRefs": 31, "rules": 129, "useDefaultGateways": 0 },
  { "apiVersion": 0, "kind": 0, "metadata": 3, "spec": 130, "status": 0 },
  { "apiGroup": 0, "kind": 0, "name": 0 },
  { "resource": 132, "serviceName": 0, "servicePort": 0 },
  { "name": 0, "number": 0 },
  { "name": 0, "port": 134 },
  { "resource": 132, "service": 135 },
  { "resource": 132, "service": 135, "serviceName": 0, "servicePort": 0 },
  { "backend": 137, "path": 0, "pathType": 0 },
  { "paths": 138 },
  { "host": 0, "http": 139 },
  { "hosts": 0, "secretName": 0 },
  { "backend": 133, "defaultBackend": 136, "ingressClassName": 0, "rules": 140, "tls": 141 },
  { "apiVersion": 0, "kind": 0, "metadata": 3, "spec": 142, "status": 0 },
  { "apiGroup": 0, "kind": 0, "name": 0, "namespace": 0, "scope": 0 },
  { "controller": 0, "parameters": 144 },
  { "apiVersion": 0, "kind": 0, "metadata": 3, "spec": 145 },
  { "count": 0, "perTryTimeout": 0 },
  { "healthyThresholdCount": 0, "host": 0, "intervalSeconds": 0, "path": 0, "timeoutSeconds": 0, "unhealthyThresholdCount": 0 },
  { "caSecret": 0, "subjectName": 0 },
  { "healthCheck": 148, "name": 0, "port": 0, "strategy": 0, "validation": 149, "weight": 0 },
  { "request": 0 },
  { "delegate": 99, "enableWebsockets": 0, "match": 0, "permitInsecure": 0, "prefixRewrite": 0, "retryPolicy": 147, "services": 150, "timeoutPolicy": 151 },
  { "delegate": 99, "services": 150 },
  { "minimumProtocolVersion": 0, "passthrough": 0, "secretName": 0 },
  { "fqdn": 0, "tls": 154 },
  { "routes": 152, "tcpproxy": 153, "virtualhost": 155 },
  { "apiVersion": 0, "kind": 0, "metadata": 3, "spec": 156, "status": 0 },
  { "finalizers": 0 },
  { "apiVersion": 0, "kind": 0, "metadata": 3, "spec": 158, "status": 0 },
  { "group": 0, "kind": 0, "namespace": 0 },
  { "from": 160, "to": 5 },
  { "apiVersion": 0, "kind": 0, "metadata": 3, "spec": 161 },
  { "apiVersion": 0, "data": 1, "immutable": 0, "kind": 0, "metadata": 3, "stringData": 1, "type": 0 },
  { "appProtocol": 0, "name": 0, "nodePort": 0, "port": 0, "protocol": 0, "targetPort": 0 },
  { "timeoutSeconds": 0 },
  { "clientIP": 165 },
  { "allocateLoadBalancerNodePorts": 0, "clusterIP": 0, "clusterIPs": 0, "externalIPs": 0, "externalName": 0, "externalTrafficPolicy": 0, "healthCheckNodePort": 0, "internalTrafficPolicy": 0, "ipFamilies": 0, "ipFamilyPolicy": 0, "loadBalancerClass": 0, "loadBalancerIP": 0, "loadBalancerSourceRanges": 0, "ports": 164, "publishNotReadyAddresses": 0, "selector": 1, "sessionAffinity": 0, "sessionAffinityConfig": 166, "trafficDistribution": 0, "type": 0 },
  { "apiVersion": 0, "kind": 0, "metadata": 3, "spec": 167, "status": 0 },
  { "group": 0, "kind": 0, "name": 0, "namespace": 0, "port": 0, "weight": 0 },
  { "backendRefs": 169, "name": 0 },
  { "parentRefs": 31, "rules": 170, "useDefaultGateways": 0 },
  { "apiVersion": 0, "kind": 0, "metadata": 3, "spec": 171, "status": 0 },
  { "secretName": 0, "targetNamespaces": 0 },
  { "delegations": 173 },
  { "apiVersion": 0, "kind": 0, "metadata": 3, "spec": 174, "status": 0 },
  { "hostnames": 0, "parentRefs": 31, "rules": 170, "useDefaultGateways": 0 },
  { "apiVersion": 0, "kind": 0, "metadata": 3, "spec": 176, "status": 0 }
];
var kindShapes = {
  BackendTLSPolicy: 9,
  ConfigMap: 10,
  EndpointSlice: 17,
  Endpoints: 20,
  ExtensionService: 30,
  GRPCRoute: 46,
  Gateway: 66,
  GatewayClass: 68,
  HTTPProxy: 115,
  HTTPRoute: 131,
  Ingress: 143,
  IngressClass: 146,
  IngressRoute: 157,
  Namespace: 159,
  ReferenceGrant: 162,
  Secret: 163,
  Service: 168,
  TCPRoute: 172,
  TLSCertificateDelegation: 175,
  TLSRoute: 177
};

// src/schema/unknown-fields.ts
var restrictingFields = {
  HTTPProxy: [
    "authorization",
    "authPolicy",
    "clientValidation",
    "ipAllowPolicy",
    "ipDenyPolicy",
    "jwtProviders",
    "jwtVerificationPolicy",
    "rateLimitPolicy"
  ],
  Gateway: ["allowedRoutes", "frontend", "frontendValidation"],
  HTTPRoute: ["externalAuth"],
  ReferenceGrant: ["from", "to"]
};
var maxFindings2 = 20;
function unknownFields(kind, about4, input) {
  const unknown = [];
  walk({ kind, path: [], unknown }, input, kindShapes[kind], false);
  if (unknown.length === 0) return none;
  const findings = unknown.map((one) => findingOf(kind, about4, one));
  findings.sort((a, b) => Number(b.severity === "error") - Number(a.severity === "error"));
  const more = findings.length - maxFindings2;
  if (more <= 0) return findings;
  const rest = { ...warning, about: about4, message: `has ${plural(more, "more unknown field")}` };
  return [...findings.slice(0, maxFindings2), rest];
}
var none = [];
var warning = { severity: "warning", type: "SchemaError", reason: "UnknownField" };
function walk(at, value, shape, restricting2) {
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) walkInto(at, i, value[i], shape, restricting2);
    return;
  }
  const fields = fieldShapes[shape];
  if (!fields || !isRecord(value)) return;
  for (const key in value) {
    const child = Object.hasOwn(fields, key) ? fields[key] : fields["*"];
    if (child === void 0) at.unknown.push({ path: [...at.path, key], shape, restricting: restricting2 });
    else if (child !== 0) walkInto(at, key, value[key], child, restricting2 || restricts(at.kind, key));
  }
}
function walkInto(at, key, value, shape, restricting2) {
  if (typeof value !== "object" || value === null) return;
  at.path.push(key);
  walk(at, value, shape, restricting2);
  at.path.pop();
}
var restricts = (kind, field) => restrictingFields[kind]?.includes(field) ?? false;
function findingOf(kind, about4, { path: path3, shape, restricting: restricting2 }) {
  const key = String(path3.at(-1));
  const near = nearestName(key, Object.keys(fieldShapes[shape] ?? {}));
  const elsewhere = near ? void 0 : elsewhereIn(kind, key);
  const meant = near ?? (elsewhere && String(elsewhere.at(-1)));
  const closes = restricting2 || meant !== void 0 && restricts(kind, meant);
  const hint = near ? `; did you mean ${near}?` : elsewhere ? `; ${kind} has ${pathText(elsewhere)}` : "; it has no effect";
  const parent = pathText(path3.slice(0, -1));
  const message = `${quote(key)} is not a field of ${parent || kind}${hint}`;
  const refusal = closes ? " It may be meant to restrict access: the object is not served." : "";
  return {
    ...warning,
    severity: closes ? "error" : "warning",
    about: about4,
    message: message + refusal,
    path: pathText(path3)
  };
}
var places = /* @__PURE__ */ new Map();
function elsewhereIn(kind, key) {
  let byName2 = places.get(kind);
  if (!byName2) {
    byName2 = placesOf(kindShapes[kind]);
    places.set(kind, byName2);
  }
  const near = nearestName(key, [...byName2.keys()], true);
  return near === void 0 ? void 0 : byName2.get(near);
}
function placesOf(root) {
  const found = /* @__PURE__ */ new Map();
  let level = [{ shape: root, path: [] }];
  while (level.length > 0) {
    const next = [];
    for (const { shape, path: path3 } of level)
      for (const [name3, child] of Object.entries(fieldShapes[shape] ?? {})) {
        if (name3 === "*" || path3.length === 0 && name3 === "status") continue;
        const at = [...path3, name3];
        if (!found.has(name3)) found.set(name3, at);
        if (child !== 0 && name3 !== "metadata") next.push({ shape: child, path: at });
      }
    level = next;
  }
  return found;
}

// src/schema/unsupported-fields.ts
var unsupported = {
  GatewayClass: ["spec.parametersRef"],
  Gateway: [
    "spec.allowedListeners",
    "spec.defaultScope",
    "spec.infrastructure",
    "spec.listeners.tls.options",
    "spec.tls.backend.clientCertificateRef"
  ],
  HTTPRoute: ["spec.rules.retry", "spec.rules.sessionPersistence", "spec.useDefaultGateways"],
  GRPCRoute: ["spec.rules.sessionPersistence", "spec.useDefaultGateways"],
  TLSRoute: ["spec.useDefaultGateways"],
  TCPRoute: ["spec.useDefaultGateways"],
  BackendTLSPolicy: ["spec.options"]
};
function unsupportedFields(kind, about4, input) {
  const fields = unsupported[kind];
  if (!fields) return [];
  return fields.flatMap(
    (field) => placesOf2(input, field.split(".")).map((path3) => ({
      about: about4,
      severity: "warning",
      type: "SchemaError",
      reason: "UnsupportedField",
      message: `${field.split(".").at(-1)} is not supported; it has no effect`,
      path: pathText(path3)
    }))
  );
}
function placesOf2(value, [key, ...rest]) {
  if (Array.isArray(value))
    return key === void 0 ? [[]] : value.flatMap((one, i) => placesOf2(one, [key, ...rest]).map((path3) => [i, ...path3]));
  if (key === void 0) return [[]];
  if (!isRecord(value) || !Object.hasOwn(value, key)) return [];
  return placesOf2(value[key], rest).map((path3) => [key, ...path3]);
}

// src/schema/object.ts
var labelsOf = ({ metadata: metadata2 }) => isRecord(metadata2) ? metadata2.labels : void 0;
var wholeObject = (input) => input;
var gatewayVersions = (...versions3) => versions3.map((version4) => `${gatewayGroup}/${version4}`);
var kinds = {
  Namespace: {
    versions: ["v1"],
    schema: namespaceSpec,
    clusterScoped: true,
    body: (input) => ({ labels: labelsOf(input) })
  },
  Service: { versions: ["v1"], schema: serviceSpec },
  Endpoints: { versions: ["v1"], schema: endpointsSpec, body: wholeObject },
  Secret: {
    versions: ["v1"],
    schema: secretSpec,
    body: ({ type: type4, data, stringData }) => ({
      type: type4,
      data: knownKeys(data, true),
      stringData: knownKeys(stringData, false)
    })
  },
  ConfigMap: {
    versions: ["v1"],
    schema: configMapSpec,
    body: ({ data }) => ({
      data: isRecord(data) && Object.hasOwn(data, "ca.crt") ? { "ca.crt": data["ca.crt"] } : {}
    })
  },
  EndpointSlice: {
    versions: ["discovery.k8s.io/v1", "discovery.k8s.io/v1beta1"],
    schema: endpointSliceSpec,
    body: (input) => {
      const labels = labelsOf(input);
      const service3 = isRecord(labels) && labels["kubernetes.io/service-name"] || "";
      return { addressType: input.addressType, endpoints: input.endpoints, ports: input.ports, service: service3 };
    }
  },
  Ingress: {
    versions: ["networking.k8s.io/v1", "networking.k8s.io/v1beta1", "extensions/v1beta1"],
    schema: ingressSpec
  },
  IngressClass: {
    versions: ["networking.k8s.io/v1", "networking.k8s.io/v1beta1"],
    schema: ingressClassSpec,
    clusterScoped: true
  },
  HTTPProxy: { versions: ["projectcontour.io/v1", "projectcontour.io/v1alpha1"], schema: httpProxySpec },
  ExtensionService: { versions: ["projectcontour.io/v1alpha1"], schema: extensionServiceSpec },
  IngressRoute: { versions: ["contour.heptio.com/v1beta1"], schema: ingressRouteSpec },
  TLSCertificateDelegation: {
    versions: ["projectcontour.io/v1", "contour.heptio.com/v1beta1"],
    schema: delegationSpec
  },
  GatewayClass: { versions: gatewayVersions("v1", "v1beta1"), schema: gatewayClassSpec, clusterScoped: true },
  Gateway: { versions: gatewayVersions("v1", "v1beta1"), schema: gatewaySpec },
  HTTPRoute: { versions: gatewayVersions("v1", "v1beta1"), schema: httpRouteSpec },
  GRPCRoute: { versions: gatewayVersions("v1", "v1alpha2"), schema: grpcRouteSpec },
  TLSRoute: { versions: gatewayVersions("v1", "v1alpha3", "v1alpha2"), schema: tlsRouteSpec },
  TCPRoute: { versions: gatewayVersions("v1", "v1alpha2"), schema: tcpRouteSpec },
  ReferenceGrant: { versions: gatewayVersions("v1", "v1beta1", "v1alpha2"), schema: referenceGrantSpec },
  BackendTLSPolicy: { versions: gatewayVersions("v1", "v1alpha3"), schema: backendTlsPolicySpec }
};
var routeKinds = ["HTTPRoute", "TLSRoute", "GRPCRoute", "TCPRoute"];
var nobody = "Unknown//";
function parseObject(input, namespaces = []) {
  if (!isRecord(input))
    return { ...refuse("must be a map with apiVersion, kind and metadata"), noObject: true };
  const { kind, apiVersion: apiVersion2 } = input;
  if (typeof kind !== "string" || kind === "")
    return { ...refuse("is missing; every object has a kind", "kind"), noObject: true };
  if (typeof apiVersion2 !== "string" || apiVersion2 === "")
    return { ...refuse(`is missing; ${quote(kind)} needs one`, "apiVersion"), noObject: true };
  if (namespaces.length > 0 && !isWatched(kind, input, namespaces))
    return { ignored: `${kind.slice(0, 80)} in namespaces that are not watched`, findings: noFindings };
  if (!Object.hasOwn(kinds, kind)) return unknownKind(kind, apiVersion2, input);
  return parseKind(kind, apiVersion2, input);
}
function isWatched(kind, { metadata: metadata2 }, namespaces) {
  const reader = Object.hasOwn(kinds, kind) ? kinds[kind] : void 0;
  if (reader?.clusterScoped) return true;
  const namespace = isRecord(metadata2) ? metadata2.namespace : void 0;
  return namespaces.includes(String(namespace || "default"));
}
function parseKind(kind, apiVersion2, raw) {
  const { versions: versions3, schema, clusterScoped = false, body: body2 } = kinds[kind];
  const version4 = versions3.includes(apiVersion2);
  if (!version4 && !versions3.some((known5) => groupOf(known5) === groupOf(apiVersion2)))
    return ignore(kind, apiVersion2);
  const { problem: problem2, path: path3, nulls } = inspect(raw);
  if (problem2) return hostile(kind, raw, schemaError(nobody, problem2, path3));
  const input = nulls ? withoutNulls(raw) : raw;
  const { meta, ref, about: about4, findings: wrong } = parseMeta(kind, input.metadata, clusterScoped);
  const findings = [...wrong];
  if (!version4) {
    const message = `${quote(apiVersion2)} of ${kind} is not supported; use ${versions3[0]}`;
    return { findings: [...findings, schemaError(about4, message, "apiVersion")], ...ref ? { ref } : {} };
  }
  const content2 = body2 ? body2(input) : input.spec ?? {};
  const parsed = schema.safeParse(content2);
  if (!parsed.success) {
    const prefix = kind === "Namespace" ? ["metadata"] : body2 ? [] : ["spec"];
    findings.push(...schemaFindings(about4, parsed.error.issues, content2, prefix, kind === "Secret"));
  }
  const unknown = unknownFields(kind, about4, input);
  const isRefused = findings.length > 0 || unknown.some(({ severity }) => severity === "error");
  if (isRefused) return { findings: [...findings, ...unknown], ...ref ? { ref } : {} };
  const object = { kind, ref: about4, meta, spec: parsed.data };
  const unsupported2 = unsupportedFields(kind, about4, input);
  return { object, findings: unsupported2.length > 0 ? [...unknown, ...unsupported2] : unknown };
}
function hostile(kind, { metadata: metadata2 }, finding) {
  const { clusterScoped = false } = kinds[kind];
  const { name: name3, namespace } = isRecord(metadata2) ? metadata2 : {};
  const { ref } = parseMeta(kind, { name: name3, namespace }, clusterScoped);
  return ref ? { findings: [{ ...finding, about: ref }], ref } : { findings: [finding] };
}
var groupOf = (apiVersion2) => apiVersion2.slice(0, Math.max(apiVersion2.indexOf("/"), 0));
var contourGroups = /* @__PURE__ */ new Set(["projectcontour.io", "contour.heptio.com"]);
var unsupportedGatewayKinds = /* @__PURE__ */ new Set(["ListenerSet", "UDPRoute"]);
var unusedContourKinds = /* @__PURE__ */ new Set(["ContourConfiguration", "ContourDeployment"]);
function unknownKind(kind, apiVersion2, input) {
  const group = groupOf(apiVersion2);
  if (group === gatewayGroup && unsupportedGatewayKinds.has(kind))
    return unsupportedKind(kind, apiVersion2, input);
  const inGroup = Object.entries(kinds).filter(
    ([, { versions: versions3 }]) => versions3.some((known5) => groupOf(known5) === group)
  );
  const near = nearestKind(
    kind,
    inGroup.map(([known5]) => known5)
  );
  if (near)
    return refuse(`${quote(kind)} is not a kind of ${quote(apiVersion2)}; did you mean ${near}?`, "kind");
  if (contourGroups.has(group) && !unusedContourKinds.has(kind)) {
    return refuse(
      `${quote(kind)} is not a kind of ${quote(apiVersion2)}; use HTTPProxy or another kind that it has`,
      "kind"
    );
  }
  return ignore(kind, apiVersion2);
}
var noFindings = [];
var ignore = (kind, apiVersion2, findings = noFindings) => ({
  ignored: `${kind.slice(0, 80)} of ${apiVersion2.slice(0, 80)}`,
  findings
});
function unsupportedKind(kind, apiVersion2, { metadata: metadata2 }) {
  const { about: about4 } = parseMeta(kind, metadata2, false);
  const message = `${kind} is not supported; the object is not served`;
  const finding = {
    about: about4,
    severity: "warning",
    type: "SchemaError",
    reason: "UnsupportedKind",
    message
  };
  return ignore(kind, apiVersion2, [finding]);
}
var refuse = (message, path3) => ({
  findings: [schemaError(nobody, message, path3)]
});
function membersOf(input) {
  if (Array.isArray(input)) return arrayMembers(input);
  if (!isRecord(input)) return { members: [input] };
  const problem2 = answerProblem(input) ?? listProblem(input);
  if (problem2) return { problem: problem2 };
  if (!isList(input) || !Array.isArray(input.items)) return { members: [input] };
  const kind = String(input.kind).slice(0, -"List".length);
  if (!kind) return { members: input.items };
  return {
    members: input.items.map(
      (item) => isRecord(item) ? { apiVersion: input.apiVersion, kind, ...item } : item
    )
  };
}
function arrayMembers(input) {
  const members2 = [];
  for (const [i, one] of input.entries()) {
    const found = Array.isArray(one) ? { members: [one] } : membersOf(one);
    if ("problem" in found) return { problem: `[${i}] ${found.problem}` };
    for (const member of found.members) members2.push(member);
  }
  return { members: members2 };
}
var isList = ({ kind, items }) => kind === "List" || typeof kind === "string" && kind.endsWith("List") && (items !== void 0 || Object.hasOwn(kinds, kind.slice(0, -"List".length)));
var partialKinds = /* @__PURE__ */ new Set([
  "Table",
  "PartialObjectMetadata",
  "PartialObjectMetadataList"
]);
function answerProblem({ kind, apiVersion: apiVersion2 }) {
  const version4 = typeof apiVersion2 === "string" ? apiVersion2 : "";
  if (kind === "Status" && (version4 === "v1" || groupOf(version4) === "meta.k8s.io"))
    return "is a Status, with which the Kubernetes API tells of an error; push what it was asked for";
  if (partialKinds.has(kind) && groupOf(version4) === "meta.k8s.io")
    return `is a ${String(kind)}, which holds no whole objects; get them as YAML or JSON`;
  return void 0;
}
function listProblem(input) {
  if (!isList(input)) return void 0;
  const { kind, apiVersion: apiVersion2, metadata: metadata2, items } = input;
  if (kind === "List" && apiVersion2 !== "v1") return 'is a List whose apiVersion is not "v1"';
  if (!Array.isArray(items)) return "is a list without `items`; an empty one has `items: []`";
  if (isRecord(metadata2) && metadata2.continue)
    return "is one page of a list (`metadata.continue` is set); get all of it";
  for (const [i, item] of items.entries()) {
    if (!isRecord(item)) return `items[${i}] is no object`;
    if (isList(item)) return `items[${i}] is a list; put its items into the list around it`;
    const problem2 = answerProblem(item);
    if (problem2) return `items[${i}] ${problem2}`;
  }
  return void 0;
}

// src/schema/settings.ts
import { z as z15 } from "zod";

// src/schema/access-log.ts
var named = {
  "@timestamp": "%START_TIME%",
  ts: "%START_TIME%",
  authority: "%REQ(:AUTHORITY)%",
  method: "%REQ(:METHOD)%",
  path: "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
  request_id: "%REQ(X-REQUEST-ID)%",
  uber_trace_id: "%REQ(UBER-TRACE-ID)%",
  upstream_service_time: "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%",
  user_agent: "%REQ(USER-AGENT)%",
  x_forwarded_for: "%REQ(X-FORWARDED-FOR)%",
  x_trace_id: "%REQ(X-TRACE-ID)%",
  tls_ja3_fingerprint: "%TLS_JA3_FINGERPRINT%",
  tls_ja4_fingerprint: "%TLS_JA4_FINGERPRINT%",
  contour_config_kind: "%METADATA(ROUTE:envoy.access_loggers.file:io.projectcontour.kind)%",
  contour_config_namespace: "%METADATA(ROUTE:envoy.access_loggers.file:io.projectcontour.namespace)%",
  contour_config_name: "%METADATA(ROUTE:envoy.access_loggers.file:io.projectcontour.name)%"
};
var defaultJsonFields = [
  "@timestamp",
  "authority",
  "bytes_received",
  "bytes_sent",
  "downstream_local_address",
  "downstream_remote_address",
  "duration",
  "method",
  "path",
  "protocol",
  "request_id",
  "requested_server_name",
  "response_code",
  "response_flags",
  "uber_trace_id",
  "upstream_cluster",
  "upstream_host",
  "upstream_local_address",
  "upstream_service_time",
  "user_agent",
  "x_forwarded_for",
  "grpc_status",
  "grpc_status_number"
];
var simple = new Set(
  `BYTES_RECEIVED BYTES_SENT CONNECTION_ID CONNECTION_TERMINATION_DETAILS DOWNSTREAM_DIRECT_REMOTE_ADDRESS
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT DOWNSTREAM_DIRECT_REMOTE_PORT DOWNSTREAM_HEADER_BYTES_RECEIVED
  DOWNSTREAM_HEADER_BYTES_SENT DOWNSTREAM_LOCAL_ADDRESS DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT DOWNSTREAM_LOCAL_PORT
  DOWNSTREAM_LOCAL_SUBJECT DOWNSTREAM_LOCAL_URI_SAN DOWNSTREAM_PEER_CERT DOWNSTREAM_PEER_CERT_V_END
  DOWNSTREAM_PEER_CERT_V_START DOWNSTREAM_PEER_FINGERPRINT_1 DOWNSTREAM_PEER_FINGERPRINT_256 DOWNSTREAM_PEER_ISSUER
  DOWNSTREAM_PEER_SERIAL DOWNSTREAM_PEER_SUBJECT DOWNSTREAM_PEER_URI_SAN DOWNSTREAM_REMOTE_ADDRESS
  DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT DOWNSTREAM_REMOTE_PORT DOWNSTREAM_TLS_CIPHER DOWNSTREAM_TLS_SESSION_ID
  DOWNSTREAM_TLS_VERSION DOWNSTREAM_WIRE_BYTES_RECEIVED DOWNSTREAM_WIRE_BYTES_SENT DURATION FILTER_CHAIN_NAME
  GRPC_STATUS GRPC_STATUS_NUMBER HOSTNAME LOCAL_REPLY_BODY PROTOCOL REQUEST_HEADERS_BYTES REQUESTED_SERVER_NAME
  REQUEST_DURATION REQUEST_TX_DURATION RESPONSE_CODE RESPONSE_CODE_DETAILS RESPONSE_DURATION RESPONSE_FLAGS
  RESPONSE_HEADERS_BYTES RESPONSE_TRAILERS_BYTES RESPONSE_TX_DURATION ROUTE_NAME START_TIME TLS_JA3_FINGERPRINT
  TLS_JA4_FINGERPRINT UPSTREAM_CLUSTER UPSTREAM_HEADER_BYTES_RECEIVED UPSTREAM_HEADER_BYTES_SENT UPSTREAM_HOST
  UPSTREAM_LOCAL_ADDRESS UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT UPSTREAM_LOCAL_PORT UPSTREAM_PEER_CERT
  UPSTREAM_PEER_CERT_V_END UPSTREAM_PEER_CERT_V_START UPSTREAM_PEER_ISSUER UPSTREAM_PEER_SUBJECT UPSTREAM_PROTOCOL
  UPSTREAM_REMOTE_ADDRESS UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT UPSTREAM_REMOTE_PORT UPSTREAM_REQUEST_ATTEMPT_COUNT
  UPSTREAM_TLS_CIPHER UPSTREAM_TLS_SESSION_ID UPSTREAM_TLS_VERSION UPSTREAM_TRANSPORT_FAILURE_REASON
  UPSTREAM_WIRE_BYTES_RECEIVED UPSTREAM_WIRE_BYTES_SENT VIRTUAL_CLUSTER_NAME`.split(/\s+/)
);
var header2 = /^:?[A-Za-z0-9!#$&'*+.^_`|~-]*$/;
var headers = (text4) => {
  const names4 = text4.split("?");
  return names4.length <= 2 && names4.every((one) => header2.test(one));
};
var anything = () => true;
var metadata = /^(?:DYNAMIC|CLUSTER|ROUTE|UPSTREAM_HOST|LISTENER|VIRTUAL_HOST|LISTENER_FILTER_CHAIN)(?::|$)/;
var withArguments = {
  ENVIRONMENT: { truncate: true, allowed: anything },
  METADATA: { truncate: true, allowed: (text4) => metadata.test(text4) },
  REQ: { truncate: true, allowed: headers },
  REQ_WITHOUT_QUERY: { truncate: true, allowed: headers },
  RESP: { truncate: true, allowed: headers },
  TRAILER: { truncate: true, allowed: headers },
  START_TIME: { optional: true, allowed: anything },
  UPSTREAM_FILTER_STATE: {
    truncate: true,
    allowed: (text4) => /^[^:]+(?::(?:|PLAIN|TYPED|FIELD:.+))?$/.test(text4)
  },
  GRPC_STATUS: { optional: true, allowed: (text4) => /^(?:CAMEL_STRING|SNAKE_STRING|NUMBER)$/.test(text4) },
  RESPONSE_CODE_DETAILS: { optional: true, allowed: (text4) => text4 === "ALLOW_WHITESPACES" }
};
var operatorPattern = /%(?:([A-Z0-9_]+)(?:\(([^)]+)\)(?::([0-9]+))?)?%)?/g;
function formatProblem(format) {
  for (const [whole2, operator, args, length] of format.matchAll(operatorPattern)) {
    if (operator === void 0) return "holds a % that starts no operator such as %DURATION%";
    const options2 = Object.hasOwn(withArguments, operator) ? withArguments[operator] : void 0;
    if (!options2 && !simple.has(operator)) return `holds the unknown operator ${whole2}`;
    if (args === void 0) {
      if (options2 && !options2.optional) return `${whole2} needs arguments, such as %${operator}(NAME)%`;
      continue;
    }
    if (!options2) return `${operator} takes no arguments`;
    if (length !== void 0 && !options2.truncate) return `${operator} takes no length`;
    if ((length ?? "").length > 9) return `the length of ${operator} is too big`;
    if (/[\r\n\0]/.test(args) || !options2.allowed(args)) return `the arguments of ${whole2} are not valid`;
  }
  return void 0;
}
function formatStringProblem(format) {
  if (format === "") return void 0;
  return formatProblem(format) ?? (format.endsWith("\n") ? void 0 : "must end with a line break");
}
function readJsonField(entry) {
  const equals = entry.indexOf("=");
  if (equals >= 0) return { name: entry.slice(0, equals), format: entry.slice(equals + 1) };
  const known5 = Object.hasOwn(named, entry) ? named[entry] : void 0;
  const operator = entry.toUpperCase();
  return { name: entry, format: known5 ?? (simple.has(operator) ? `%${operator}%` : "") };
}
function jsonFieldProblem(entry) {
  const { format } = readJsonField(entry);
  if (format !== "") return formatProblem(format);
  return entry.includes("=") ? "has no format after =" : "is no known field; write it as NAME=%OPERATOR%";
}
var forgeable = "Envoy quotes nothing in a text access log: a client forges fields with quotes and spaces in a header such as User-Agent; use format json";
function readLogFormat(log, written) {
  const named3 = written.get("accessLog.format");
  const format = named3 === void 0 && log.formatString !== "" ? "envoy" : log.format;
  const path3 = named3 ?? written.get("accessLog.formatString");
  const accessLog = { ...log, format };
  if (format === "json" || log.level === "disabled" || path3 === void 0) return { accessLog };
  return { accessLog, warning: { message: forgeable, path: path3 } };
}

// src/schema/listener-ports.ts
var defaults = { https: 8443, http: 8080, stats: 8002 };
var everywhere = ["0.0.0.0", "::"];
var overlaps = (a, b) => a.port === b.port && (a.address === b.address || everywhere.includes(a.address) || everywhere.includes(b.address));
function separatePorts(spec) {
  const problems = [];
  let now = spec;
  for (const name3 of Object.keys(defaults)) {
    const others = Object.keys(defaults).filter((other) => other !== name3);
    const clash = others.find((other) => overlaps(now[other], now[name3]));
    if (clash === void 0 || now[name3].port === defaults[name3]) continue;
    const message = `${now[name3].port} is the port of ${clash}, too; the default (${defaults[name3]}) is used`;
    problems.push({ path: `${name3}.port`, message });
    now = { ...now, [name3]: { ...now[name3], port: defaults[name3] } };
  }
  return { spec: now, problems };
}
var isTrafficAddress = ({ http, https }, at) => overlaps(http, at) || overlaps(https, at);

// src/schema/admin-endpoints.ts
var same = (a, b) => a.address === b.address && a.port === b.port;
function readAdminEndpoints(settings) {
  const problems = [];
  const at = (path3, { address: address2, port: port3 }) => {
    const own = { address: address2 ?? settings.stats.address, port: port3 ?? settings.stats.port };
    if (!isTrafficAddress(settings, own)) return own;
    problems.push({ path: path3, message: `${own.port} is a port of http or https; that of stats is used` });
    return settings.stats;
  };
  const health = at("health.port", settings.health);
  const metrics = at("metrics.port", settings.metrics);
  const { tls: tls2 } = settings.metrics;
  const wrong = filesProblem(tls2) ?? (tls2.certFile && same(health, metrics) ? sharedPort : void 0);
  if (wrong) problems.push({ path: "metrics.tls", message: `${wrong}; metrics are not served` });
  const { address, port: port2 } = settings.omEnforcedHealth;
  const enforced = port2 === void 0 ? void 0 : { address, port: port2 };
  const clash = enforced && ([health, metrics].some((other) => same(other, enforced)) || isTrafficAddress(settings, enforced));
  if (clash) {
    const message = "must differ from the addresses of other listeners; the listener is left out";
    problems.push({ path: "omEnforcedHealth.port", message });
  }
  return {
    endpoints: {
      health,
      ...wrong ? {} : { metrics: { ...metrics, ...tls2.certFile ? { tls: tls2 } : {} } },
      ...enforced && !clash ? { omEnforcedHealth: enforced } : {}
    },
    problems
  };
}
var sharedPort = "needs a port of its own: health over HTTP and metrics over HTTPS can't share one";
function filesProblem({ certFile, keyFile, caFile }) {
  if (certFile === "" !== (keyFile === "")) return "needs both certFile and keyFile";
  return caFile !== "" && certFile === "" ? "needs certFile and keyFile where caFile is set" : void 0;
}

// src/schema/budgets.ts
import { z as z13 } from "zod";
var budgets = z13.object({
  /** Instructions of one regular expression's program; RE2 itself gives up at some hundred thousand. */
  regexProgramSize: uint32.min(1).max(1e5).default(2e3),
  /** Routes by includes, delegations, hosts and matches. */
  routes: uint32.default(4e3),
  /** Of configuration, as JSON. */
  bytes: uint32.default(2e6),
  /** Instructions of all programs together, beside one for each character. */
  programSize: uint32.default(1e5),
  /** Servers of key sets that the HTTPProxies of a namespace name. */
  keySets: uint32.default(100),
  /** Envoy clusters that Services have beyond one each. */
  clusters: uint32.default(1e3)
}).prefault({});

// src/schema/contour-configuration.ts
var same2 = (from, to, keys2) => keys2.split(" ").map((key) => [`${from}.${key}`, to === "" ? key : `${to}.${key}`]);
var protocol2 = "minimumProtocolVersion maximumProtocolVersion cipherSuites ecdhCurves";
var configurationKeys = [
  ["ingress.classNames", "ingressClassNames"],
  ["ingress.statusAddress", "ingressStatusAddress"],
  ...same2("httpproxy", "", "disablePermitInsecure rootNamespaces"),
  ["httpproxy.fallbackCertificate", "tls.fallbackCertificate"],
  ["enableExternalNameService", "enableExternalNameService"],
  ...same2("envoy.http", "http", "address port accessLog"),
  ...same2("envoy.https", "https", "address port accessLog"),
  ...same2("envoy.health", "health", "address port"),
  ...same2("envoy.metrics", "metrics", "address port tls.certFile tls.keyFile tls.caFile"),
  ...same2("envoy.omEnforcedHealth", "omEnforcedHealth", "address port"),
  ...same2(
    "envoy.listener",
    "",
    "useProxyProtocol disableAllowChunkedLength disableMergeSlashes serverHeaderTransformation"
  ),
  ["envoy.listener.compression.algorithm", "compression"],
  ...same2("envoy.listener.tls", "tls", `${protocol2} fingerprint.ja3 fingerprint.ja4`),
  ...same2(
    "envoy.listener",
    "listener",
    `connectionBalancer maxRequestsPerConnection perConnectionBufferLimitBytes socketOptions.tos
    socketOptions.trafficClass maxRequestsPerIOCycle httpMaxConcurrentStreams maxConnectionsPerListener
    maxConnectionsToAcceptPerSocketEvent`.replace(/\s+/g, " ")
  ),
  ["envoy.clientCertificate", "tls.envoyClientCertificate"],
  ["envoy.logging.accessLogFormat", "accessLog.format"],
  ["envoy.logging.accessLogFormatString", "accessLog.formatString"],
  ["envoy.logging.accessLogJSONFields", "accessLog.jsonFields"],
  ["envoy.logging.accessLogLevel", "accessLog.level"],
  ["envoy.defaultHTTPVersions", "httpVersions"],
  ...same2(
    "envoy.timeouts",
    "timeouts",
    `requestTimeout connectionIdleTimeout streamIdleTimeout maxConnectionDuration delayedCloseTimeout
    connectionShutdownGracePeriod connectTimeout`.replace(/\s+/g, " ")
  ),
  ["envoy.cluster.dnsLookupFamily", "dnsLookupFamily"],
  ...same2("envoy.cluster", "cluster", "maxRequestsPerConnection perConnectionBufferLimitBytes"),
  ...same2(
    "envoy.cluster.circuitBreakers",
    "cluster.circuitBreakers",
    "maxConnections maxPendingRequests maxRequests maxRetries perHostMaxConnections"
  ),
  ...same2("envoy.cluster.upstreamTLS", "cluster.upstreamTls", protocol2),
  ["envoy.network.numTrustedHops", "xffNumTrustedHops"],
  ["envoy.network.stripTrailingHostDot", "stripTrailingHostDot"],
  ["envoy.runtimeSettings", "runtimeSettings"],
  ...same2("policy.requestHeaders", "policy.requestHeaders", "set remove"),
  ...same2("policy.responseHeaders", "policy.responseHeaders", "set remove"),
  ["policy.applyToIngress", "policy.applyToIngress"],
  ["gateway.gatewayRef", "gatewayRef"],
  ...["globalExtAuth", "rateLimitService", "tracing"].map((key) => [key, key])
];
var foreignConfigurationKeys = [
  "xdsServer",
  "debug",
  "health",
  "metrics",
  "featureFlags",
  "envoy.service",
  "envoy.network.adminPort"
];
function configurationSpec(input) {
  if (!isRecord(input) || input.kind !== "ContourConfiguration") return void 0;
  if (typeof input.apiVersion !== "string" || !input.apiVersion.startsWith("projectcontour.io/"))
    return void 0;
  return input.spec ?? {};
}
function joinReference(value) {
  if (!isRecord(value) || !isRecord(value.extensionService)) return value;
  const { namespace, name: name3 } = value.extensionService;
  return { ...value, extensionService: `${String(namespace ?? "")}/${String(name3 ?? "")}` };
}

// src/schema/duration.ts
var units2 = {
  h: 36e5,
  m: 6e4,
  s: 1e3,
  ms: 1,
  us: 1e-3,
  \u00B5s: 1e-3,
  \u03BCs: 1e-3,
  ns: 1e-6
};
var whole = /^(?:(?:\d+(?:\.\d*)?|\.\d+)(?:h|ms?|s|us|µs|μs|ns))+$/;
var part = /(\d+(?:\.\d*)?|\.\d+)(h|ms?|s|us|µs|μs|ns)/g;
var maxLength = 100;
var maxMs = 100 * 365 * 24 * 36e5;
function parseTimeout(text4) {
  if (text4 === "" || text4 === "0") return { kind: "default" };
  if (text4 === "infinity" || text4 === "infinite") return { kind: "disabled" };
  if (text4.length > maxLength || !whole.test(text4)) {
    const shown2 = JSON.stringify(text4.slice(0, maxLength));
    return {
      error: `invalid duration ${shown2}: write numbers with a unit (h, m, s, ms), such as "15s", or "infinity"`
    };
  }
  let ms = 0;
  for (const [, amount2 = "0", unit = "s"] of text4.matchAll(part)) ms += Number(amount2) * (units2[unit] ?? 0);
  if (ms > maxMs) return { error: `duration ${JSON.stringify(text4)} is longer than 100 years` };
  return ms === 0 ? { kind: "default" } : { kind: "ms", ms };
}

// src/schema/header-names.ts
var token2 = /^[A-Za-z0-9-]+$/;
var reserved = /* @__PURE__ */ new Set(["host", "content-length", "transfer-encoding", "connection", "upgrade"]);
var canonicalHeader = (name3) => name3.toLowerCase().replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
function headerNameProblem(name3) {
  if (!token2.test(name3)) return "a header name consists of letters, digits and -";
  if (name3.length > 1024) return "a header name has at most 1024 characters";
  if (reserved.has(name3.toLowerCase())) return "this header can't be set or removed here";
  return void 0;
}
var encoder2 = new TextEncoder();
var byteLength = (text4) => encoder2.encode(text4).length;
var hostValueProblem = (value) => byteLength(value) > 255 ? "a host has at most 255 bytes" : headerValueProblem(value);
function headerValueProblem(value) {
  if (byteLength(value) > 8192) return "the value is longer than 8192 bytes";
  if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(value)) return "the value holds a control character";
  return void 0;
}
var hostHeader = (value) => /^%REQ\(([A-Za-z0-9-]+)\)%$/.exec(value)?.[1];
function defaultHeadersProblem(set, kind) {
  const seen = /* @__PURE__ */ new Set();
  for (const [key, value] of Object.entries(set)) {
    const name3 = canonicalHeader(key);
    const isHost = name3 === "Host" && kind === "request";
    const message = (seen.has(name3) ? `sets ${name3} a second time` : void 0) ?? (isHost ? void 0 : headerNameProblem(key)) ?? (isHost ? hostValueProblem : headerValueProblem)(value) ?? (isHost && /%REQ\(/.test(value) ? "rewriting Host with a dynamic value is not supported here" : void 0);
    if (message) return { key, message };
    seen.add(name3);
  }
  return void 0;
}

// src/schema/settings-keys.ts
import { z as z14 } from "zod";
var aliases = {
  defaulthttpversions: "httpVersions",
  "gateway.gatewayref": "gatewayRef",
  "compression.algorithm": "compression",
  "cluster.dnslookupfamily": "dnsLookupFamily",
  "network.numtrustedhops": "xffNumTrustedHops",
  "network.striptrailinghostdot": "stripTrailingHostDot",
  ingressclassname: "ingressClassNames",
  "ingress.classnames": "ingressClassNames",
  "ingress.statusaddress": "ingressStatusAddress",
  "httpproxy.rootnamespaces": "rootNamespaces",
  "httpproxy.disablepermitinsecure": "disablePermitInsecure",
  "httpproxy.fallbackcertificate": "tls.fallbackCertificate",
  httpaddress: "http.address",
  httpport: "http.port",
  envoyhttpaccesslog: "http.accessLog",
  httpaccesslog: "http.accessLog",
  httpsaddress: "https.address",
  httpsport: "https.port",
  envoyhttpsaccesslog: "https.accessLog",
  httpsaccesslog: "https.accessLog",
  statsaddress: "stats.address",
  statsport: "stats.port",
  "metrics.envoy.address": "metrics.address",
  "metrics.envoy.port": "metrics.port",
  "metrics.envoy.servercertificatepath": "metrics.tls.certFile",
  "metrics.envoy.serverkeypath": "metrics.tls.keyFile",
  "metrics.envoy.cacertificatepath": "metrics.tls.caFile",
  "omenforcedhealthlistener.address": "omEnforcedHealth.address",
  "omenforcedhealthlistener.port": "omEnforcedHealth.port",
  accesslogformat: "accessLog.format",
  accesslogformatstring: "accessLog.formatString",
  jsonfields: "accessLog.jsonFields",
  accesslogfields: "accessLog.jsonFields",
  accesslogjsonfields: "accessLog.jsonFields",
  accessloglevel: "accessLog.level",
  connecttimeout: "timeouts.connectTimeout",
  "timeouts.request": "timeouts.requestTimeout",
  "listener.http2maxconcurrentstreams": "listener.httpMaxConcurrentStreams",
  "listener.serverheadertransformation": "serverHeaderTransformation",
  "listener.disablemergeslashes": "disableMergeSlashes",
  "listener.disableallowchunkedlength": "disableAllowChunkedLength",
  "listener.useproxyprotocol": "useProxyProtocol"
};
var foreign = new Set(
  "incluster kubeconfig kubernetesclientqps kubernetesclientburst server envoyservicenamespace envoyservicename network.adminport metrics.contour featureflags debug leaderelection".split(
    " "
  )
);
var squash = (key) => key.toLowerCase().replace(/[-_]/g, "");
function settingsForm(schema) {
  const leaves = new Map(Object.entries(aliases));
  const visit = (object, prefix) => {
    for (const [key, field] of Object.entries(object.shape)) {
      const path3 = prefix + key;
      const inner = field instanceof z14.ZodPrefault ? field.unwrap() : void 0;
      if (inner instanceof z14.ZodObject) visit(inner, `${path3}.`);
      else leaves.set(squash(path3), path3);
    }
  };
  visit(schema, "");
  return { leaves, groups: groupsOf(leaves), foreign, prefix: "" };
}
function groupsOf(leaves) {
  const groups = /* @__PURE__ */ new Set();
  for (const path3 of leaves.keys()) {
    for (let dot = path3.indexOf("."); dot >= 0; dot = path3.indexOf(".", dot + 1))
      groups.add(path3.slice(0, dot));
  }
  return groups;
}
var configurationLeaves = new Map(configurationKeys.map(([from, to]) => [squash(from), to]));
var configurationForm = {
  leaves: configurationLeaves,
  groups: groupsOf(configurationLeaves),
  foreign: new Set(foreignConfigurationKeys.map(squash)),
  prefix: "spec."
};
function flattenSettings(input, { leaves, groups, foreign: foreign2, prefix }, about4) {
  const tree = {};
  const written = /* @__PURE__ */ new Map();
  const findings = [];
  const warn = (path4, reason, message) => {
    findings.push({ about: about4, severity: "warning", type: "SchemaError", reason, message, path: path4 });
  };
  const visit = (value, path4, squashed) => {
    if (value === null || value === void 0) return;
    const leaf = leaves.get(squashed);
    if (groups.has(squashed) && isRecord(value)) {
      for (const [key, member] of Object.entries(value))
        visit(member, `${path4}.${key}`, `${squashed}.${squash(key)}`);
    } else if (leaf !== void 0) {
      if (written.has(leaf))
        warn(path4, "Duplicate", `${path4} and ${written.get(leaf)} are one setting; ${path4} is used`);
      written.set(leaf, path4);
      assign(tree, leaf.split("."), joinReference(listOf(leaf, value)));
    } else if (groups.has(squashed)) {
      findings.push(schemaError(about4, "must be a map of settings; the defaults are used", path4));
    } else if (foreign2.has(squashed)) {
      warn(path4, "NoEffect", `${path4} is a setting of Contour that has no meaning for Isoline; remove it`);
    } else {
      warn(path4, "UnknownKey", `${path4} is not a setting that Isoline knows; it has no effect`);
    }
  };
  const { problem: problem2, path: path3 } = inspect(input);
  if (problem2) findings.push(schemaError(about4, `${problem2}; the defaults are used`, path3));
  else for (const [key, value] of Object.entries(input)) visit(value, prefix + key, squash(key));
  return { tree, written, findings };
}
function overlaySettings(base2, over) {
  for (const [leaf, path3] of over.written) {
    const keys2 = leaf.split(".");
    base2.written.set(leaf, path3);
    assign(
      base2.tree,
      keys2,
      keys2.reduce((value, key) => value[key], over.tree)
    );
  }
  base2.findings.push(...over.findings);
  return base2;
}
var listOf = (leaf, value) => leaf === "ingressClassNames" && typeof value === "string" ? value.split(",").map((entry) => entry.trim()) : value;
function assign(into, [head3 = "", ...rest], value) {
  if (rest.length === 0) {
    into[head3] = value;
    return;
  }
  const next = isRecord(into[head3]) ? into[head3] : {};
  into[head3] = next;
  assign(next, rest, value);
}

// src/schema/tls-names.ts
var ciphers = /* @__PURE__ */ new Set([
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES128-SHA",
  "ECDHE-RSA-AES128-SHA",
  "AES128-GCM-SHA256",
  "AES128-SHA",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-AES256-SHA",
  "ECDHE-RSA-AES256-SHA",
  "AES256-GCM-SHA384",
  "AES256-SHA"
]);
var curves = /* @__PURE__ */ new Set(["X25519", "P-256", "P-384", "P-521", "X25519MLKEM768", "MLKEM1024"]);
var isCipherSuite = (text4) => (/^\[.*\]$/.test(text4) ? text4.slice(1, -1).split("|") : [text4]).every((one) => ciphers.has(one));
var isCurve = (text4) => curves.has(text4);

// src/schema/settings.ts
var timeout2 = z15.string().refine((value) => !("error" in parseTimeout(value)), {
  error: 'must be a duration such as "15s", or "infinity"'
});
var version = z15.enum(["1.2", "1.3"]);
var count = uint32.min(1);
var names = z15.array(name).default([]);
var clusterName = z15.string().refine(isLabel, { error: "must be a DNS label, such as east-1" });
var flag2 = z15.boolean().default(false);
var reference = z15.object({ namespace: text, name: text });
var otherAddress = { address: name.optional(), port: port.optional() };
var file = z15.string().default("");
var listenAddress = { address: name.default("0.0.0.0") };
var accessLogPath = z15.string().default("").transform((path3) => path3 || "/dev/stdout");
var checked = (problem2) => z15.string().superRefine((text4, context) => {
  const message = problem2(text4);
  if (message) context.addIssue({ code: "custom", message });
});
var preferences = (isValid, error) => z15.array(z15.string().refine(isValid, { error })).default([]).transform((values) => [...new Set(values)]);
var headers2 = (kind) => z15.object({
  set: z15.record(z15.string(), z15.string()).default({}).superRefine((set, context) => {
    const problem2 = defaultHeadersProblem(set, kind);
    if (problem2) context.addIssue({ code: "custom", message: problem2.message, path: [problem2.key] });
  }),
  remove: z15.array(checked(headerNameProblem)).default([])
}).prefault({});
var protocol3 = {
  minimumProtocolVersion: version.default("1.2"),
  maximumProtocolVersion: version.default("1.3"),
  /** Empty: Envoy's own choice. */
  cipherSuites: preferences(isCipherSuite, "is no TLS 1.2 cipher suite that Envoy knows"),
  ecdhCurves: preferences(isCurve, "is no curve that Envoy knows")
};
var percent = z15.union([z15.string().regex(/\S/, { error: 'must be a percentage such as "12.5"' }), z15.number()]).transform(Number).pipe(z15.number({ error: 'must be a percentage such as "12.5"' }).min(0).max(100)).default(100);
var features = [
  "extensionservices",
  "tlsroutes",
  "grpcroutes",
  "tcproutes",
  "backendtlspolicies"
];
var httpVersion = z15.string().transform((value) => value.toUpperCase()).pipe(z15.enum(["HTTP/1.1", "HTTP/2"]));
var settingsSpec = z15.object({
  endpoints: z15.enum(["auto", "eds", "inline", "service"]).default("auto"),
  routeShards: z15.union([z15.literal(1), z15.literal(16), z15.literal("auto")]).default("auto"),
  secrets: z15.enum(["sds", "inline"]).default("sds"),
  /** The Envoy cluster that polls this control plane. */
  xdsCluster: name.default("isoline"),
  ingressClassNames: names,
  /** Written to the status of what is served. */
  ingressStatusAddress: z15.string().default(""),
  /** Where roots may live; empty: anywhere. */
  rootNamespaces: names,
  /** Which namespaces may claim a host, or the hosts under a wildcard; hosts without an entry are for all. */
  hostOwners: z15.array(z15.object({ host: wildcardHostname, namespaces: z15.array(name).min(1) })).default([]),
  /** Includes and delegations across namespaces need the annotation `isoline.dev/included-by` on their target. */
  requireIncludedBy: flag2,
  /** Whether endpoints may be on Envoy's own machine: nowhere, everywhere, or where objects of these namespaces say so. */
  allowLoopbackEndpoints: z15.union([z15.boolean(), z15.array(name)], { error: "must be true, false or a list of namespaces" }).default(false),
  /** What no backend may be, beside what never may: names, `*.suffix`, and blocks of addresses in CIDR form. */
  forbiddenHosts: z15.array(forbiddenHost).default([]),
  /** What is read; empty: everything. */
  watchNamespaces: names,
  /** How many sources may be pushed. */
  maxSources: count.max(1e4).default(100),
  /** The Gateway that is served; without one the kinds of the Gateway API have no effect. */
  gatewayRef: z15.object({ namespace: name, name }).optional(),
  /** Kinds that are left out, by Contour's names. */
  disableFeatures: z15.array(z15.enum(features)).default([]),
  /** Clusters that are followed together: the first counts most where they contradict each other. */
  clusters: z15.array(
    z15.object({
      name: clusterName,
      /** Endpoints of a higher number get requests only when those of all lower ones are not well. */
      priority: z15.int().min(0).max(127).default(0),
      region: oneLine.optional(),
      zone: oneLine.optional(),
      /** Of the requests of a priority; without any, clusters share by their numbers of endpoints. */
      weight: count.max(1e3).optional()
    })
  ).default([]),
  /** What the objects of one namespace may make beyond what is written in them. */
  budgets,
  disablePermitInsecure: flag2,
  /** Of an HTTPProxy with an invalid route: drop all its routes, as Contour does, or answer 503 for that one. */
  invalidRoutes: z15.enum(["drop-object", "keep-valid"]).default("drop-object"),
  enableExternalNameService: flag2,
  disableMergeSlashes: flag2,
  /** What becomes of `%2f` and `%5c` in a path, before it is normalised. */
  escapedSlashes: z15.enum(["keep", "reject", "unescape"]).default("keep"),
  disableAllowChunkedLength: flag2,
  stripTrailingHostDot: flag2,
  useProxyProtocol: flag2,
  xffNumTrustedHops: uint32.default(0),
  serverHeaderTransformation: z15.enum(["overwrite", "append_if_absent", "pass_through"]).default("overwrite"),
  compression: z15.enum(["gzip", "brotli", "zstd", "disabled"]).default("gzip"),
  dnsLookupFamily: z15.enum(["auto", "v4", "v6", "all"]).default("auto"),
  /** Empty: both. */
  httpVersions: z15.array(httpVersion).default([]),
  http: z15.object({ ...listenAddress, port: port.default(8080), accessLog: accessLogPath }).prefault({}),
  https: z15.object({ ...listenAddress, port: port.default(8443), accessLog: accessLogPath }).prefault({}),
  stats: z15.object({ ...listenAddress, port: port.default(8002) }).prefault({}),
  /** Where `stats` is, but for what they say themselves. */
  health: z15.object(otherAddress).prefault({}),
  metrics: z15.object({ ...otherAddress, tls: z15.object({ certFile: file, keyFile: file, caFile: file }).prefault({}) }).prefault({}),
  /** Without a port there is no such listener. */
  omEnforcedHealth: z15.object({ ...listenAddress, port: port.optional() }).prefault({}),
  accessLog: z15.object({
    /** Text where a `formatString` is given without a format. */
    format: z15.enum(["envoy", "json"]).default("json"),
    /** Empty: Envoy's own. */
    formatString: checked(formatStringProblem).default(""),
    /** Empty: Contour's own. */
    jsonFields: z15.array(checked(jsonFieldProblem)).default([]),
    level: z15.enum(["info", "error", "critical", "disabled"]).default("info")
  }).prefault({}),
  tls: z15.object({
    ...protocol3,
    fingerprint: z15.object({ ja3: flag2, ja4: flag2 }).prefault({}),
    fallbackCertificate: reference.optional(),
    envoyClientCertificate: reference.optional()
  }).prefault({}),
  timeouts: z15.object({
    requestTimeout: timeout2.optional(),
    connectionIdleTimeout: timeout2.default("60s"),
    streamIdleTimeout: timeout2.optional(),
    maxConnectionDuration: timeout2.optional(),
    delayedCloseTimeout: timeout2.optional(),
    connectionShutdownGracePeriod: timeout2.optional(),
    connectTimeout: timeout2.refine((value) => !value.startsWith("infini"), {
      error: "must have an end: connecting may not last for ever"
    }).optional()
  }).prefault({}),
  listener: z15.object({
    connectionBalancer: z15.enum(["", "exact"]).default(""),
    maxRequestsPerConnection: count.optional(),
    perConnectionBufferLimitBytes: count.optional(),
    httpMaxConcurrentStreams: count.max(2147483647).optional(),
    maxRequestsPerIOCycle: count.optional(),
    maxConnectionsPerListener: count.optional(),
    maxConnectionsToAcceptPerSocketEvent: count.optional(),
    socketOptions: z15.object({ tos: z15.int().min(0).max(255).default(0), trafficClass: z15.int().min(0).max(255).default(0) }).prefault({})
  }).prefault({}),
  cluster: z15.object({
    maxRequestsPerConnection: count.optional(),
    perConnectionBufferLimitBytes: count.optional(),
    circuitBreakers: z15.object({
      maxConnections: uint32.optional(),
      maxPendingRequests: uint32.optional(),
      maxRequests: uint32.optional(),
      maxRetries: uint32.optional(),
      perHostMaxConnections: uint32.optional()
    }).prefault({}),
    upstreamTls: z15.object(protocol3).prefault({})
  }).prefault({}),
  policy: z15.object({
    requestHeaders: headers2("request"),
    responseHeaders: headers2("response"),
    applyToIngress: flag2
  }).prefault({}),
  rateLimitService: z15.object({
    extensionService: text,
    domain: z15.string().default("contour"),
    failOpen: flag2,
    enableXRateLimitHeaders: flag2,
    enableResourceExhaustedCode: flag2,
    defaultGlobalRateLimitPolicy: globalRateLimit.optional()
  }).optional(),
  globalExtAuth: authorization.safeExtend({ extensionService: text }).optional(),
  tracing: z15.object({
    extensionService: name,
    includePodDetail: z15.boolean().default(true),
    serviceName: z15.string().default("contour"),
    overallSampling: percent,
    clientSampling: percent,
    randomSampling: percent,
    maxPathTagLength: uint32.default(256),
    customTags: z15.array(
      z15.object({ tagName: name, literal: text, requestHeaderName: oneLine.optional() }).refine(({ literal, requestHeaderName }) => !literal !== !requestHeaderName, {
        error: "must set exactly one of literal and requestHeaderName"
      })
    ).refine((tags2) => new Set(tags2.map(({ tagName }) => tagName)).size === tags2.length, {
      error: "must not hold a tagName twice"
    }).default([])
  }).optional(),
  runtimeSettings: z15.record(z15.string(), z15.string()).default({})
});
var defaultSettings = settingsSpec.parse({});
var form = settingsForm(settingsSpec);
var settingsRef = refOf("Settings", "", "isoline");
var about = settingsRef;
function parseSettings(input, overrides = {}) {
  const configuration = configurationSpec(input);
  const content2 = configuration ?? input ?? {};
  if (!isRecord(content2)) {
    return {
      settings: settingsObject(defaultSettings),
      findings: [schemaError(about, "settings must be a map of keys to values")]
    };
  }
  const { tree, written, findings } = overlaySettings(
    flattenSettings(content2, configuration === void 0 ? form : configurationForm, about),
    flattenSettings(overrides, form, about)
  );
  let parsed = settingsSpec.safeParse(tree);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const depth = issue.path.findIndex((_, i) => written.has(issue.path.slice(0, i + 1).join("."))) + 1;
      const leaf = issue.path.slice(0, depth).map(String);
      const key = written.get(leaf.join(".")) ?? leaf.join(".");
      const found = { ...issue, path: issue.path.slice(depth) };
      const value = valueAt2(tree, leaf);
      if (value === void 0) continue;
      for (const finding of schemaFindings(about, [found], value, [], false)) {
        const effect = leaf[0] === "globalExtAuth" ? "all requests are refused" : "the default is used";
        findings.push({
          ...finding,
          message: `${finding.message}; ${effect}`,
          path: joinPath(key, finding.path)
        });
      }
    }
    for (const issue of parsed.error.issues) removeLeaf(tree, issue.path, written);
    parsed = settingsSpec.safeParse(tree);
  }
  const checked2 = checkTogether(parsed.data ?? defaultSettings, findings);
  const { accessLog, warning: warning2 } = readLogFormat(checked2.accessLog, written);
  if (warning2)
    findings.push({ about, severity: "warning", type: "SchemaError", reason: "ForgeableLog", ...warning2 });
  return { settings: settingsObject({ ...checked2, accessLog }), findings };
}
var joinPath = (key, rest) => rest ? `${key}${rest.startsWith("[") ? "" : "."}${rest}` : key;
var valueAt2 = (tree, path3) => path3.reduce((value, key) => isRecord(value) ? value[key] : void 0, tree);
function removeLeaf(tree, path3, written) {
  const depth = path3.findIndex((_, i) => written.has(path3.slice(0, i + 1).join(".")));
  const parent = valueAt2(tree, path3.slice(0, depth).map(String));
  if (depth < 0 || !isRecord(parent)) return;
  if (path3[depth] === "globalExtAuth") parent.globalExtAuth = {};
  else delete parent[String(path3[depth])];
}
function checkTogether(written, findings) {
  const { spec, problems } = separatePorts(written);
  for (const { path: path3, message } of problems) findings.push(schemaError(about, message, path3));
  for (const { path: path3, message } of readAdminEndpoints(spec).problems)
    findings.push(schemaError(about, message, path3));
  if (spec.listener.socketOptions.trafficClass && [spec.http, spec.https].some((at) => !at.address.includes(":"))) {
    const message = "has no effect on a listener with an IPv4 address: Envoy would refuse it";
    const path3 = "listener.socketOptions.trafficClass";
    findings.push({ about, severity: "warning", type: "SchemaError", reason: "NoEffect", message, path: path3 });
  }
  const { tls: tls2, cluster } = spec;
  return {
    ...spec,
    tls: { ...tls2, ...protocolRange(tls2, "tls", findings) },
    cluster: {
      ...cluster,
      upstreamTls: {
        ...cluster.upstreamTls,
        ...protocolRange(cluster.upstreamTls, "cluster.upstreamTls", findings)
      }
    }
  };
}
function protocolRange(range, key, findings) {
  const { minimumProtocolVersion, maximumProtocolVersion } = range;
  if (minimumProtocolVersion <= maximumProtocolVersion)
    return { minimumProtocolVersion, maximumProtocolVersion };
  const message = "is greater than the maximum; the defaults (1.2 to 1.3) are used";
  findings.push(schemaError(about, message, `${key}.minimumProtocolVersion`));
  return { minimumProtocolVersion: "1.2", maximumProtocolVersion: "1.3" };
}
var settingsObject = (spec) => ({
  kind: "Settings",
  ref: about,
  meta: { name: "isoline", namespace: "", generation: 0, created: "", annotations: {} },
  spec
});

// src/graph/address.ts
import ipaddr2 from "ipaddr.js";
var block = (text4) => {
  const [network, bits2] = ipaddr2.parseCIDR(text4);
  return [network, bits2];
};
var metadataBlocks = [
  "100.100.100.200/32",
  // Alibaba Cloud
  "168.63.129.16/32",
  // Azure
  "192.0.0.192/32",
  // Oracle Cloud Classic
  "fd00:ec2::/32",
  // AWS: metadata, credentials of pods, DNS, time
  "fd20:ce::254/128",
  // Google Cloud
  "fd00:c1::a9fe:a9fe/128",
  // Oracle Cloud
  "fd00:42::42/128",
  // Scaleway
  "fd00:a9fe:a9fe::1/128",
  // Akamai
  "fd00:100::100:200/128"
  // Alibaba Cloud
].map(block);
var embeddings = [
  [block("::ffff:0:0/96"), 12],
  [block("::/96"), 12],
  [block("::ffff:0:0:0/96"), 12],
  [block("64:ff9b::/96"), 12],
  [block("64:ff9b:1::/48"), 12],
  [block("2002::/16"), 2]
];
var refusedRanges = /* @__PURE__ */ new Map([
  ["linkLocal", "is a link-local address"],
  ["multicast", "is a multicast address"],
  ["broadcast", "is a broadcast address"],
  ["unspecified", "is an unspecified address, which stands for this machine"]
]);
var loopbackNames = /* @__PURE__ */ new Set([
  "localhost",
  "localhost.localdomain",
  "localhost4",
  "localhost6",
  "localhost6.localdomain6",
  "ip6-localhost",
  "ip6-loopback",
  "loopback",
  "local.projectcontour.io"
]);
var metadataName = /^(?:metadata|instance-data)(?:\.(?:[^.]+\.)*internal)?$/;
var metadataNames = /* @__PURE__ */ new Set(["metadata.goog", "metadata.tencentyun.com"]);
var numericEnd = /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/;
var isIP = (text4) => ipaddr2.isValid(text4) || ipaddr2.isValid(unbracketed(text4));
var unbracketed = (host2) => host2.replace(/^\[|\]$/g, "");
var isPlain = (address) => address.includes(":") ? ipaddr2.IPv6.isValid(address) && !address.includes("%") : ipaddr2.IPv4.isValidFourPartDecimal(address);
var octet = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
var privateIPv4 = new RegExp(
  `^(?:10\\.${octet}|172\\.(?:1[6-9]|2\\d|3[01])|192\\.168)\\.${octet}\\.${octet}$`
);
function readAddress(address, asker) {
  const { xdsCluster, forbiddenHosts } = asker.settings;
  const isUsual = forbiddenHosts.length === 0 && privateIPv4.test(address) && address !== xdsCluster;
  const problem2 = isUsual ? void 0 : addressProblem(address, asker);
  return problem2 === void 0 ? { host: address } : { problem: problem2 };
}
function addressProblem(address, { namespace, settings }) {
  if (!isPlain(address)) return "is no IP address in the form that Envoy takes";
  const parsed = ipaddr2.parse(address);
  for (const each of [parsed, ...embedded(parsed)]) {
    const range = each.range();
    if (range === "loopback" && !isLoopbackAllowed(namespace, settings))
      return `is a loopback address${notAllowed(namespace)}`;
    const refused = refusedRanges.get(range);
    if (refused) return refused;
    if (metadataBlocks.some((one) => isIn(each, one))) return "is an address of a cloud's metadata service";
    if (forbiddenBlocks(settings).some((one) => isIn(each, one))) return "is in the setting forbiddenHosts";
    if (isPlain(settings.xdsCluster) && sameAddress(each, settings.xdsCluster))
      return "is the address of this control plane";
  }
  return void 0;
}
var blocksOf = /* @__PURE__ */ new WeakMap();
function forbiddenBlocks({ forbiddenHosts }) {
  const known5 = blocksOf.get(forbiddenHosts);
  if (known5) return known5;
  const blocks = forbiddenHosts.filter((one) => one.includes("/")).map(block);
  blocksOf.set(forbiddenHosts, blocks);
  return blocks;
}
var isIn = (address, [network, bits2]) => address.kind() === network.kind() && address.match(network, bits2);
var sameAddress = (address, other) => address.toString() === ipaddr2.process(other).toString();
function embedded(address) {
  if (address.kind() === "ipv4" || ["unspecified", "loopback"].includes(address.range())) return [];
  return embeddings.flatMap(
    ([network, at]) => isIn(address, network) ? [new ipaddr2.IPv4(address.toByteArray().slice(at, at + 4))] : []
  );
}
var notAllowed = (namespace) => `, which the setting allowLoopbackEndpoints does not allow in namespace ${namespace}`;
var isLoopbackAllowed = (namespace, { allowLoopbackEndpoints: allowed }) => allowed === true || Array.isArray(allowed) && allowed.includes(namespace);
function readHost(text4, asker) {
  const host2 = unbracketed(text4.toLowerCase()).replace(/\.$/, "");
  if (isPlain(host2)) return readAddress(host2, asker);
  const problem2 = nameProblem2(host2, asker);
  return problem2 === void 0 ? { host: host2 } : { problem: problem2 };
}
function nameProblem2(host2, { namespace, settings }) {
  if (numericEnd.test(host2)) return "is an address in a form that Envoy does not take; write it in full";
  if (!isSubdomain(host2)) return "is no DNS name";
  if (isLoopbackName(host2) && !isLoopbackAllowed(namespace, settings))
    return `is a name of the loopback address${notAllowed(namespace)}`;
  if (metadataName.test(host2) || metadataNames.has(host2)) return "is a name of a cloud's metadata service";
  const short = inCluster(host2);
  if (short === "kubernetes" || short === "kubernetes.default") return "is a name of the API server";
  if (short === inCluster(settings.xdsCluster.toLowerCase())) return "is a name of this control plane";
  if (settings.forbiddenHosts.some((one) => covers(one, host2))) return "is in the setting forbiddenHosts";
  return void 0;
}
var isLoopbackName = (host2) => loopbackNames.has(host2) || host2.endsWith(".localhost");
var inCluster = (host2) => host2.replace(/^([^.]+\.[^.]+)\.svc(?:\..*)?$/, "$1");
var covers = (pattern, host2) => pattern.startsWith("*.") ? host2.endsWith(pattern.slice(1)) : inCluster(pattern) === inCluster(host2);

// src/graph/der.ts
var maxDepth3 = 16;
var constructed = 32;
function readDer(bytes2, depth = 0) {
  const found = [];
  for (let at = 0; at < bytes2.length; ) {
    const tag = bytes2.charCodeAt(at);
    const range = (tag & 31) === 31 ? void 0 : readLength(bytes2, at + 1);
    if (!range) return void 0;
    const content2 = bytes2.slice(range.start, range.end);
    const parts2 = tag & constructed ? readParts(content2, depth + 1) : void 0;
    if (tag & constructed && !parts2) return void 0;
    found.push({ tag, content: content2, ...parts2 ? { parts: parts2 } : {} });
    at = range.end;
  }
  return found;
}
function readLength(bytes2, at) {
  const first = bytes2.charCodeAt(at);
  const more = first > 128 ? first - 128 : 0;
  const start = at + 1 + more;
  if (first === 128 || more > 3 || !(start <= bytes2.length)) return void 0;
  let length = more === 0 ? first : 0;
  for (let i = at + 1; i < start; i++) length = length * 256 + bytes2.charCodeAt(i);
  const shortest = length < 128 ? 0 : Math.ceil(Math.log2(length + 1) / 8);
  return more === shortest && start + length <= bytes2.length ? { start, end: start + length } : void 0;
}
var readParts = (content2, depth) => depth > maxDepth3 ? void 0 : readDer(content2, depth);
var sequence = (tag, ...shapes) => (value) => {
  const parts2 = [...value.parts ?? []];
  if (value.tag !== tag || !value.parts) return false;
  for (const shape of shapes) {
    const next = parts2[0];
    const fits2 = next !== void 0 && (typeof shape === "function" ? shape : shape.optional)(next);
    if (fits2) parts2.shift();
    else if (typeof shape === "function") return false;
  }
  return parts2.length === 0;
};
var listOf2 = (tag, shape, least = 0) => ({ tag: own, parts: parts2 }) => own === tag && parts2 !== void 0 && parts2.length >= least && parts2.every(shape);
var primitive = (tag, check2) => (value) => value.tag === tag && check2(value.content);

// src/graph/x509.ts
var tags = {
  boolean: 1,
  integer: 2,
  bits: 3,
  octets: 4,
  oid: 6,
  enumerated: 10,
  sequence: 48,
  set: 49
};
var isCharacter = (point) => point <= 1114111 && (point < 55296 || point > 57343) && (point < 64976 || point > 65007) && (point & 65534) !== 65534;
function isUtf8(content2) {
  if (/^[\0-\x7f]*$/.test(content2)) return true;
  try {
    const bytes2 = Uint8Array.from(content2, (char) => char.charCodeAt(0));
    const text4 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes2);
    return [...text4].every((char) => isCharacter(char.codePointAt(0) ?? 0));
  } catch {
    return false;
  }
}
function isFixedWidth(content2, width) {
  for (let at = 0; at < content2.length; at += width) {
    let point = 0;
    for (let i = at; i < at + width; i++) point = point * 256 + content2.charCodeAt(i);
    if (!isCharacter(point)) return false;
  }
  return content2.length % width === 0;
}
var isNumber = (content2) => content2 !== "" && !/^\0[\0-\x7f]|^\xff[\x80-\xff]/.test(content2);
var isBits = (content2) => {
  const unused = content2.charCodeAt(0);
  const last = content2.charCodeAt(content2.length - 1);
  return unused === 0 || unused < 8 && content2.length > 1 && (last & (1 << unused) - 1) === 0;
};
function isTime(century) {
  return (content2) => {
    const digits = /^(\d{2,4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(content2);
    if (!digits || (digits[1]?.length ?? 0) !== (century ? 4 : 2)) return false;
    const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = digits.slice(1).map(Number);
    const full = century ? year : year + (year < 50 ? 2e3 : 1900);
    const lastDay = new Date(Date.UTC(full, month, 0)).getUTCDate();
    return month >= 1 && month <= 12 && day >= 1 && day <= lastDay && hour < 24 && minute < 60 && second < 60;
  };
}
var integer2 = primitive(tags.integer, isNumber);
var boolean = primitive(tags.boolean, (content2) => content2 === "\xFF" || content2 === "\0");
var bits = primitive(tags.bits, isBits);
var oid = primitive(
  tags.oid,
  (content2) => /[\0-\x7f]$/.test(content2) && !/^\x80|[\0-\x7f]\x80/.test(content2)
);
var utc = primitive(23, isTime(false));
var generalized = primitive(24, isTime(true));
var time = (value) => utc(value) || generalized(value);
var anyText = /* @__PURE__ */ new Set([18, 19, 20, 22]);
var text2 = ({ tag, content: content2 }) => anyText.has(tag) || tag === 12 && isUtf8(content2) || tag === 28 && isFixedWidth(content2, 4) || tag === 30 && isFixedWidth(content2, 2);
var name2 = listOf2(tags.sequence, listOf2(tags.set, sequence(tags.sequence, oid, text2), 1));
var parameters = (value) => oid(value) || value.tag === 5 && value.content === "" || value.tag === 48 && value.parts !== void 0;
var algorithm = sequence(tags.sequence, oid, { optional: parameters });
var extensionForm = sequence(
  tags.sequence,
  oid,
  { optional: boolean },
  primitive(tags.octets, () => true)
);
function extensionsOf(check2) {
  const all = listOf2(
    tags.sequence,
    (value) => extensionForm(value) && check2(value.parts?.[0]?.content ?? "", value.parts?.at(-1)?.content ?? ""),
    1
  );
  return (value) => all(value) && new Set(value.parts?.map(({ parts: parts2 }) => parts2?.[0]?.content)).size === value.parts?.length;
}
var isOne = (values, shape) => values?.length === 1 && values.every(shape);
var version2 = (content2) => sequence(
  160,
  primitive(tags.integer, (own) => own === content2)
);
var head = [integer2, algorithm, name2, sequence(tags.sequence, time, time), name2];
var publicKey = sequence(tags.sequence, algorithm, bits);
var uniqueIds = [{ optional: primitive(129, isBits) }, { optional: primitive(130, isBits) }];
var extensions = sequence(
  163,
  extensionsOf(() => true)
);
var bodies = [
  sequence(tags.sequence, ...head, publicKey),
  sequence(tags.sequence, version2(""), ...head, publicKey, ...uniqueIds),
  sequence(tags.sequence, version2(""), ...head, publicKey, ...uniqueIds, { optional: extensions })
];
var form2 = sequence(tags.sequence, (value) => bodies.some((body2) => body2(value)), algorithm, bits);
function readCertificate(bytes2) {
  const values = readDer(bytes2);
  if (!isOne(values, form2)) return void 0;
  const body2 = values?.[0]?.parts?.[0]?.parts ?? [];
  const [serial, , , validity, subject, key, ...more] = body2[0]?.tag === 160 ? body2.slice(1) : body2;
  const [from, until] = validity?.parts ?? [];
  if (!serial || !from || !until || !subject || !key) return void 0;
  const last = more.at(-1);
  const own = last?.tag === 163 ? last.parts?.[0]?.parts ?? [] : [];
  const extensions3 = new Map(
    own.map(({ parts: parts2 = [] }) => [parts2[0]?.content ?? "", parts2.at(-1)?.content ?? ""])
  );
  return {
    validFrom: timeOf(from),
    validUntil: timeOf(until),
    subject,
    publicKey: key,
    extensions: extensions3,
    usual: usualSerial.test(serial.content) && more.every(({ tag }) => tag === 163) && [...extensions3.keys()].every((id) => usualExtensions.has(id))
  };
}
var usualSerial = /^(?!\0$)[\0-\x7f][\0-\xff]{0,19}$/;
var extensionIds = {
  keyUsage: "U",
  alternativeNames: "U",
  features: "+\x07"
};
var usualExtensions = /* @__PURE__ */ new Set([
  extensionIds.keyUsage,
  extensionIds.alternativeNames,
  "U",
  // subject key identifier
  "U",
  // issuer alternative name
  "U",
  // basic constraints
  "U",
  // name constraints
  "U",
  // CRL distribution points
  "U ",
  // certificate policies
  "U#",
  // authority key identifier
  "U%",
  // extended key usage
  "+\x07",
  // authority information access
  "+\xD6y",
  // signed certificate timestamps
  "+\x827",
  // Microsoft's certificate template name
  "+\x827",
  // Microsoft's authority version
  "+\x827\x07",
  // Microsoft's certificate template
  "+\x827\n",
  // Microsoft's application policies
  "`\x86H\x86\xF8B",
  // Netscape's certificate type
  "`\x86H\x86\xF8B\r"
  // Netscape's comment
]);
function timeOf({ content: content2 }) {
  const full = content2.length > 13 ? content2 : `${Number(content2.slice(0, 2)) < 50 ? "20" : "19"}${content2}`;
  const [year = 0, month = 1, ...rest] = (/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)/.exec(full) ?? []).slice(1).map(Number);
  return Date.UTC(year, month - 1, ...rest);
}

// src/graph/crl.ts
var ia5 = (tag) => primitive(tag, (content2) => /^[\0-\x7f]*$/.test(content2));
var generalName = (value) => ia5(129)(value) || ia5(130)(value) || ia5(134)(value) || sequence(164, name2)(value);
var flag3 = (tag) => ({
  optional: primitive(tag, (content2) => content2 === "\xFF")
});
var authorityKey = sequence(
  tags.sequence,
  { optional: primitive(128, () => true) },
  { optional: listOf2(161, generalName, 1) },
  { optional: primitive(130, isNumber) }
);
var distributionPoint = sequence(
  tags.sequence,
  { optional: sequence(160, listOf2(160, generalName, 1)) },
  flag3(129),
  flag3(130),
  { optional: primitive(131, isBits) },
  flag3(132),
  flag3(133)
);
var known = {
  "U": integer2,
  "U": primitive(tags.enumerated, isNumber),
  "U\x1B": integer2,
  "U": distributionPoint,
  "U": listOf2(tags.sequence, generalName, 1),
  "U#": authorityKey
};
var extensions2 = extensionsOf((id, value) => {
  const shape = Object.hasOwn(known, id) ? known[id] : void 0;
  return shape === void 0 || isOne(readDer(value), shape);
});
var version22 = primitive(tags.integer, (content2) => content2 === "");
var head2 = [algorithm, name2, time, { optional: time }];
var body = sequence(
  tags.sequence,
  version22,
  ...head2,
  { optional: listOf2(tags.sequence, sequence(tags.sequence, integer2, time, { optional: extensions2 })) },
  { optional: sequence(160, extensions2) }
);
var oldBody = sequence(tags.sequence, ...head2, {
  optional: listOf2(tags.sequence, sequence(tags.sequence, integer2, time))
});
var list = sequence(tags.sequence, (value) => body(value) || oldBody(value), algorithm, bits);
var isRevocationList = (bytes2) => isOne(readDer(bytes2), list);

// src/graph/jwks.ts
var curves2 = {
  "P-256": {
    alg: "ES256",
    p: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
    b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn
  },
  "P-384": {
    alg: "ES384",
    p: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
    b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn
  },
  "P-521": {
    alg: "ES512",
    p: 2n ** 521n - 1n,
    b: 0x0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00n
  }
};
var members = {
  RSA: ["n", "e"],
  EC: ["crv", "x", "y"],
  oct: ["k"],
  OKP: ["crv", "x"]
};
function usableKeys(bytes2) {
  const keys2 = readKeys(bytes2).map(readKey).filter((key) => key !== void 0);
  if (keys2.length === 0) return void 0;
  const ascii = (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify({ keys: keys2 }).replace(/[^\0-\x7f]/g, ascii);
}
function readKeys(bytes2) {
  try {
    const text4 = new TextDecoder("utf-8", { fatal: true }).decode(
      Uint8Array.from(bytes2, (char) => char.charCodeAt(0))
    );
    const { keys: keys2 } = JSON.parse(text4);
    return Array.isArray(keys2) ? keys2 : [];
  } catch {
    return [];
  }
}
function readKey(value) {
  if (typeof value !== "object" || value === null) return void 0;
  const text4 = (name3) => {
    const member = value[name3];
    return typeof member === "string" && !new RegExp("\\p{Surrogate}", "u").test(member) ? member : void 0;
  };
  const kty = text4("kty") ?? "";
  const names4 = Object.hasOwn(members, kty) ? members[kty] : void 0;
  if (!names4) return void 0;
  const [alg, kid] = [text4("alg"), text4("kid")];
  const own = {};
  for (const name3 of names4) {
    const member = name3 === "crv" ? text4(name3) : canonical(text4(name3));
    if (member !== void 0) own[name3] = member;
    else if (name3 !== "crv") return void 0;
  }
  const key = { kty, ...kid === void 0 ? {} : { kid }, ...alg ? { alg } : {}, ...own };
  return isUsable(key) ? key : void 0;
}
function isUsable(key) {
  const { alg } = key;
  switch (key.kty) {
    case "RSA":
      return (alg === void 0 || /^[RP]S/.test(alg)) && isRsa(key);
    case "EC":
      return isOnCurve(key);
    case "oct":
      return (alg === void 0 || /^HS(256|384|512)$/.test(alg)) && key.k !== "";
    default:
      return (alg === void 0 || alg === "EdDSA") && key.crv === "Ed25519" && decode(key.x).length === 32;
  }
}
function isRsa({ n: n2, e }) {
  const [modulus, exponent] = [integer3(n2), integer3(e)];
  const bits2 = modulus.toString(2).length;
  return (exponent === 3n || exponent === 65537n) && bits2 >= 1024 && bits2 <= 8192 && (modulus & 1n) === 1n;
}
function isOnCurve({ alg, crv, x, y }) {
  const named3 = crv ?? Object.keys(curves2).find((name3) => curves2[name3]?.alg === alg) ?? (alg ? "" : "P-256");
  const curve = Object.hasOwn(curves2, named3) ? curves2[named3] : void 0;
  if (!curve || alg !== void 0 && alg !== curve.alg) return false;
  const [u, v, { p, b }] = [integer3(x), integer3(y), curve];
  return u < p && v < p && (v * v - u * u * u + 3n * u - b) % p === 0n;
}
function canonical(text4) {
  if (text4 === void 0 || !/^[A-Za-z0-9_-]*={0,2}$/.test(text4)) return void 0;
  try {
    return btoa(decode(text4)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  } catch {
    return void 0;
  }
}
var decode = (text4 = "") => atob(text4.replaceAll("-", "+").replaceAll("_", "/").replace(/=+$/, ""));
var integer3 = (text4) => BigInt(
  `0x0${Array.from(decode(text4), (byte) => byte.charCodeAt(0).toString(16).padStart(2, "0")).join("")}`
);

// src/graph/pem.ts
var maxPem = 64 * 1024;
var block2 = /(?<![^\n])-----BEGIN ([A-Z0-9 ]{1,64})-----[\t ]*\r?\n((?:[\t ]*[A-Za-z0-9+/=][A-Za-z0-9+/=\t ]*\r?\n)+)-----END \1-----[\t ]*\r?(?![^\n])/g;
function readPem(text4) {
  if (text4.length > maxPem)
    return { problem: `it has ${text4.length} characters, more than the ${maxPem} that are read` };
  const found = [...text4.matchAll(block2)];
  if (found.length !== text4.split("-----BEGIN").length - 1) return { problem: "a PEM block in it is broken" };
  try {
    return { blocks: found.map(([, label3 = "", base642 = ""]) => ({ label: label3, bytes: atob(base642) })) };
  } catch {
    return { problem: "a PEM block in it is not base64" };
  }
}
function writePem({ label: label3, bytes: bytes2 }) {
  const lines = btoa(bytes2).match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label3}-----
${lines.join("\n")}
-----END ${label3}-----
`;
}

// src/graph/public-key.ts
var algorithms = {
  rsa: "*\x86H\x86\xF7\r",
  ec: "*\x86H\xCE=",
  ed25519: "+ep"
};
var order = (hex2) => BigInt(`0x${hex2}`);
var curves3 = /* @__PURE__ */ new Map([
  [
    "*\x86H\xCE=\x07",
    {
      name: "P-256",
      size: 32,
      order: order("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551")
    }
  ],
  [
    '+\x81\0"',
    {
      name: "P-384",
      size: 48,
      order: order(
        "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973"
      )
    }
  ],
  [
    "+\x81\0#",
    {
      name: "P-521",
      size: 66,
      order: order(
        "1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409"
      )
    }
  ]
]);
var otherCurves = /* @__PURE__ */ new Map([
  ["+\x81\0\n", "secp256k1"],
  ["+\x81\0!", "P-224"]
]);
var otherAlgorithms = /* @__PURE__ */ new Map([
  ["*\x86H\x86\xF7\r\n", "RSASSA-PSS"],
  ["*\x86H\xCE8", "DSA"],
  ["+eq", "Ed448"]
]);
var rsaBits = { least: 2048, most: 8192 };
var leastExponent = 3n;
var exponentLimit = 1n << 33n;
var isNull = primitive(5, (content2) => content2 === "");
var rsaAlgorithm = sequence(tags.sequence, oid, isNull);
var rsaKey = sequence(tags.sequence, integer2, integer2);
function natural({ tag, content: content2 }, mostBytes) {
  if (tag !== tags.integer || content2.length > mostBytes || content2.charCodeAt(0) > 127) return void 0;
  return BigInt(`0x${hexOf(content2)}`);
}
var hexOf = (bytes2) => {
  let hex2 = "";
  for (let i = 0; i < bytes2.length; i++) hex2 += bytes2.charCodeAt(i).toString(16).padStart(2, "0");
  return hex2;
};
var mostRsaBytes = rsaBits.most / 8 + 1;
var judges = { rsa: judgeRsa, ec: judgePoint, ed25519: judgeEdwards };
function readPublicKey({ parts: [algorithm2, content2] = [] }) {
  const id = algorithm2?.parts?.[0]?.content ?? "";
  const kind = kinds2.find((one) => algorithms[one] === id);
  if (!algorithm2 || !content2 || !kind) {
    const type4 = otherAlgorithms.get(id) ?? dotted(id);
    return { problem: `a key of type ${type4} is not for Envoy, which takes RSA, EC and Ed25519` };
  }
  if (!content2.content.startsWith("\0")) return { problem: "its public key is not one of whole bytes" };
  const judged = judges[kind](algorithm2, content2.content.slice(1));
  return "problem" in judged ? judged : { key: { kind, bits: content2.content, ...judged } };
}
var kinds2 = ["rsa", "ec", "ed25519"];
function judgeRsa(algorithm2, bytes2) {
  const values = readDer(bytes2);
  if (!rsaAlgorithm(algorithm2) || !isOne(values, rsaKey))
    return { problem: "its RSA key is not a modulus and an exponent, or its algorithm lacks NULL" };
  const [n2, e] = values?.[0]?.parts ?? [];
  const digits = n2?.content.replace(/^\0/, "") ?? "";
  const bits2 = digits === "" ? 0 : digits.length * 8 - Math.clz32(digits.charCodeAt(0)) + 24;
  if (bits2 < rsaBits.least)
    return { problem: `an RSA key of ${bits2} bits is too short for Envoy, ${rsaBits.least} are needed` };
  if (bits2 > rsaBits.most)
    return { problem: `an RSA key of ${bits2} bits is too long, ${rsaBits.most} are the most` };
  const modulus = n2 && natural(n2, mostRsaBytes);
  const exponent = e && natural(e, mostRsaBytes);
  if (modulus === void 0 || modulus % 2n === 0n)
    return { problem: "the modulus of its RSA key is not positive and odd" };
  if (exponent === void 0 || exponent < leastExponent || exponent >= exponentLimit || exponent % 2n === 0n)
    return {
      problem: "the exponent of its RSA key is not for Envoy, which takes odd numbers from 3 to 2^33 - 1"
    };
  return { usual: exponent === 65537n && bits2 <= 4096 };
}
function judgePoint(algorithm2, point) {
  const [, named3, ...more] = algorithm2.parts ?? [];
  if (named3?.tag !== tags.oid || more.length > 0)
    return { problem: "an elliptic curve key that spells out its curve is not for Envoy; name the curve" };
  const curve = curves3.get(named3.content);
  if (!curve)
    return {
      problem: `an elliptic curve key of ${otherCurves.get(named3.content) ?? dotted(named3.content)} is not for Envoy, which takes P-256, P-384 and P-521`
    };
  if (!point.startsWith("") || point.length !== 1 + 2 * curve.size)
    return { problem: `its key is not an uncompressed point of ${curve.name}` };
  return { usual: curve.name !== "P-521" };
}
function judgeEdwards({ parts: parts2 }, bytes2) {
  if (parts2?.length === 1 && bytes2.length === 32) return { usual: false };
  return { problem: "its Ed25519 key has parameters or is not 32 bytes long" };
}
function dotted(id) {
  const numbers = [];
  let number = 0;
  for (let i = 0; i < id.length && numbers.length < 16; i++) {
    const byte = id.charCodeAt(i);
    number = number * 128 + (byte & 127);
    if (byte < 128) {
      numbers.push(number);
      number = 0;
    }
  }
  const [first = 0, ...rest] = numbers;
  const root = Math.min(2, Math.floor(first / 40));
  return [root, first - root * 40, ...rest].join(".");
}

// src/graph/private-key.ts
var forms = "Envoy takes RSA keys of two primes that fit, EC keys of P-256, P-384 and P-521, and Ed25519";
function readPrivateKey(text4) {
  if (/-----BEGIN ENCRYPTED |Proc-Type: 4,ENCRYPTED/.test(text4))
    return { problem: "the private key is encrypted, which is not supported" };
  const { blocks, problem: problem2 } = readPem(text4);
  if (!blocks) return { problem: problem2 };
  const keys2 = blocks.filter(({ label: label3 }) => /^(?:RSA |EC )?PRIVATE KEY$/.test(label3));
  const [own] = keys2;
  if (keys2.length !== 1 || !own) return { problem: `${keys2.length} private keys found, one is needed` };
  const bare = readKey2(own);
  if (bare === void 0) return { problem: `the private key can't be parsed as a "${own.label}"; ${forms}` };
  return { key: { pem: writePem(own), ...bare } };
}
function readKey2({ label: label3, bytes: bytes2 }) {
  const value = only(bytes2);
  if (label3 === "RSA PRIVATE KEY") return value && rsaKey2(value, bytes2);
  if (label3 === "EC PRIVATE KEY") return value && curveKey(value, void 0);
  return value && info(value) ? ofInfo(value) : void 0;
}
function only(bytes2) {
  const values = readDer(bytes2);
  return values?.length === 1 ? values[0] : void 0;
}
var version3 = (number) => ({ tag, content: content2 }) => tag === tags.integer && content2 === String.fromCharCode(number);
var octets = ({ tag }) => tag === tags.octets;
var identifier = (value) => value.tag === tags.sequence && oid(value.parts?.[0] ?? value);
var attributes = listOf2(
  160,
  sequence(tags.sequence, oid, ({ tag }) => tag === tags.set)
);
var info = sequence(tags.sequence, version3(0), identifier, octets, { optional: attributes });
function ofInfo({ parts: parts2 = [] }) {
  const [, algorithm2, content2] = parts2;
  const [id, parameter, ...more] = algorithm2?.parts ?? [];
  const value = only(content2?.content ?? "");
  if (!value || !content2 || more.length > 0) return void 0;
  switch (id?.content) {
    case algorithms.rsa:
      return parameter?.tag === 5 && parameter.content === "" ? rsaKey2(value, content2.content) : void 0;
    case algorithms.ec:
      return parameter?.tag === tags.oid ? curveKey(value, parameter.content) : void 0;
    case algorithms.ed25519:
      return !parameter && value.tag === tags.octets && value.content.length === 32 ? { alone: alone(tlv(tags.oid, algorithms.ed25519), content2.content) } : void 0;
    default:
      return void 0;
  }
}
var rsaForm = sequence(tags.sequence, version3(0), ...new Array(8).fill(integer2));
var rsaKey2 = (value, bytes2) => rsaForm(value) && fits(value.parts ?? []) ? { alone: alone(`${tlv(tags.oid, algorithms.rsa)}\0`, bytes2) } : void 0;
function fits(parts2) {
  const numbers = parts2.slice(1).flatMap((part2) => natural(part2, mostRsaBytes) ?? []);
  const [n2 = 0n, e = 0n, d = 0n, p = 0n, q = 0n, dp = 0n, dq = 0n, inverse = 0n] = numbers;
  return numbers.length === 8 && p > 1n && q > 1n && p * q === n2 && d < n2 && d * e % (p - 1n) === 1n && d * e % (q - 1n) === 1n && dp < p - 1n && dp * e % (p - 1n) === 1n && dq < q - 1n && dq * e % (q - 1n) === 1n && inverse < p && inverse * q % p === 1n;
}
var named2 = sequence(160, oid);
var publicKey2 = sequence(161, bits);
var curveForm = sequence(tags.sequence, version3(1), octets, { optional: named2 }, { optional: publicKey2 });
function curveKey(value, outer) {
  if (!curveForm(value)) return void 0;
  const [, secret, ...more] = value.parts ?? [];
  const inside = (tag) => more.find((part2) => part2.tag === tag)?.parts?.[0]?.content;
  const id = outer ?? inside(160) ?? "";
  const curve = curves3.get(id);
  if (!curve || (inside(160) ?? id) !== id) return void 0;
  const digits = secret?.content.replace(/^\0+/, "") ?? "";
  if (digits === "" || digits.length > curve.size) return void 0;
  if (BigInt(`0x${hexOf(digits)}`) >= curve.order) return void 0;
  const own = tlv(tags.sequence, `${tlv(tags.octets, digits.padStart(curve.size, "\0"))}`);
  return {
    alone: alone(tlv(tags.oid, algorithms.ec) + tlv(tags.oid, id), own),
    repeated: inside(161)
  };
}
var alone = (algorithm2, key) => writePem({
  label: "PRIVATE KEY",
  bytes: tlv(tags.sequence, `\0${tlv(tags.sequence, algorithm2)}${tlv(tags.octets, key)}`)
});
function tlv(tag, content2) {
  const bytes2 = [];
  for (let left = content2.length; left > 0; left = Math.floor(left / 256)) bytes2.unshift(left % 256);
  const length = content2.length < 128 ? [content2.length] : [128 + bytes2.length, ...bytes2];
  return String.fromCharCode(tag, ...length) + content2;
}

// src/graph/server-certificate.ts
function readServerCertificate(bytes2) {
  const certificate2 = readCertificate(bytes2);
  if (!certificate2) return { problem: "the certificate can't be parsed" };
  const { key, problem: problem2 } = readPublicKey(certificate2.publicKey);
  if (!key) return { problem: problem2 };
  const { names: names4, problem: nameless } = readNames(certificate2);
  const found = nameless ?? stapleProblem(certificate2) ?? (key.kind === "ec" ? usageProblem(certificate2) : void 0);
  if (found !== void 0) return { problem: found };
  const { validFrom, validUntil, usual } = certificate2;
  return {
    certificate: { facts: { validFrom, validUntil, names: names4 }, key, usual: usual && key.usual }
  };
}
var commonName = "U";
var statusRequest = "";
function stapleProblem({ extensions: extensions3 }) {
  const value = extensions3.get(extensionIds.features);
  if (value === void 0) return void 0;
  const values = readDer(value);
  if (!isOne(values, listOf2(tags.sequence, integer2))) return "its TLS features (RFC 7633) can't be parsed";
  return values?.[0]?.parts?.some(({ content: content2 }) => content2 === statusRequest) ? "the certificate must be stapled (OCSP must-staple, RFC 7633), and there is no OCSP response to staple; ask the authority for one without" : void 0;
}
function usageProblem({ extensions: extensions3 }) {
  const value = extensions3.get(extensionIds.keyUsage);
  if (value === void 0) return void 0;
  const values = readDer(value);
  if (!isOne(values, bits)) return "its key usage can't be parsed";
  const first = values?.[0]?.content.charCodeAt(1) ?? 0;
  return (first & 128) === 0 ? "the key usage of an EC certificate has to include digitalSignature for Envoy" : void 0;
}
var anyBytes = (tag) => primitive(tag, () => true);
var any = () => true;
var generalName2 = (value) => sequence(160, oid, sequence(160, any))(value) || anyBytes(129)(value) || anyBytes(130)(value) || sequence(164, name2)(value) || anyBytes(134)(value) || anyBytes(135)(value) || primitive(136, (content2) => oid({ tag: tags.oid, content: content2 }))(value);
var generalNames = listOf2(tags.sequence, generalName2);
var dnsName2 = 130;
var identities = [dnsName2, 134, 135];
function readNames({ subject, extensions: extensions3 }) {
  const value = extensions3.get(extensionIds.alternativeNames);
  const values = value === void 0 ? [] : readDer(value);
  if (value !== void 0 && !isOne(values, generalNames))
    return { names: [], problem: "its alternative names can't be parsed" };
  const alternatives = values?.[0]?.parts ?? [];
  const common = commonNames(subject);
  if (common[0] === "") return { names: [], problem: "its common name is empty" };
  if (common.length === 0 && !alternatives.some(({ tag }) => identities.includes(tag)))
    return { names: [], problem: "the certificate has no common name and no alternative name" };
  const dns = alternatives.flatMap(({ tag, content: content2 }) => tag === dnsName2 ? [content2] : []);
  return { names: (dns.length > 0 ? dns : common).map((one) => one.toLowerCase()) };
}
var commonNames = (subject) => (subject.parts ?? []).flatMap(({ parts: parts2 = [] }) => parts2).flatMap(({ parts: parts2 = [] }) => parts2[0]?.content === commonName ? [parts2[1]?.content ?? ""] : []);

// src/graph/secret.ts
function secretName(text4, namespace) {
  const slash = text4.indexOf("/");
  return slash < 0 ? { namespace, name: text4 } : { namespace: text4.slice(0, slash), name: text4.slice(slash + 1) };
}
function isDelegated(reader, secret, namespace) {
  if (secret.namespace === namespace) return true;
  return reader.claimants(`delegations:${secret.namespace}/${secret.name}`).some((ref) => {
    const delegation = reader.get("TLSCertificateDelegation", secret.namespace, nameOf(ref));
    return delegation?.spec.delegations.some(
      ({ secretName: name3, targetNamespaces: targets }) => name3 === secret.name && (targets.includes(namespace) || targets.length === 1 && targets[0] === "*")
    );
  });
}
var nameOf = (ref) => ref.slice(ref.lastIndexOf("/") + 1);
var usualTypes = ["kubernetes.io/tls", "Opaque"];
var wrongType = ({ spec }) => usualTypes.includes(spec.type) ? void 0 : `Secret type ${JSON.stringify(spec.type)} is neither "kubernetes.io/tls" nor "Opaque"`;
var isInline = ({ usual }, { settings }) => settings.secrets === "inline" && usual;
var pairs = /* @__PURE__ */ new WeakMap();
function readKeyPair(reader, secret) {
  const object = reader.get("Secret", secret.namespace, secret.name);
  if (!object) return { error: `Secret ${secret.namespace}/${secret.name} not found` };
  let found = pairs.get(object);
  if (!found) {
    found = checkPair(reader, object);
    pairs.set(object, found);
  }
  return found;
}
function checkPair(reader, secret) {
  const { data } = secret.spec;
  const stranger = wrongType(secret);
  if (stranger) return { error: stranger };
  const { blocks, error } = readBlocks(data, "tls.crt", "CERTIFICATE");
  const [own, ...others] = blocks;
  if (!own) return { error: error ?? "" };
  const { certificate: certificate2, problem: problem2 } = readServerCertificate(own.bytes);
  if (!certificate2) return { error: `invalid "tls.crt": ${problem2}` };
  const { certificates, bad } = readCertificates(others);
  if (bad !== void 0) return { error: `invalid "tls.crt": certificate ${bad + 1} can't be parsed` };
  const { key, problem: unusable } = readPrivateKey(data["tls.key"] ?? "");
  if (!key) return { error: `invalid "tls.key": ${unusable}` };
  const strangers = reader.checkKeyPair(writePem(own), key.alone);
  if (strangers) return { error: strangers };
  if (key.repeated !== void 0 && key.repeated !== certificate2.key.bits)
    return { error: `invalid "tls.key": the public key in it is not the certificate's` };
  return {
    pair: {
      certificate: blocks.map(writePem).join(""),
      privateKey: key.pem,
      facts: [
        certificate2.facts,
        ...certificates.map(({ validFrom, validUntil }) => ({ validFrom, validUntil, names: [] }))
      ],
      usual: certificate2.usual && certificates.every(({ usual }) => usual)
    }
  };
}
var nouns2 = { CERTIFICATE: "certificate", "X509 CRL": '"X509 CRL"' };
function readBlocks(data, key, label3) {
  const { blocks, problem: problem2 } = readPem(data[key] ?? "");
  const other = blocks?.find((one) => one.label !== label3);
  if (!blocks) return { blocks: [], error: `invalid "${key}": ${problem2}` };
  if (other) {
    const error = `invalid "${key}": it holds a block of type "${other.label}", not only "${label3}"`;
    return { blocks: [], error };
  }
  return blocks.length > 0 ? { blocks } : { blocks, error: `missing or invalid "${key}": no PEM ${nouns2[label3]} found` };
}
function readCertificates(blocks) {
  const found = blocks.map(({ bytes: bytes2 }) => readCertificate(bytes2));
  const certificates = found.filter((one) => one !== void 0);
  return certificates.length === found.length ? { certificates } : { certificates, bad: found.indexOf(void 0) + 1 };
}
function readCaBundle(reader, secret) {
  const object = reader.get("Secret", secret.namespace, secret.name);
  if (!object) return { error: `Secret ${secret.namespace}/${secret.name} not found` };
  return readBundle(object);
}
function readCaConfigMap(reader, { namespace, name: name3 }) {
  const object = reader.get("ConfigMap", namespace, name3);
  if (!object) return { error: `ConfigMap ${namespace}/${name3} not found` };
  return readBundle(object);
}
var bundles = /* @__PURE__ */ new WeakMap();
function readBundle(object) {
  const found = bundles.get(object) ?? checkCaBundle(object);
  bundles.set(object, found);
  return found;
}
function checkCaBundle(object) {
  const fail = (problem2) => ({ error: `${object.ref.replace("/", " ")}: ${problem2}` });
  const stranger = object.kind === "Secret" ? wrongType(object) : void 0;
  if (stranger) return fail(stranger);
  const { blocks, error } = readBlocks(object.spec.data, "ca.crt", "CERTIFICATE");
  if (error) return fail(error);
  const { bad } = readCertificates(blocks);
  return bad === void 0 ? { ca: blocks.map(writePem).join("") } : fail(`invalid "ca.crt": certificate ${bad} can't be parsed`);
}
function readCrl(reader, secret) {
  const object = reader.get("Secret", secret.namespace, secret.name);
  if (!object) return { error: `Secret ${secret.namespace}/${secret.name} not found` };
  const found = lists.get(object) ?? checkCrl(object);
  lists.set(object, found);
  return found;
}
var lists = /* @__PURE__ */ new WeakMap();
function checkCrl(secret) {
  const stranger = wrongType(secret);
  if (stranger) return { error: stranger };
  const { blocks, error } = readBlocks(secret.spec.data, "crl.pem", "X509 CRL");
  if (error) return { error };
  const bad = blocks.findIndex(({ bytes: bytes2 }) => !isRevocationList(bytes2));
  return bad < 0 ? { crl: blocks.map(writePem).join("") } : { error: `invalid "crl.pem": block ${bad + 1} is not a revocation list` };
}
function readJwks(reader, secret, key) {
  const object = reader.get("Secret", secret.namespace, secret.name);
  if (!object) return { error: `Secret ${secret.namespace}/${secret.name} not found` };
  if (object.spec.type !== "Opaque")
    return { error: `Secret type ${JSON.stringify(object.spec.type)} is not "Opaque"` };
  const value = object.spec.data[key];
  if (value === void 0)
    return { error: `key ${JSON.stringify(key)} is missing or not a JSON Web Key Set` };
  const jwks = usableKeys(value);
  if (jwks === void 0) return { error: `key ${JSON.stringify(key)} holds no key that Envoy can use` };
  return { jwks };
}

// src/graph/backend.ts
function readCluster(reader, namespace, name3, port2, { healthPort, usualProtocol, ...options2 } = {}) {
  const { service: service3, found, error } = findServicePort(reader, namespace, name3, port2);
  if (!service3 || !found) return { error };
  const external = readExternalName(reader, service3);
  if (external.error) return { error: external.error };
  const spoken = options2.protocol ?? servicePortProtocol(service3, found) ?? usualProtocol;
  const protocol4 = usualProtocol && spoken === "tls" ? "h2" : spoken;
  const breakers = readCircuitBreakers(service3, reader.settings.cluster.circuitBreakers);
  const common = Object.assign(
    { namespace, service: name3, port: found.port, loadBalancing: "round-robin" },
    breakers && { circuitBreakers: breakers },
    options2,
    protocol4 && { protocol: protocol4 }
  );
  if (external.name) return { cluster: Object.assign(common, { externalName: external.name }) };
  const health = healthPort === void 0 ? void 0 : servedPorts(service3).find((p) => p.port === healthPort);
  if (healthPort !== void 0 && !health)
    return { error: `port "${healthPort}" on service "${namespace}/${name3}" not matched` };
  const own = `${namespace}/${name3}/${found.name || found.port}`;
  const elsewhere = health && health.port !== found.port ? { healthPort: health.port } : void 0;
  const endpoints = elsewhere ? `${own}/${health?.name || health?.port}` : own;
  reader.need(`endpoints:${endpoints}`);
  const mode = endpointMode(reader, service3);
  return { cluster: Object.assign(common, { endpoints }, elsewhere, mode && { mode }) };
}
function findServicePort(reader, namespace, name3, port2) {
  const service3 = reader.get("Service", namespace, name3);
  if (!service3) return { error: `service "${namespace}/${name3}" not found` };
  const isAsked = (p) => p.port === port2 || p.name !== "" && p.name === String(port2);
  const found = servedPorts(service3).find(isAsked);
  if (found) return { service: service3, found };
  const other = service3.spec.ports?.find(isAsked);
  if (!other) return { error: `port "${port2}" on service "${namespace}/${name3}" not matched` };
  return { error: `unsupported service protocol "${other.protocol}" on service "${namespace}/${name3}"` };
}
var isServed = ({ protocol: protocol4 }) => !protocol4 || protocol4 === "TCP";
var servedPorts = ({ spec }) => spec.ports?.every(isServed) ? spec.ports : (spec.ports ?? []).filter(isServed);
function clientCertificate(reader) {
  const wanted = reader.settings.tls.envoyClientCertificate;
  if (!wanted) return { options: {} };
  const secret = { namespace: wanted.namespace ?? "", name: wanted.name ?? "" };
  const { pair, error } = readKeyPair(reader, secret);
  const name3 = `${secret.namespace}/${secret.name}`;
  if (!pair)
    return { options: {}, error: `tls.envoy-client-certificate Secret "${name3}" is invalid: ${error}` };
  if (isInline(pair, reader)) return { options: { clientCertificate: { secret: name3, pair } } };
  reader.need(`secret:${name3}`);
  return { options: { clientCertificate: { secret: name3 } } };
}
function endpointMode(reader, service3) {
  const asked2 = service3.meta.annotations["isoline.dev/endpoints"];
  if (asked2 === "eds" || asked2 === "inline" || asked2 === "service") return asked2;
  return reader.settings.endpoints === "service" ? "service" : void 0;
}
function readExternalName(reader, { spec, meta }) {
  if (spec.type !== "ExternalName") return {};
  const about4 = `service "${meta.namespace}/${meta.name}"`;
  if (!reader.settings.enableExternalNameService) {
    return { error: `${about4} is an ExternalName service, these are not currently enabled` };
  }
  const name3 = spec.externalName ?? "";
  const reached = readHost(name3, { namespace: meta.namespace, settings: reader.settings });
  if ("host" in reached) return { name: reached.host };
  return {
    error: `${about4} is an ExternalName service that points to ${quote(name3)}, this is not allowed: it ${reached.problem}`
  };
}
var annotationPrefixes = ["projectcontour.io/", "contour.heptio.com/"];
function annotation(service3, name3) {
  for (const prefix of annotationPrefixes) {
    const value = service3.meta.annotations[prefix + name3];
    if (value !== void 0) return value;
  }
  return void 0;
}
function isAnnotated({ meta }) {
  for (const _ in meta.annotations) return true;
  return false;
}
var appProtocols = /* @__PURE__ */ new Map([
  ["kubernetes.io/h2c", "h2c"],
  ["https", "tls"]
]);
function servicePortProtocol(service3, port2) {
  if (port2.appProtocol) {
    return appProtocols.get(port2.appProtocol);
  }
  if (!isAnnotated(service3)) return void 0;
  return ["tls", "h2c", "h2"].find(
    (protocol4) => annotation(service3, `upstream-protocol.${protocol4}`)?.split(",").map((entry) => entry.trim()).some((entry) => entry === String(port2.port) || entry !== "" && entry === port2.name)
  );
}
var limitNames = {
  maxConnections: "max-connections",
  maxPendingRequests: "max-pending-requests",
  maxRequests: "max-requests",
  maxRetries: "max-retries",
  perHostMaxConnections: "per-host-max-connections"
};
function readCircuitBreakers(service3, defaults2) {
  const isPlain3 = !isAnnotated(service3);
  const limits = /* @__PURE__ */ new Map();
  for (const key of Object.keys(limitNames)) {
    const text4 = isPlain3 ? void 0 : annotation(service3, limitNames[key]);
    const own = text4 && /^\d{1,10}$/.test(text4) ? Number(text4) : 0;
    const limit2 = own > 0 && own <= 4294967295 ? own : defaults2[key];
    if (limit2) limits.set(key, limit2);
  }
  return limits.size > 0 ? Object.fromEntries(limits) : void 0;
}

// src/graph/endpoints.ts
function buildEndpoints(key, reader, report) {
  const [namespace = "", name3 = "", portKey = "", healthKey] = key.split("/");
  const service3 = reader.get("Service", namespace, name3);
  const portOf = (wanted) => service3 && servedPorts(service3).find((p) => (p.name || String(p.port)) === wanted);
  const port2 = portOf(portKey);
  const health = portOf(healthKey);
  if (!service3 || !port2) return { groups: [] };
  const mode = endpointMode(reader, service3);
  if (mode === "service") {
    const healthPort = health ? { healthPort: health.port } : {};
    const at = (address) => ({ address, port: port2.port, ...healthPort });
    return {
      groups: grouped(
        reader,
        ownAddresses(reader, service3, report).map(([cluster, ip]) => [cluster, at(ip)])
      ),
      mode
    };
  }
  const found = [];
  for (const ref of reader.claimants(`slices:${namespace}/${name3}`)) {
    const cluster = clusterOf(ref);
    const usable = usableOf(ref, { namespace, settings: reader.settings }, report);
    for (const endpoint of readyOf(reader, ref, namespace, port2.name, health?.name, usable)) {
      if (found.length === maxEndpoints) {
        const message = `port ${portKey} of Service ${namespace}/${name3} has more endpoints than ${maxEndpoints}; the others are left out`;
        report.error(ref, "EndpointError", "TooManyEndpoints", message);
        break;
      }
      found.push([cluster, endpoint]);
    }
  }
  return { groups: grouped(reader, found), ...mode ? { mode } : {} };
}
var maxEndpoints = 2e4;
var usableOf = (about4, asker, report) => (addresses, pathOf2) => {
  const usable = [];
  let first;
  for (const [i, address] of addresses.entries()) {
    const reached = readAddress(address, asker);
    if ("host" in reached) usable.push(reached.host);
    else first ??= { i, text: `address ${quote(address)} ${reached.problem}` };
  }
  if (first) {
    const others = addresses.length - usable.length - 1;
    const message = `${first.text}; it is left out${others > 0 ? `, and ${others} more of the list` : ""}`;
    report.warn(about4, "EndpointError", "AddressNotAllowed", message, pathOf2(first.i));
  }
  return usable;
};
function ownAddresses(reader, service3, report) {
  const { name: name3, namespace, cluster } = service3.meta;
  const asker = { namespace, settings: reader.settings };
  const addressOf = ({ ref, spec: { clusterIP = "" } }) => {
    const hasAddress = clusterIP !== "" && clusterIP !== "None";
    const host2 = hasAddress ? clusterIP : `${name3}.${namespace}.svc`;
    const reached = hasAddress ? readAddress(host2, asker) : readHost(host2, asker);
    if ("host" in reached) return [reached.host];
    const message = `address ${quote(host2)} ${reached.problem}; it is left out`;
    report.warn(ref, "EndpointError", "AddressNotAllowed", message, "spec.clusterIP");
    return [];
  };
  const all = addressOf(service3).map((address) => [cluster ?? "", address]);
  for (const other of reader.settings.clusters) {
    const same3 = reader.get("Service", namespace, `${name3}@${other.name}`);
    for (const address of same3 ? addressOf(same3) : []) all.push([other.name, address]);
  }
  return all;
}
var clusterOf = (ref) => ref.slice(ref.indexOf("@") + 1 || ref.length);
function grouped(reader, found) {
  const { clusters } = reader.settings;
  if (clusters.length === 0) {
    const endpoints = sortedOnce(found.map(([, endpoint]) => endpoint));
    return endpoints.length > 0 ? [{ endpoints }] : [];
  }
  const taken = /* @__PURE__ */ new Set();
  return clusters.flatMap(({ name: name3 }) => {
    const own = found.flatMap(([cluster, endpoint]) => cluster === name3 ? [endpoint] : []);
    const endpoints = sortedOnce(own).filter(({ address, port: port2 }) => !taken.has(`${address} ${port2}`));
    for (const { address, port: port2 } of endpoints) taken.add(`${address} ${port2}`);
    return endpoints.length > 0 ? [{ cluster: name3, endpoints }] : [];
  });
}
var compareText = (a, b) => a < b ? -1 : a > b ? 1 : 0;
var compareEndpoints = (a, b) => compareText(a.address, b.address) || (a.port === b.port ? 0 : compareText(String(a.port), String(b.port)));
function sortedOnce(endpoints) {
  endpoints.sort(compareEndpoints);
  return endpoints.filter((endpoint, i) => {
    const before = endpoints[i - 1];
    return !before || compareEndpoints(before, endpoint) !== 0;
  });
}
function* readyOf(reader, ref, namespace, portName, healthName, usable) {
  const name3 = ref.slice(ref.lastIndexOf("/") + 1);
  function* combine(addresses, all) {
    const served = all.filter(isServed);
    const healthPort = healthName ? served.find((p) => p.name === healthName)?.port : void 0;
    for (const { name: own = "", port: port2 } of served)
      if (port2 && (!portName || own === portName))
        for (const address of addresses) yield { address, port: port2, ...healthPort ? { healthPort } : {} };
  }
  if (ref.startsWith("EndpointSlice/")) {
    const slice = reader.get("EndpointSlice", namespace, name3)?.spec;
    if (!slice || slice.addressType === "FQDN") return;
    const listed = [...slice.endpoints.entries()].filter(
      ([, { ready, addresses: addresses2 }]) => ready && addresses2.length > 0
    );
    const addresses = usable(
      listed.map(([, { addresses: addresses2 }]) => addresses2[0] ?? ""),
      (i) => `endpoints[${listed[i]?.[0]}].addresses[0]`
    );
    yield* combine(addresses, slice.ports);
    return;
  }
  const subsets = reader.get("Endpoints", namespace, name3)?.spec.subsets ?? [];
  for (const [n2, { addresses = [], ports = [] }] of subsets.entries()) {
    const listed = addresses.map(({ ip }) => ip);
    yield* combine(
      usable(listed, (i) => `subsets[${n2}].addresses[${i}].ip`),
      ports
    );
  }
}

// src/graph/policy/timeout.ts
function readTimeout(text4) {
  const parsed = parseTimeout(text4 ?? "");
  if ("error" in parsed) return { error: parsed.error };
  if (parsed.kind === "default") return {};
  return { ms: parsed.kind === "disabled" ? 0 : parsed.ms };
}
function readTimeoutPolicy(policy) {
  const response = readTimeout(policy?.response);
  const idle = readTimeout(policy?.idle);
  if (response.error) return { error: `error parsing response timeout: ${response.error}` };
  if (idle.error) return { error: `error parsing idle timeout: ${idle.error}` };
  if (response.ms === void 0 && idle.ms === void 0) return {};
  return {
    policy: {
      ...response.ms === void 0 ? {} : { response: response.ms },
      ...idle.ms === void 0 ? {} : { idle: idle.ms }
    }
  };
}

// src/schema/finding-list.ts
var maxAlike = 100;
var maxMessage = 2e3;
var FindingList = class {
  #counts = /* @__PURE__ */ new Map();
  #list = [];
  get list() {
    return this.#list;
  }
  add(finding) {
    const { about: about4, severity, type: type4, message } = finding;
    const key = `${about4} ${severity} ${type4}`;
    const count2 = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count2);
    if (count2 <= maxAlike)
      this.#list.push(
        message.length > maxMessage ? { ...finding, message: `${message.slice(0, maxMessage)}\u2026` } : finding
      );
    else if (count2 === maxAlike + 1) {
      const more = `there are more ${severity}s of this kind than ${maxAlike}; the others are not listed`;
      this.#list.push({ about: about4, severity, type: type4, reason: "TooManyFindings", message: more });
    }
  }
};

// src/graph/reader.ts
var features2 = {
  ExtensionService: "extensionservices",
  TLSRoute: "tlsroutes",
  GRPCRoute: "grpcroutes",
  TCPRoute: "tcproutes",
  BackendTLSPolicy: "backendtlspolicies",
  // These are read for the CA certificates of BackendTLSPolicies alone.
  ConfigMap: "backendtlspolicies"
};
function isLeftOut(kind, { disableFeatures }) {
  const feature = features2[kind];
  return feature !== void 0 && disableFeatures.includes(feature);
}
function objectsOf(kind, refs, reader) {
  const found = [];
  if (isLeftOut(kind, reader.settings)) return found;
  for (const ref of refs) {
    if (!ref.startsWith(`${kind}/`)) continue;
    const slash = ref.indexOf("/", kind.length + 1);
    const object = reader.get(kind, ref.slice(kind.length + 1, slash), ref.slice(slash + 1));
    if (object) found.push(object);
  }
  return found;
}
function createReport() {
  const findings = new FindingList();
  const add2 = (severity) => (about4, type4, reason, message, path3, unlessBetween) => {
    findings.add({
      about: about4,
      severity,
      type: type4,
      reason,
      message,
      ...path3 === void 0 ? {} : { path: path3 },
      ...unlessBetween ? { unlessBetween } : {}
    });
  };
  return {
    error: add2("error"),
    warn: add2("warning"),
    get findings() {
      return findings.list;
    }
  };
}

// src/graph/upstream-validation.ts
function readUpstreamValidation(reader, fields, namespace) {
  const secret = secretName(fields.caSecret ?? "", namespace);
  if (!isDelegated(reader, secret, namespace)) {
    const message = "certificate delegation not permitted";
    return { problem: "not-delegated", secret: `${secret.namespace}/${secret.name}`, message };
  }
  const { ca, error } = readCaBundle(reader, secret);
  if (!ca) return { problem: "not-valid", message: error ?? "there is no CA certificate" };
  const subjectNames = fields.subjectNames?.length ? fields.subjectNames : [fields.subjectName ?? ""];
  if (subjectNames.some((name3) => !name3))
    return { problem: "not-valid", message: "missing subject alternative name" };
  return { validation: { ca, subjectNames } };
}

// src/graph/extension-service.ts
var extensionCluster = ({ namespace, name: name3 }) => `extension/${namespace}/${name3}`;
var extensionService = (reader, namespace, name3) => isLeftOut("ExtensionService", reader.settings) ? void 0 : reader.get("ExtensionService", namespace, name3);
function readExtensionService(reader, namespace, name3, report) {
  const object = extensionService(reader, namespace, name3);
  if (!object) return void 0;
  const { spec, ref } = object;
  let good = true;
  const fail = (type4, reason, message, path3) => {
    good = false;
    report?.error(ref, type4, reason, message, path3);
  };
  const idle = readTimeout(spec.timeoutPolicy?.idleConnection);
  const wrong = readTimeoutPolicy(spec.timeoutPolicy).error ?? (idle.error && `error parsing idleConnection timeout: ${idle.error}`);
  if (wrong)
    fail(
      "SpecError",
      "TimeoutPolicyNotValid",
      `spec.timeoutPolicy failed to parse: ${wrong}`,
      "spec.timeoutPolicy"
    );
  warnIgnored(object, report);
  const certificate2 = clientCertificate(reader);
  if (certificate2.error) fail("TLSError", "SecretNotValid", certificate2.error, "spec");
  const checked2 = spec.validation && readUpstreamValidation(reader, spec.validation, namespace);
  if (checked2?.problem === "not-delegated") {
    const message = `service.UpstreamValidation.CACertificate Secret "${checked2.secret}" is not configured for certificate delegation`;
    fail("TLSError", "CACertificateNotDelegated", message, "spec.validation.caSecret");
  } else if (checked2?.problem) {
    const message = `TLS upstream validation policy error: ${checked2.message}`;
    fail("SpecError", "TLSUpstreamValidation", message, "spec.validation");
  }
  if (spec.validation && spec.protocol !== "h2") {
    const message = `upstream TLS validation not supported for "${spec.protocol}" protocol`;
    fail("SpecError", "InconsistentProtocol", message, "spec.protocol");
  }
  const services = readServices(object, reader, fail);
  if (!good) return void 0;
  const validation = checked2?.problem ? void 0 : checked2?.validation;
  const strategy = spec.loadBalancerPolicy?.strategy;
  const defaults2 = reader.settings.cluster.circuitBreakers;
  const breakers = spec.circuitBreakerPolicy ?? (Object.values(defaults2).some(Boolean) ? defaults2 : void 0);
  const response = readTimeout(spec.timeoutPolicy?.response).ms;
  return {
    namespace,
    name: name3,
    cluster: {
      loadBalancing: strategy === "Random" ? "random" : strategy === "WeightedLeastRequest" ? "least-request" : "round-robin",
      ...spec.protocol === "http/1.1" ? {} : { protocol: spec.protocol },
      ...validation ? { validation, sni: validation.subjectNames[0] ?? "" } : {},
      ...idle.ms === void 0 ? {} : { idleConnectionMs: idle.ms },
      ...breakers ? { circuitBreakers: breakers } : {},
      ...spec.protocol === "h2" ? certificate2.options : {}
    },
    ...response === void 0 ? {} : { responseMs: response },
    services
  };
}
function warnIgnored({ spec, ref }, report) {
  const warn = (message, path3) => report?.warn(ref, "SpecError", "IgnoredField", message, path3);
  const strategy = spec.loadBalancerPolicy?.strategy;
  if (strategy === "Cookie" || strategy === "RequestHash") {
    const message = `ignoring field ".Spec.LoadBalancerPolicy"; ${strategy} load balancer policy is not supported for ExtensionClusters`;
    warn(message, "spec.loadBalancerPolicy.strategy");
  }
  if (spec.timeoutPolicy?.idle) {
    const message = `ignoring field ".Spec.TimeoutPolicy.Idle"; idle timeouts are not supported for ExtensionClusters`;
    warn(message, "spec.timeoutPolicy.idle");
  }
}
function readServices({ spec, meta: { namespace } }, reader, fail) {
  return spec.services.flatMap(({ name: name3, port: port2, weight }, i) => {
    const { service: service3, found, error } = findServicePort(reader, namespace, name3, port2);
    const path3 = `spec.services[${i}]`;
    if (!service3 || !found) {
      const message = `unresolved service "${namespace}/${name3}": ${error}`;
      fail("ServiceError", "ServiceUnresolvedReference", message, path3);
      return [];
    }
    if (service3.spec.type === "ExternalName" || service3.spec.externalName) {
      const message = `Service "${namespace}/${name3}" is of unsupported type "ExternalName".`;
      fail("ServiceError", "UnsupportedServiceType", message, path3);
      return [];
    }
    return [{ service: name3, port: found.name || String(found.port), weight: weight ?? 0 }];
  });
}

// src/graph/certificate.ts
function warnOfCertificate({ facts }, { about: about4, path: path3, secret, host: host2 }, report) {
  const [own] = facts;
  if (!own) return;
  const name3 = `the certificate of Secret "${secret.namespace}/${secret.name}"`;
  if (host2 !== void 0 && host2 !== "*" && !own.names.some((one) => isFor(one, host2))) {
    const names4 = own.names.length > 0 ? own.names.slice(0, 8).map(shown).join(", ") : "no host at all";
    const message2 = `${name3} is for ${names4}, not for ${host2}: clients will refuse it`;
    report.warn(about4, "TLSError", "CertificateNameMismatch", message2, path3);
  }
  const from = Math.max(...facts.map(({ validFrom }) => validFrom));
  const until = Math.min(...facts.map(({ validUntil }) => validUntil));
  const message = `${name3} is good from ${dayOf(from)} until ${dayOf(until)} only: clients will refuse it`;
  report.warn(about4, "TLSError", "CertificateOutOfDate", message, path3, [from, until]);
}
var shown = (name3) => name3.replace(/[^\x21-\x7e]/g, "?").slice(0, 253);
var dayOf = (ms) => new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
var isFor = (name3, host2) => name3 === host2 || name3.startsWith("*.") && host2.slice(host2.indexOf(".")) === name3.slice(1);

// src/graph/cost/overrun.ts
var words2 = {
  routes: ["routes", "includes, delegations, hosts and matches"],
  bytes: ["bytes of configuration", "includes, hosts, matches and Secrets that are used repeatedly"],
  keySets: ["servers of key sets", "remoteJWKS of many hosts"],
  programSize: ["instructions", "repetitions in regular expressions and copies of these"]
};
function overrunMessage(namespace, { dimension, cost, budget }) {
  const [what, by2] = words2[dimension];
  return `makes ${cost} ${what} more than are written, by ${by2}; the objects of namespace ${namespace} may make ${budget} such in all, the oldest first (setting budgets.${dimension}): let it share less, or raise the setting`;
}
function isOverBudget({ ref, meta }, type4, path3, reader, report) {
  const overrun = reader.overrun(ref);
  if (overrun) report.error(ref, type4, "OverBudget", overrunMessage(meta.namespace, overrun), path3);
  return overrun !== void 0;
}

// src/graph/listener-names.ts
var ingressHttp = "ingress_http";
var ingressHttps = "ingress_https";
var fallbackTable = "ingress_fallbackcert";

// src/graph/gateway/once.ts
function onceForUnit() {
  const units3 = /* @__PURE__ */ new WeakMap();
  return (reader, key, find) => {
    const known5 = units3.get(reader) ?? /* @__PURE__ */ new Map();
    units3.set(reader, known5);
    if (!known5.has(key)) known5.set(key, find());
    return known5.get(key);
  };
}

// src/graph/gateway/grants.ts
var known2 = onceForUnit();
function isGranted({ from, to }, reader) {
  if (from.namespace === to.namespace) return true;
  const key = `${from.kind}/${from.namespace}/${to.namespace}`;
  const targets = known2(reader, key, () => targetsOf(from, to.namespace, reader));
  return targets.some(
    ({ group, kind, name: name3 }) => group === "" && kind === to.kind && (!name3 || name3 === to.name)
  );
}
function targetsOf(from, namespace, reader) {
  const grants = objectsOf("ReferenceGrant", reader.claimants(`grants:${namespace}`), reader);
  return grants.flatMap(({ spec }) => {
    const isMeant = spec.from.some(
      (one) => one.group === gatewayGroup && one.kind === from.kind && one.namespace === from.namespace
    );
    return isMeant ? spec.to : [];
  });
}

// src/graph/gateway/ports.ts
var httpsOfContour = "projectcontour.io/https";
var tlsProtocols = ["HTTPS", "TLS", httpsOfContour];
var protocols = ["HTTP", ...tlsProtocols, "TCP"];
var familyOf = ({ protocol: protocol4 }) => {
  if (protocol4 === "HTTP") return "http";
  if (protocol4 === "TCP") return "tcp";
  return tlsProtocols.includes(protocol4) ? "https" : void 0;
};
function envoyPort(port2) {
  const moved = port2 + 8e3 > 65535 ? port2 + 8e3 - 65535 : port2 + 8e3;
  return moved <= 1023 ? moved + 1023 : moved;
}
function portProblem(listener2, before, settings) {
  const family = familyOf(listener2);
  if (!family) {
    const message = `Listener protocol ${JSON.stringify(listener2.protocol)} is unsupported, must be one of ${protocols.join(", ")}`;
    return { type: "Accepted", reason: "UnsupportedProtocol", message };
  }
  if (ownPorts(settings).includes(envoyPort(listener2.port))) {
    const message = `Envoy's port ${envoyPort(listener2.port)} for this port is that of Envoy's admin interface or of another listener of the settings`;
    return { type: "Accepted", reason: "PortUnavailable", message };
  }
  for (const other of before) {
    if (other.port !== listener2.port) {
      if (envoyPort(other.port) !== envoyPort(listener2.port)) continue;
      const message = "Listener port conflicts with a previous Listener's port";
      return { type: "Accepted", reason: "PortUnavailable", message };
    }
    if (familyOf(other) !== family) {
      const message = "All Listener protocols for a given port must be compatible";
      return { type: "Conflicted", reason: "ProtocolConflict", message };
    }
    if (other.hostname.toLowerCase() === listener2.hostname.toLowerCase() || family === "tcp") {
      const message = "All Listener hostnames for a given port must be unique";
      return { type: "Conflicted", reason: "HostnameConflict", message };
    }
  }
  return void 0;
}
var usualAdminPort = 9001;
var ownPorts = ({ stats, health, metrics, omEnforcedHealth }) => [usualAdminPort, stats.port, health.port, metrics.port, omEnforcedHealth.port].filter(
  (port2) => port2 !== void 0
);

// src/graph/gateway/selector.ts
function matchesSelector(labels, { matchLabels, matchExpressions }) {
  const wanted = Object.entries(matchLabels);
  if (wanted.length + matchExpressions.length === 0) return false;
  const labelOf = (key) => Object.hasOwn(labels, key) ? labels[key] : void 0;
  return wanted.every(([key, value]) => labelOf(key) === value) && matchExpressions.every(({ key, operator, values }) => operators[operator](labelOf(key), values));
}
var operators = {
  In: (label3, values) => label3 !== void 0 && values.includes(label3),
  NotIn: (label3, values) => label3 === void 0 || !values.includes(label3),
  Exists: (label3) => label3 !== void 0,
  DoesNotExist: (label3) => label3 === void 0
};

// src/graph/gateway/gateway.ts
function servedGateway(reader) {
  const { gatewayRef } = reader.settings;
  const gateway = gatewayRef && reader.get("Gateway", gatewayRef.namespace, gatewayRef.name);
  const gatewayClass = gateway && reader.get("GatewayClass", "", gateway.spec.gatewayClassName);
  return gatewayClass && { gateway, gatewayClass };
}
function readGateway(reader) {
  const served = servedGateway(reader);
  if (!served) return void 0;
  const { gateway } = served;
  const names4 = envoyListeners(gateway, reader);
  return {
    gateway,
    listeners: gateway.spec.listeners.map((spec, i) => readListener(spec, names4[i], gateway, reader))
  };
}
function envoyListeners({ spec: { listeners } }, { settings }) {
  const good = [];
  const problems = listeners.map((listener2) => {
    const problem2 = hostnameProblem(listener2) ?? portProblem(listener2, good, settings);
    if (!problem2) good.push(listener2);
    return problem2;
  });
  const first = (family) => Math.min(...good.filter((one) => familyOf(one) === family).map(({ port: port2 }) => port2));
  const main = { http: first("http"), https: first("https") };
  return listeners.map((listener2, i) => {
    const family = familyOf(listener2);
    const problem2 = problems[i];
    if (problem2 || !family) return problem2 ?? "";
    if (family === "tcp" || listener2.port !== main[family]) return `${family}-${listener2.port}`;
    return family === "http" ? ingressHttp : ingressHttps;
  });
}
function hostnameProblem({ hostname: hostname2 }) {
  if (hostname2 === "" || isWildcardSubdomain(hostname2) && !/^[\d.]+$/.test(hostname2)) return void 0;
  const message = `invalid hostname ${JSON.stringify(hostname2)}: must be a lower-case DNS name, optionally with a leading *.`;
  return { type: "Programmed", reason: "Invalid", message };
}
function readListener(spec, envoy, gateway, reader) {
  const { kinds: kinds4, problems: wrongKinds } = readKinds(spec);
  const selector = selectorProblem(spec);
  const problems = [...wrongKinds, ...selector ? [selector] : []];
  const listener2 = { spec, hostname: spec.hostname.toLowerCase(), kinds: kinds4 };
  if (typeof envoy !== "string")
    return { ...listener2, problems: [...problems, ...envoy ? [envoy] : []], ready: false };
  const { secret, problem: problem2 } = readCertificate2(spec, gateway, reader);
  return {
    ...listener2,
    envoy,
    ...secret ? { secret } : {},
    problems: problem2 ? [...problems, problem2] : problems,
    ready: !problem2 && !selector
  };
}
var usualKinds = /* @__PURE__ */ new Map([
  ["HTTP", ["HTTPRoute", "GRPCRoute"]],
  ["HTTPS", ["HTTPRoute", "GRPCRoute"]],
  ["TLS", ["TLSRoute", "TCPRoute"]],
  ["TCP", ["TCPRoute"]]
]);
function readKinds({ protocol: protocol4, allowedRoutes }) {
  const possible = usualKinds.get(protocol4) ?? [];
  if (allowedRoutes.kinds.length === 0) return { kinds: possible, problems: [] };
  const problems = [];
  const kinds4 = [];
  for (const { group, kind } of allowedRoutes.kinds) {
    const known5 = group === gatewayGroup ? possible.find((one) => one === kind) : void 0;
    if (known5) kinds4.push(known5);
    else {
      const message = `Kind "${group}/${kind}" is not supported for protocol ${protocol4}, use ${possible.join(" or ") || "none"}`;
      problems.push({ type: "ResolvedRefs", reason: "InvalidRouteKinds", message });
    }
  }
  return { kinds: kinds4, problems };
}
function selectorProblem({ allowedRoutes: { namespaces } }) {
  if (namespaces.from !== "Selector") return void 0;
  const { matchLabels = {}, matchExpressions = [] } = namespaces.selector ?? {};
  const wrong = matchExpressions.find(
    ({ operator, values }) => (operator === "In" || operator === "NotIn") !== values.length > 0
  );
  if (!wrong && Object.keys(matchLabels).length + matchExpressions.length > 0) return void 0;
  const message = wrong ? `allowedRoutes.namespaces.selector: ${wrong.operator} of key ${wrong.key} has ${wrong.values.length === 0 ? "no" : "needless"} values` : "allowedRoutes.namespaces.selector must hold a label or an expression where namespaces are chosen by it";
  return { type: "Programmed", reason: "Invalid", message };
}
function readCertificate2({ protocol: protocol4, tls: tls2 }, { meta, spec }, reader) {
  if (protocol4 !== "HTTPS" && protocol4 !== "TLS") return {};
  const fail = (reason, message, type4 = "ResolvedRefs") => ({ problem: { type: type4, reason, message } });
  const invalid = (message) => fail("Invalid", message, "Programmed");
  if (!tls2) return invalid(`tls is required when protocol is ${protocol4}`);
  if (tls2.frontendValidation || protocol4 === "HTTPS" && spec.tls?.frontend) {
    const message = "certificates of clients (frontend validation) are not supported: without them nobody is let in";
    return fail("UnsupportedValue", message, "Accepted");
  }
  if (tls2.mode === "Passthrough") {
    if (protocol4 === "HTTPS") return invalid("tls.mode must be Terminate when protocol is HTTPS");
    return tls2.certificateRefs.length === 0 ? {} : invalid("tls.certificateRefs cannot be defined when tls.mode is Passthrough");
  }
  const [ref] = tls2.certificateRefs;
  if (!ref || tls2.certificateRefs.length > 1)
    return invalid("tls.certificateRefs must hold exactly one entry");
  if (ref.group !== "" || ref.kind !== "Secret")
    return fail("InvalidCertificateRef", `certificateRef "${ref.name}" must be a reference to a Secret`);
  const secret = { namespace: ref.namespace || meta.namespace, name: ref.name };
  const from = { kind: "Gateway", namespace: meta.namespace };
  if (!isGranted({ from, to: { kind: "Secret", ...secret } }, reader)) {
    const message = `certificateRef "${ref.name}" must be in the Gateway's namespace or be covered by a ReferenceGrant`;
    return fail("RefNotPermitted", message);
  }
  const { pair, error } = readKeyPair(reader, secret);
  if (!pair) return fail("InvalidCertificateRef", `certificateRef "${ref.name}" is invalid: ${error}`);
  return { secret: `${secret.namespace}/${secret.name}` };
}
function allowsNamespace({ spec: { allowedRoutes } }, { meta }, namespace, reader) {
  const { from, selector } = allowedRoutes.namespaces;
  if (from === "All") return true;
  if (from === "Same") return namespace === meta.namespace;
  if (from === "None" || !selector) return false;
  const name3 = { "kubernetes.io/metadata.name": namespace };
  return matchesSelector({ ...reader.get("Namespace", "", namespace)?.spec.labels, ...name3 }, selector);
}

// src/graph/gateway/hostnames.ts
var isUnder = (hostname2, wildcard2) => wildcard2.startsWith("*.") && hostname2.length >= wildcard2.length && hostname2.endsWith(wildcard2.slice(1));
function hostsOf(hostnames2, { listener: listener2, rivals }) {
  if (hostnames2.length === 0) return [listener2 || "*"];
  const found = /* @__PURE__ */ new Set();
  for (const hostname2 of hostnames2) {
    const host2 = meet(hostname2, listener2);
    if (host2 && (host2 === listener2 || !rivals.some((rival) => isCloser(rival, listener2, host2))))
      found.add(host2);
  }
  return [...found];
}
function meet(hostname2, listener2) {
  if (listener2 === "" || hostname2 === listener2 || isUnder(hostname2, listener2)) return hostname2;
  return isUnder(listener2, hostname2) ? listener2 : void 0;
}
var isCloser = (rival, listener2, host2) => rival === host2 || isUnder(host2, rival) && rival.length > listener2.length;
function widerThan(host2) {
  const labels = host2.split(".").slice(1);
  return [...labels.map((_, i) => `*.${labels.slice(i).join(".")}`), "*"].filter((wider) => wider !== host2);
}

// src/graph/gateway/attach.ts
var hostnamesOf = (route2) => route2.kind === "TCPRoute" ? [] : route2.spec.hostnames;
var isOf = (ref, route2, { gateway: { meta } }) => ref.group === gatewayGroup && ref.kind === "Gateway" && ref.name === meta.name && (ref.namespace || route2.meta.namespace) === meta.namespace;
var refsTo = (route2, view) => [...route2.spec.parentRefs.entries()].filter(([, ref]) => isOf(ref, route2, view));
function parentsOf(route2, view, reader, host2) {
  const all = hostnamesOf(route2);
  const hostnames2 = host2 === void 0 ? all : all.filter((one) => one === host2 || isUnder(host2, one));
  if (hostnames2.length === 0 && all.length > 0 && host2 !== void 0) return [];
  const known5 = /* @__PURE__ */ new Map();
  const parents = [];
  for (const [index, ref] of refsTo(route2, view)) {
    const key = selectionOf(ref);
    const attachment = known5.get(key) ?? attach(route2, hostnames2, ref, view, reader);
    known5.set(key, attachment);
    parents.push({ index, ref, ...attachment });
  }
  return withinBudget(route2, reader, parents);
}
var selectionOf = ({ sectionName: sectionName2, port: port2 }) => JSON.stringify([sectionName2, port2]);
var isSelected = (ref, { spec }) => (ref.sectionName === void 0 || ref.sectionName === spec.name) && (ref.port === void 0 || ref.port === spec.port);
function placesOf3(route2, view) {
  const refs = refsTo(route2, view).map(([, ref]) => ref);
  const pairs2 = /* @__PURE__ */ new Set();
  const hosts = /* @__PURE__ */ new Set();
  const ports = /* @__PURE__ */ new Set();
  for (const ref of new Map(refs.map((one) => [selectionOf(one), one])).values())
    for (const listener2 of view.listeners) {
      if (!listener2.kinds.includes(route2.kind) || !isSelected(ref, listener2)) continue;
      for (const host2 of hostsOf(hostnamesOf(route2), { listener: listener2.hostname, rivals: [] })) {
        pairs2.add(`${listener2.spec.port} ${host2}`);
        hosts.add(host2);
        ports.add(listener2.spec.port);
      }
    }
  return { pairs: pairs2.size, hosts: hosts.size, ports: ports.size };
}
function withinBudget(route2, reader, parents) {
  const overrun = reader.overrun(route2.ref);
  if (!overrun) return parents;
  const problem2 = { reason: "OverBudget", message: overrunMessage(route2.meta.namespace, overrun) };
  return parents.map((parent) => ({ ...parent, attached: [], problem: parent.problem ?? problem2 }));
}
function attach(route2, hostnames2, ref, view, reader) {
  const selected = view.listeners.filter((listener2) => isSelected(ref, listener2));
  const counted = selected.filter(
    (listener2) => listener2.kinds.includes(route2.kind) && allowsNamespace(listener2, view.gateway, route2.meta.namespace, reader)
  );
  const fail = (reason, message) => ({ attached: [], counted, problem: { reason, message } });
  if (!selected.some(({ ready }) => ready))
    return fail("NoMatchingParent", "No listeners match this parent ref");
  const allowed = counted.filter(({ ready }) => ready);
  if (allowed.length === 0)
    return fail("NotAllowedByListeners", "No listeners included by this parent ref allowed this attachment.");
  const rivals = rivalsOf(allowed, view);
  const attached = allowed.map((listener2) => ({
    listener: listener2,
    hosts: hostsOf(hostnames2, {
      listener: listener2.hostname,
      rivals: rivals.get(listener2.spec.port) ?? []
    })
  })).filter(({ hosts }) => hosts.length > 0);
  if (attached.length > 0) return { attached, counted };
  return fail(
    "NoMatchingListenerHostname",
    "No intersecting hostnames were found between the listener and the route."
  );
}
function rivalsOf(allowed, { listeners }) {
  const own = new Set(allowed);
  const rivals = /* @__PURE__ */ new Map();
  for (const listener2 of listeners) {
    const { envoy, hostname: hostname2, spec } = listener2;
    if (envoy === void 0 || hostname2 === "" || own.has(listener2)) continue;
    const others = rivals.get(spec.port) ?? [];
    others.push(hostname2);
    rivals.set(spec.port, others);
  }
  return rivals;
}

// src/graph/server-name.ts
var dnsName3 = /^(?=.{1,253}$)(?:[a-z0-9_](?:[-a-z0-9_]*[a-z0-9_])?\.)*(?!\d+$|0x)[a-z0-9_](?:[-a-z0-9_]*[a-z0-9_])?$/i;
function serverName(host2) {
  const name3 = host2.replace(/:\d*$/, "").replace(/\.$/, "");
  return dnsName3.test(name3) && !isIP(name3) ? name3 : void 0;
}
var backendOf = (cluster, weight, policies2, route2) => ({ cluster: withServerName(cluster, route2, policies2.requestHeaders), weight, policies: policies2 });
function withServerName(cluster, route2, own) {
  const host2 = route2?.hostFromHeader ? void 0 : route2?.host || own?.host;
  if (!host2 || cluster.sni !== void 0) return cluster;
  return { ...cluster, sni: host2 };
}

// src/graph/order.ts
function byAge(a, b) {
  const age = ({ meta }) => `${meta.created}
${meta.namespace}/${meta.name}`;
  return age(a) < age(b) ? -1 : 1;
}

// src/graph/gateway/backend-tls.ts
var maxPolicies = 64;
var maxAuthorities = 64 * 1024;
function policyOf(name3, port2, policies2) {
  const rank2 = ({ spec }) => {
    const refs = spec.targetRefs.filter(
      (ref) => ref.group === "" && ref.kind === "Service" && ref.name === name3
    );
    if (refs.some(({ sectionName: sectionName2 }) => sectionName2 !== void 0 && sectionName2 === port2.name)) return 0;
    return refs.some(({ sectionName: sectionName2 }) => sectionName2 === void 0) ? 1 : 2;
  };
  return policies2.filter((policy) => rank2(policy) < 2).sort((a, b) => rank2(a) - rank2(b) || byAge(a, b))[0];
}
function readBackendTls(service3, port2, reader) {
  const { namespace, name: name3 } = service3.meta;
  return known3(reader, `${namespace}/${name3}/${port2.port}`, () => {
    const claimants = reader.claimants(`backend-tls:${namespace}/${name3}`);
    if (claimants.length > maxPolicies)
      return { error: `more than ${maxPolicies} BackendTLSPolicies are for Service ${namespace}/${name3}` };
    const policy = policyOf(name3, port2, objectsOf("BackendTLSPolicy", claimants, reader));
    return policy ? optionsOf(policy, reader) : {};
  });
}
var known3 = onceForUnit();
function optionsOf(policy, reader) {
  const { validation, error } = readPolicy(policy, reader);
  if (!validation)
    return { error: `BackendTLSPolicy ${policy.meta.namespace}/${policy.meta.name} is invalid: ${error}` };
  return { options: { protocol: "tls", validation, sni: policy.spec.validation.hostname } };
}
function readPolicy({ spec: { validation }, meta: { namespace } }, reader) {
  if (validation.wellKnownCACertificates) return { error: "wellKnownCACertificates is unsupported" };
  if (!isSubdomain(validation.hostname) || /^[\d.]+$/.test(validation.hostname))
    return { error: `hostname ${JSON.stringify(validation.hostname)} must be a DNS name without a wildcard` };
  const bundles2 = /* @__PURE__ */ new Set();
  for (const { group, kind, name: name3 } of uniqueRefs(validation.caCertificateRefs)) {
    const read = group !== "" ? void 0 : readers.get(kind);
    if (!read)
      return {
        error: `caCertificateRefs: kind ${group || "core"}/${kind} is unsupported, use ConfigMap or Secret`
      };
    const { ca: ca2, error } = read(reader, { namespace, name: name3 });
    if (!ca2) return { error: error ?? "the CA is not there" };
    bundles2.add(ca2);
  }
  const ca = [...bundles2].join("");
  if (ca === "") return { error: "caCertificateRefs is empty" };
  if (ca.length > maxAuthorities)
    return { error: `caCertificateRefs hold ${ca.length} bytes together, of at most ${maxAuthorities}` };
  const names4 = validation.subjectAltNames.map(
    ({ type: type4, hostname: hostname2 }) => type4 === "Hostname" && hostname2 || ""
  );
  if (names4.includes("")) return { error: "subjectAltNames: only entries of type Hostname are supported" };
  return {
    validation: { ca, subjectNames: names4.length > 0 ? names4 : [validation.hostname] }
  };
}
var readers = /* @__PURE__ */ new Map([
  ["Secret", readCaBundle],
  ["ConfigMap", readCaConfigMap]
]);
var uniqueRefs = (refs) => [
  ...new Map(refs.map((ref) => [JSON.stringify([ref.group, ref.kind, ref.name]), ref])).values()
];

// src/graph/policy/headers.ts
var operators2 = /* @__PURE__ */ new Set([
  "DOWNSTREAM_REMOTE_ADDRESS",
  "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT",
  "DOWNSTREAM_LOCAL_ADDRESS",
  "DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT",
  "DOWNSTREAM_LOCAL_PORT",
  "DOWNSTREAM_LOCAL_URI_SAN",
  "DOWNSTREAM_PEER_URI_SAN",
  "DOWNSTREAM_LOCAL_SUBJECT",
  "DOWNSTREAM_PEER_SUBJECT",
  "DOWNSTREAM_PEER_ISSUER",
  "DOWNSTREAM_TLS_SESSION_ID",
  "DOWNSTREAM_TLS_CIPHER",
  "DOWNSTREAM_TLS_VERSION",
  "DOWNSTREAM_PEER_FINGERPRINT_256",
  "DOWNSTREAM_PEER_FINGERPRINT_1",
  "DOWNSTREAM_PEER_SERIAL",
  "DOWNSTREAM_PEER_CERT",
  "DOWNSTREAM_PEER_CERT_V_START",
  "DOWNSTREAM_PEER_CERT_V_END",
  "HOSTNAME",
  "PROTOCOL",
  "UPSTREAM_REMOTE_ADDRESS",
  "RESPONSE_FLAGS",
  "RESPONSE_CODE_DETAILS",
  "TLS_JA3_FINGERPRINT",
  "TLS_JA4_FINGERPRINT"
]);
var requestHeader = String.raw`REQ\(:?[\w-]+(?:\?:?[\w-]+)?\)(?::\d{1,6})?`;
var variable = new RegExp(`%([A-Z0-9_]+|${requestHeader})%|%`, "g");
var maxHeaders = 1e3;
function headerFormat(value, dynamic) {
  return value.replace(variable, (whole2, operator) => {
    if (operator === void 0) return "%%";
    if (operator === "CONTOUR_NAMESPACE" && dynamic.namespace !== void 0)
      return dynamic.namespace.replaceAll("%", "%%");
    if (operator === "CONTOUR_SERVICE_NAME" && dynamic.service !== void 0) return dynamic.service;
    if (operator === "CONTOUR_SERVICE_PORT" && dynamic.port !== void 0) return String(dynamic.port);
    if (operators2.has(operator) || operator.startsWith("REQ(")) return whole2;
    return `%%${operator}%%`;
  });
}
function readHeadersPolicy(fields, kind, dynamic) {
  if (!fields?.set?.length && !fields?.remove?.length) return {};
  const set = /* @__PURE__ */ new Map();
  let host2 = {};
  for (const { name: name3, value } of fields.set ?? []) {
    const key = canonicalHeader(name3);
    if (set.has(key)) return { error: `duplicate header addition: "${key}"` };
    const isHost = key === "Host" && kind === "request";
    const problem2 = isHost ? hostValueProblem(value) : headerValueProblem(value);
    if (problem2) return { error: `invalid set header "${key}": ${problem2}` };
    if (isHost) {
      host2 = hostRewrite(value);
      continue;
    }
    const wrong = headerNameProblem(key);
    if (wrong) return { error: `invalid set header "${key}": ${wrong}` };
    set.set(key, headerFormat(value, dynamic));
  }
  if (set.size > maxHeaders) return { error: `more than ${maxHeaders} headers to set` };
  const remove = /* @__PURE__ */ new Set();
  for (const name3 of fields.remove ?? []) {
    const key = canonicalHeader(name3);
    if (remove.has(key)) return { error: `duplicate header removal: "${key}"` };
    const wrong = headerNameProblem(key);
    if (wrong) return { error: `invalid remove header "${key}": ${wrong}` };
    remove.add(key);
  }
  const sorted = [...set].sort(([a], [b]) => a < b ? -1 : 1);
  return {
    policy: { set: sorted.map(([name3, value]) => ({ name: name3, value })), remove: [...remove].sort(), ...host2 }
  };
}
function hostRewrite(value) {
  const header4 = hostHeader(value);
  return header4 ? { hostFromHeader: header4 } : { host: value };
}

// src/graph/gateway/header-modifier.ts
function readHeaderFilter(context, { type: type4, requestHeaderModifier: request, responseHeaderModifier: response }, path3, found) {
  if (type4 === "RequestHeaderModifier" && request)
    found.requestHeaders ??= readHeaderModifier(context, request, "request", path3);
  else if (type4 === "ResponseHeaderModifier" && response)
    found.responseHeaders ??= readHeaderModifier(context, response, "response", path3);
  else return false;
  return true;
}
function readHeaderModifier({ fail }, { set, add: add2, remove }, kind, path3) {
  let host2;
  const values = (headers3, field) => {
    const found = /* @__PURE__ */ new Map();
    for (const [i, { name: name3, value }] of headers3.entries()) {
      const key = canonicalHeader(name3);
      const isHost = key === "Host" && kind === "request";
      const problem2 = found.has(key) ? "is a duplicate" : isHost ? hostValueProblem(value) : headerNameProblem(key) ?? headerValueProblem(value);
      if (problem2)
        fail(
          "ResolvedRefs",
          "Degraded",
          `${field} header "${key}": ${problem2}`,
          `${path3}.${kind}HeaderModifier.${field}[${i}]`
        );
      else if (isHost) host2 = value;
      else found.set(key, headerFormat(value, {}));
    }
    return [...found].sort(([a], [b]) => a < b ? -1 : 1).map(([name3, value]) => ({ name: name3, value }));
  };
  const policy = { set: values(set, "set"), add: values(add2, "add") };
  const removed = /* @__PURE__ */ new Set();
  for (const [i, name3] of remove.entries()) {
    const key = canonicalHeader(name3);
    const problem2 = removed.has(key) ? "is a duplicate" : headerNameProblem(key);
    if (problem2)
      fail(
        "ResolvedRefs",
        "Degraded",
        `remove header "${key}": ${problem2}`,
        `${path3}.${kind}HeaderModifier.remove[${i}]`
      );
    else removed.add(key);
  }
  return { ...policy, remove: [...removed].sort(), ...host2 === void 0 ? {} : { host: host2 } };
}

// src/graph/gateway/backends.ts
var appProtocols2 = ["kubernetes.io/h2c", "kubernetes.io/ws", "http", "https"];
function readReference({ route: route2, reader, fail }, ref, path3, { usualProtocol, withTls }) {
  const refuse2 = (reason, message, field = "") => fail("ResolvedRefs", reason, message, path3 + field);
  if (ref.group !== "" || ref.kind !== "Service")
    return refuse2(
      "InvalidKind",
      `only Services are supported, not ${ref.group || "core"}/${ref.kind}`,
      ".kind"
    );
  if (ref.port === void 0) return refuse2("Degraded", "the port of the Service is missing", ".port");
  const namespace = ref.namespace || route2.meta.namespace;
  const from = { kind: route2.kind, namespace: route2.meta.namespace };
  if (!isGranted({ from, to: { kind: "Service", namespace, name: ref.name } }, reader)) {
    const message = `Service ${namespace}/${ref.name} must be in the route's namespace or be covered by a ReferenceGrant`;
    return refuse2("RefNotPermitted", message, ".namespace");
  }
  const { service: service3, found, error } = findServicePort(reader, namespace, ref.name, ref.port);
  if (!service3 || !found) return refuse2("BackendNotFound", error ?? "the Service is not there");
  if (found.appProtocol && !appProtocols2.includes(found.appProtocol))
    return refuse2("UnsupportedProtocol", `appProtocol ${JSON.stringify(found.appProtocol)} is unsupported`);
  const tls2 = withTls ? readBackendTls(service3, found, reader) : {};
  if (tls2.error) return refuse2("BackendNotFound", tls2.error);
  const { cluster, error: unusable } = readCluster(reader, namespace, ref.name, ref.port, {
    ...usualProtocol ? { usualProtocol } : {},
    ...tls2.options
  });
  return cluster ?? refuse2("BackendNotFound", unusable ?? "the Service can't be used");
}
function readBackends(context, refs, path3, options2, headers3) {
  if (refs.length === 0)
    return context.fail("ResolvedRefs", "Degraded", "at least one backendRef must be specified", path3);
  const backends = [];
  for (const [i, ref] of refs.entries()) {
    const at = `${path3}.backendRefs[${i}]`;
    const policies2 = readBackendFilters(context, ref.filters, at);
    const cluster = readReference(context, ref, at, options2);
    if (cluster && policies2) backends.push(backendOf(cluster, ref.weight, policies2, headers3));
  }
  const weighs = backends.some(({ weight }) => weight > 0);
  return weighs ? { kind: "forward", backends } : { kind: "respond", status: 500 };
}
function readBackendFilters(context, filters2, path3) {
  const policies2 = {};
  for (const [i, filter2] of filters2.entries()) {
    const at = `${path3}.filters[${i}]`;
    if (readHeaderFilter(context, filter2, at, policies2)) continue;
    const message = `filter ${filter2.type} is not supported on a backendRef: only RequestHeaderModifier and ResponseHeaderModifier are`;
    return context.fail("Accepted", "UnsupportedValue", message, at);
  }
  return policies2;
}
function readTcpBackends(context, refs, path3) {
  if (refs.length === 0)
    return context.fail("ResolvedRefs", "Degraded", "at least one backendRef must be specified", path3);
  const backends = refs.flatMap((ref, i) => {
    const cluster = readReference(context, ref, `${path3}.backendRefs[${i}]`, { withTls: false });
    return cluster ? [{ cluster, weight: ref.weight }] : [];
  });
  if (backends.length === 0) return void 0;
  if (backends.some(({ weight }) => weight > 0)) return backends;
  const message = "at least one backendRef must have a non-zero weight";
  return context.fail("Accepted", "AllBackendRefsHaveZeroWeights", message, path3);
}

// src/graph/normalize-path.ts
var hasEscapedSlash = (path3) => /%(?:2f|5c)/i.test(path3);
var isPath = (path3) => path3.startsWith("/") && !notInPaths.test(path3);
var notInPaths = /[\u0000-\u0020\u007f?#]/;
function trimSlashes(path3) {
  let end = path3.length;
  while (path3[end - 1] === "/") end--;
  return path3.slice(0, end);
}
var cleanPath = (path3) => resolveDots(`/${path3}`.replace(/\/{2,}/g, "/"));
function resolveDots(path3) {
  const kept2 = [];
  const segments2 = path3.split("/").slice(1);
  for (const [i, segment] of segments2.entries()) {
    const last = i === segments2.length - 1;
    if (segment === "..") kept2.pop();
    if (segment !== "." && segment !== "..") kept2.push(segment);
    else if (last) kept2.push("");
  }
  return `/${kept2.join("/")}`;
}
var plainPath = /^\/(?:[\w~-][\w.~-]*(?:\/|$))*$/;
function normalizePath(path3) {
  if (plainPath.test(path3)) return path3;
  const bare = path3.replace(/(?<=\/)(\.\.?);[^/]*/g, "$1");
  if (bare.includes("%00")) return void 0;
  return resolveDots(normalizeEscapes(bare.replaceAll("\\", "/")));
}
var unreserved = /^[A-Za-z0-9._~-]$/;
var noEscape = "\0";
var normalizeEscapes = (path3) => path3.replace(/%(?![0-9a-f]{2})/gi, noEscape).replace(/["<>^`{|}]/g, encodeURIComponent).replace(/%[0-9a-f]{2}/gi, (code) => {
  const character = String.fromCharCode(Number.parseInt(code.slice(1), 16));
  return unreserved.test(character) ? character : code;
}).split(noEscape).reduce((start, rest) => start + (/^[0-9a-f]{2}/i.test(rest) ? "%25" : "%") + rest);
function unreachablePath({ kind, value }, { escapedSlashes: escapedSlashes2 }) {
  if (kind === "regex") return void 0;
  if (escapedSlashes2 !== "keep" && hasEscapedSlash(value))
    return `${JSON.stringify(value)} can never match: with escapedSlashes ${escapedSlashes2} no path has %2f or %5c when Envoy looks for a route`;
  return normalizePath(value) === value ? void 0 : `${JSON.stringify(value)} can never match: Envoy escapes and resolves paths (%41, {, .., ;) before it looks for a route`;
}

// src/graph/match.ts
var text3 = (a, b) => a < b ? -1 : a > b ? 1 : 0;
var by = (...orders) => (a, b) => {
  for (const order2 of orders) {
    const result = order2(a, b);
    if (result !== 0) return result;
  }
  return 0;
};
var rank = (...kinds4) => (a, b) => kinds4.indexOf(a) - kinds4.indexOf(b);
var flag4 = (a, b) => Number(a) - Number(b);
var headerKind = rank("exact", "regex", "contains", "present");
var queryKind = rank("exact", "regex", "prefix", "suffix", "contains", "present");
var compareHeaders = by(
  (a, b) => text3(a.name, b.name),
  (a, b) => headerKind(a.kind, b.kind),
  (a, b) => text3(a.value, b.value),
  (a, b) => flag4(a.invert, b.invert),
  (a, b) => flag4(a.ignoreCase, b.ignoreCase),
  (a, b) => flag4(a.treatMissingAsEmpty, b.treatMissingAsEmpty)
);
var compareQueries = by(
  (a, b) => text3(a.name, b.name),
  (a, b) => queryKind(a.kind, b.kind),
  (a, b) => text3(a.value, b.value),
  (a, b) => flag4(a.ignoreCase, b.ignoreCase)
);
function lexicographic(order2) {
  return (a, b) => {
    for (let i = 0; i < Math.min(a.length, b.length); i++) {
      const result = order2(a[i], b[i]);
      if (result !== 0) return result;
    }
    return a.length - b.length;
  };
}
var pathClass = rank("exact", "regex", "prefix");
var classOf = (kind) => kind === "exact" || kind === "regex" ? kind : "prefix";
var comparePaths = by(
  (a, b) => pathClass(classOf(a.kind), classOf(b.kind)),
  (a, b) => a.kind === "exact" ? 0 : b.value.length - a.value.length,
  (a, b) => text3(b.value, a.value),
  (a, b) => flag4(a.kind === "bare", b.kind === "bare")
);
var compareCloseness = by(
  (a, b) => comparePaths(a.path, b.path),
  (a, b) => flag4(hasMethod(b), hasMethod(a)),
  (a, b) => b.headers.length - a.headers.length,
  (a, b) => b.queries.length - a.queries.length,
  (a, b) => prefixKind(a.path.kind, b.path.kind)
);
var prefixKind = rank("segment", "prefix", "bare", "exact", "regex");
var hasMethod = (match) => match.headers.some((h) => h.name === ":method");
var compareHeaderLists = lexicographic(compareHeaders);
var compareQueryLists = lexicographic(compareQueries);
var compareMatches = by(
  compareCloseness,
  (a, b) => compareHeaderLists(a.headers, b.headers),
  (a, b) => compareQueryLists(a.queries, b.queries)
);
var compareRoutes = by(
  (a, b) => compareCloseness(a.match, b.match),
  (a, b) => (a.priority ?? 0) - (b.priority ?? 0),
  (a, b) => compareMatches(a.match, b.match)
);
var quoteRegex = (literal) => literal.replace(/[\\.+*?()|[\]{}^$]/g, "\\$&");

// src/graph/policy/path-rewrite.ts
function readReplacePrefix(entries, matched) {
  if (!entries?.length) return {};
  if (matched.kind !== "prefix") {
    return {
      reason: "MustHavePrefix",
      message: "cannot specify prefix replacements without a prefix condition"
    };
  }
  const seen = /* @__PURE__ */ new Set();
  for (const { prefix = "" } of entries) {
    if (seen.has(prefix)) {
      return prefix === "" ? { reason: "AmbiguousReplacement", message: "ambiguous prefix replacement" } : { reason: "DuplicateReplacement", message: `duplicate replacement prefix '${prefix}'` };
    }
    seen.add(prefix);
  }
  const entry = entryFor(entries, matched.value);
  return entry ? { policy: replacePrefix(matched, entry.replacement) } : {};
}
var entryFor = (entries, matched) => entries.find(({ prefix }) => prefix === matched) ?? entries.find(({ prefix }) => !prefix);
function replacePrefix({ kind, value }, replacement) {
  const clean = cleanPath(replacement);
  if (kind === "exact" || kind === "regex") return { prefix: clean };
  const to = trimSlashes(clean);
  const slashed = value.endsWith("/");
  const bare = slashed && value !== "/" ? { bare: to || "/" } : {};
  if (to !== "" || value.length > longestPath) return { prefix: slashed ? `${to}/` : to || "/", ...bare };
  const matched = `^${quoteRegex(trimSlashes(value))}/*`;
  if (kind === "segment" || slashed) return { regex: { pattern: matched, substitution: "/" }, ...bare };
  return { regex: { pattern: `${matched}(${notDots}.*)?$`, substitution: "/\\1" } };
}
var longestPath = 60 * 1024;
var notDots = "(?:[^./]|\\.[^./;%]|\\.\\.[^/;%])";

// src/graph/gateway/filters.ts
var names2 = {
  HTTPRoute: "RequestHeaderModifier, ResponseHeaderModifier, RequestRedirect, RequestMirror and URLRewrite are",
  GRPCRoute: "RequestHeaderModifier, ResponseHeaderModifier and RequestMirror are"
};
function readFilters(context, filters2, path3, options2) {
  const found = { mirrors: [] };
  for (const [i, filter2] of filters2.entries()) {
    const at = `${path3}.filters[${i}]`;
    if (readFilter(context, filter2, at, found, options2)) continue;
    const known5 = names2[context.route.kind === "HTTPRoute" ? "HTTPRoute" : "GRPCRoute"];
    const message = `filter ${filter2.type} is not supported: only ${known5}; requests are answered 500`;
    return context.fail("Accepted", "UnsupportedValue", message, at);
  }
  const { requestHeaders, responseHeaders, mirrors, rewrite, redirect } = found;
  const host2 = rewrite?.hostname ? { host: rewrite.hostname } : {};
  const changed = requestHeaders ?? (rewrite?.hostname ? { set: [], remove: [] } : void 0);
  const request = changed && { ...changed, ...host2 };
  return {
    policies: {
      ...request ? { requestHeaders: request } : {},
      ...responseHeaders ? { responseHeaders } : {}
    },
    mirrors: mirrors.map((mirror2) => ({ ...mirror2, cluster: withServerName(mirror2.cluster, request) })),
    rewrite: (matched) => rewrite?.path && readRewrite(rewrite.path, matched),
    ...redirect ? { redirect: (matched) => readRedirect(redirect, matched) } : {}
  };
}
function readFilter(context, filter2, at, found, options2) {
  const isHttp = context.route.kind === "HTTPRoute";
  const { type: type4, requestMirror } = filter2;
  if (readHeaderFilter(context, filter2, at, found)) return true;
  if (type4 === "RequestMirror" && requestMirror) {
    const cluster = readReference(
      context,
      requestMirror.backendRef,
      `${at}.requestMirror.backendRef`,
      options2
    );
    const percent2 = percentOf(requestMirror);
    if (cluster && percent2 > 0) found.mirrors.push({ cluster, percent: percent2 });
  } else if (type4 === "RequestRedirect" && filter2.requestRedirect && isHttp) {
    found.redirect ??= filter2.requestRedirect;
  } else if (type4 === "URLRewrite" && filter2.urlRewrite && isHttp) {
    found.rewrite ??= filter2.urlRewrite;
  } else return false;
  return true;
}
function percentOf({ percent: percent2, fraction }) {
  if (fraction) return Math.min(100, 100 * fraction.numerator / fraction.denominator);
  return percent2 ?? 100;
}
var absolute = (path3) => path3.startsWith("/") ? path3 : `/${path3}`;
var substitution = (text4) => text4.replaceAll("\\", "\\\\");
function readRewrite(modifier, matched) {
  if (modifier.type === "ReplaceFullPath") {
    const path3 = substitution(absolute(modifier.replaceFullPath));
    return { regex: { pattern: "^/.*$", substitution: path3 } };
  }
  return replacePrefix(matched, modifier.replacePrefixMatch);
}
function readRedirect({ scheme, hostname: hostname2, port: port2, path: path3, statusCode }, matched) {
  return {
    kind: "redirect",
    status: statusCode,
    ...scheme ? { scheme } : {},
    ...hostname2 ? { host: hostname2 } : {},
    ...port2 ? { port: port2 } : {},
    ...path3?.type === "ReplaceFullPath" ? { path: absolute(path3.replaceFullPath) } : {},
    ...path3?.type === "ReplacePrefixMatch" ? { rewrite: replacePrefix(matched, path3.replacePrefixMatch) } : {}
  };
}

// src/graph/regex.ts
import { RE2JS } from "re2js";

// src/graph/lru-cache.ts
var LruCache = class {
  constructor(maxSize, sizeOf2) {
    this.maxSize = maxSize;
    this.sizeOf = sizeOf2;
  }
  #values = /* @__PURE__ */ new Map();
  #size = 0;
  get(key) {
    const value = this.#values.get(key);
    if (value === void 0) return void 0;
    this.#values.delete(key);
    this.#values.set(key, value);
    return value;
  }
  set(key, value) {
    if (!this.#values.delete(key)) this.#size += this.sizeOf(key);
    this.#values.set(key, value);
    for (const oldest of this.#values.keys()) {
      if (this.#size <= this.maxSize) return;
      this.#values.delete(oldest);
      this.#size -= this.sizeOf(oldest);
    }
  }
};

// src/graph/regex-program.ts
var unicodeClass = /^(?:C[cfos]?|L[lmotu]?|M[cen]?|N[dlo]?|P[cdefios]?|S[ckmo]?|Z[lps]?|Any|Latin|Greek|Cyrillic|Armenian|Hebrew|Arabic|Devanagari|Bengali|Tamil|Telugu|Thai|Georgian|Hangul|Hiragana|Katakana|Han|Common|Inherited)$/;
var maxRepeat = 1e3;
var unicodeClassSize = 100;
var maxRanges = 128;
var frameSize = 8;
var RegexError = class extends Error {
};
function bytesOf(text4) {
  let bytes2 = "";
  for (const byte of new TextEncoder().encode(text4)) bytes2 += String.fromCharCode(byte);
  return bytes2;
}
var isAscii = (text4) => /^[\0-\x7f]*$/.test(text4);
function scanRegex(expression) {
  try {
    return new Scan(isAscii(expression) ? expression : bytesOf(expression)).run();
  } catch (error) {
    if (error instanceof RegexError) return error.message;
    throw error;
  }
}
var repetition = /\{(0|[1-9]\d{0,3})(?:(,)(0|[1-9]\d{0,3})?)?\}/y;
var flags = /\(\?([imsU]*)(?:-([imsU]+))?([:)])/y;
var groupName = /\(\?P?<\w+>/y;
var escaped = /\\(?:[pP](?:\{\^?([^{}]*)\}|(.))|x\{([0-9A-Fa-f]+)\}|x..|([0-7]{1,3})|(.))/sy;
var goesOn = /^\\[x0-7]/;
var posixClass = /\[:\^?\w+:\]/y;
var Scan = class {
  constructor(text4) {
    this.text = text4;
  }
  #at = 0;
  #skeleton = [];
  #fold = false;
  /** Whether the last part has an operator, and whether that is lazy. */
  #repeated = "no";
  /** Where in the skeleton the last part begins, if it is surely valid with what follows it so far. */
  #valid;
  #validClasses = /* @__PURE__ */ new Set();
  #groups = [newGroup(false, false)];
  run() {
    while (this.#at < this.text.length) this.#step();
    this.#leaveOut();
    let size = frameSize;
    for (const group of this.#groups) size += group.size;
    return { size, skeleton: this.#skeleton.join("") };
  }
  get #group() {
    return this.#groups.at(-1);
  }
  #step() {
    const character = this.text[this.#at] ?? "";
    if (character === "*" || character === "+" || character === "?") {
      this.#operator(character);
      return;
    }
    if (character === "{") {
      this.#counted();
      return;
    }
    this.#repeated = "no";
    if (character === "(" && this.#match(flags)?.[3] === ")") this.#valid = void 0;
    this.#leaveOut();
    if (character === "(") this.#open();
    else if (character === ")") this.#close();
    else if (character === "[") this.#class();
    else if (character === "\\") this.#escape();
    else if (character === "|") this.#alternative();
    else {
      if (surelyValid.test(character)) this.#valid = this.#skeleton.length;
      this.#part(character === "." ? 2 : this.#literalSize, 1);
    }
  }
  /** Takes the last part out of the skeleton, if it is valid. What follows must not go on an escape before it: of `\1\.1` not `\11` is left. */
  #leaveOut() {
    if (this.#valid !== void 0) {
      this.#skeleton.length = this.#valid;
      if (goesOn.test(this.#skeleton.at(-1) ?? "")) this.#skeleton.push("(?:)");
    }
    this.#valid = void 0;
  }
  #alternative() {
    if (this.#skeleton.at(-1) === "|") {
      this.#add(1, 1);
      this.#at++;
    } else this.#part(1, 1);
  }
  /** A letter has an instruction for each case, and some have a third letter, as one range with another. */
  get #literalSize() {
    return this.#fold ? 2 : 1;
  }
  /** Takes so many characters as they are. */
  #copy(length) {
    if (length > 0) this.#skeleton.push(this.text.slice(this.#at, this.#at + length));
    this.#at += length;
  }
  /** A part of so many instructions. */
  #part(size, length) {
    this.#add(size, 1);
    this.#copy(length);
  }
  #add(size, repeats) {
    const group = this.#group;
    group.size += size;
    group.last = size;
    group.lastRepeats = repeats;
    group.repeats = Math.max(group.repeats, repeats);
  }
  /** Matches at the place where the scan is. */
  #match(pattern) {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.text) ?? void 0;
  }
  #open() {
    const flagged = this.#match(flags);
    if (!flagged) {
      const name3 = this.#match(groupName)?.[0];
      if (name3 === void 0 && this.text.startsWith("(?", this.#at)) {
        this.#copy(this.text.length);
        return;
      }
      this.#groups.push(newGroup(true, this.#fold, name3 === void 0 ? this.#skeleton.length : void 0));
      this.#copy(name3?.length ?? 1);
      return;
    }
    const [whole2, on = "", off = "", end] = flagged;
    const fold = !off.includes("i") && (this.#fold || on.includes("i"));
    if (end === ":") this.#groups.push(newGroup(false, this.#fold, this.#skeleton.length));
    this.#fold = fold;
    this.#skeleton.push(whole2.replaceAll("i", "s"));
    this.#at += whole2.length;
  }
  #close() {
    if (this.#groups.length > 1) {
      const { size, repeats, captures, foldAfter, start } = this.#groups.pop();
      this.#fold = foldAfter;
      const inner = this.#skeleton.slice((start ?? 0) + 1);
      if (start !== void 0 && (inner.length === 0 || inner.length === 1 && inner[0] === "|"))
        this.#valid = start;
      this.#add(Math.max(1, size) + (captures ? 2 : 0), repeats);
    }
    this.#copy(1);
  }
  /** A `?` after another operator makes that one lazy. */
  #operator(operator) {
    if (this.#repeated === "once" && operator === "?") this.#repeated = "lazily";
    else {
      this.#grow(operator === "+" ? 2 : 1);
      this.#repeat();
    }
    this.#copy(1);
  }
  /** An operator after another one is not valid. */
  #repeat() {
    if (this.#repeated !== "no") this.#valid = void 0;
    this.#repeated = "once";
  }
  #grow(more) {
    const group = this.#group;
    group.size += more;
    group.last += more;
  }
  #counted() {
    const found = this.#match(repetition);
    if (!found) {
      this.#repeated = "no";
      this.#valid = void 0;
      this.#part(this.#literalSize, 1);
      return;
    }
    const [whole2, least = "", comma2, most2] = found;
    const from = Number(least);
    const to = most2 === void 0 ? from : Number(most2);
    if (from > maxRepeat || to > maxRepeat || to < from) {
      this.#valid = void 0;
      this.#copy(whole2.length);
      return;
    }
    const group = this.#group;
    const { last } = group;
    const repeats = group.lastRepeats * Math.max(1, to);
    if (repeats > maxRepeat) throw new RegexError(`it repeats a part more than ${maxRepeat} times`);
    group.lastRepeats = repeats;
    group.repeats = Math.max(group.repeats, repeats);
    const open = comma2 !== void 0 && most2 === void 0 ? 1 : 0;
    this.#grow(Math.max(0, last * (Math.max(from, to, 1) - 1) + (to - from) + open));
    this.#repeat();
    const short = (count2) => String(Math.min(2, Number(count2)));
    this.#skeleton.push(`{${short(least)}${comma2 ?? ""}${most2 === void 0 ? "" : short(most2)}}`);
    this.#at += whole2.length;
  }
  #escape() {
    if (this.text.startsWith("\\Q", this.#at)) {
      this.#quoted();
      return;
    }
    const start = this.#skeleton.length;
    const { size, isValid } = this.#escaped();
    this.#add(size, 1);
    if (isValid) this.#valid = start;
  }
  /** Takes an escape sequence; its size is its instructions, of which a class has one for each range. */
  #escaped() {
    const found = this.#match(escaped);
    const [whole2 = "\\", braced, letter, hex2, octal, single] = found ?? [];
    const unicode = braced ?? letter;
    if (single === "C") throw new RegexError("\\C is not supported");
    if (octal !== void 0 && Number.parseInt(octal, 8) > 255)
      throw new RegexError(`\\${octal} is more than a byte`);
    if (hex2 !== void 0 && Number.parseInt(hex2, 16) > 255)
      throw new RegexError(`\\x{${hex2}} is more than a byte: write the character itself`);
    if (unicode === void 0) {
      this.#copy(whole2.length);
      const size = perlSizes[single ?? ""];
      return {
        size: size ?? this.#literalSize,
        isValid: size !== void 0 || isPunctuation.test(single ?? "")
      };
    }
    if (!unicodeClass.test(unicode))
      throw new RegexError(`\\p{${unicode.slice(0, 40)}} is no Unicode class that is supported`);
    if (this.#fold)
      throw new RegexError(
        `\\p{${unicode}} where case is ignored takes Envoy too long: put it outside of (?i)`
      );
    this.#skeleton.push("\\d");
    this.#at += whole2.length;
    return { size: unicodeClassSize, isValid: true };
  }
  /** `\Q…\E`: all between is literal. */
  #quoted() {
    const end = this.text.indexOf("\\E", this.#at + 2);
    const stop = end < 0 ? this.text.length : end;
    const length = stop - this.#at - 2;
    this.#add(Math.max(1, this.#literalSize * length), 1);
    this.#group.last = this.#literalSize;
    this.#copy(Math.min(this.text.length, stop + 2) - this.#at);
  }
  #class() {
    let ranges = 0;
    let unicode = 0;
    let ends = false;
    let begins = false;
    const [from, first] = [this.#at, this.#skeleton.length];
    this.#copy(1);
    if (this.text[this.#at] === "^") {
      ranges++;
      this.#copy(1);
    }
    const start = this.#at;
    while (this.#at < this.text.length && (this.text[this.#at] !== "]" || this.#at === start)) {
      const character = this.text[this.#at];
      const isDash = begins && character === "-" && this.text[this.#at + 1] !== "]";
      if (isDash) this.#copy(1);
      else {
        const size = this.#classItemSize();
        if (size >= unicodeClassSize) unicode += size;
        else ranges += ends ? size - 1 : size;
      }
      begins = !isDash && !ends && character !== "\\" && character !== "[";
      ends = isDash;
    }
    this.#part(Math.max(1, Math.min(maxRanges, ranges)) + unicode, 1);
    const written = this.text.slice(from, this.#at);
    if (this.#validClasses.has(written)) this.#valid = first;
    else this.#validClasses.add(written);
  }
  /** Takes a character, an escape sequence or a named class; returns its ranges. */
  #classItemSize() {
    const posix = this.#match(posixClass);
    if (posix) {
      this.#copy(posix[0].length);
      return posixRanges;
    }
    if (this.text[this.#at] === "\\") return this.#escaped().size;
    this.#copy(1);
    return this.#literalSize;
  }
};
var surelyValid = /^[A-Za-z0-9 !"#%&',/:;<=>@_`~.\x80-\xff-]$/;
var isPunctuation = /^[!-/:-@[-`{-~]$/;
var posixRanges = 5;
var perlSizes = { d: 1, D: 2, s: 3, S: 4, w: 4, W: 5 };
var newGroup = (captures, foldAfter, start) => ({
  start,
  size: 0,
  last: 1,
  lastRepeats: 1,
  repeats: 1,
  captures,
  foldAfter
});

// src/graph/regex.ts
var maxLength2 = 4096;
var entryBytes = 200;
var scanned = new LruCache(4e6, (expression) => 2 * expression.length + entryBytes);
var compiled = new LruCache(1e6, (skeleton) => 2 * skeleton.length + entryBytes);
function regexProblem(expression, maxProgramSize) {
  if (expression.length > maxLength2) return `longer than ${maxLength2} characters`;
  const checked2 = check(expression);
  if (checked2.size > maxProgramSize)
    return `its program has ${checked2.size} instructions, and may have ${maxProgramSize} (setting budgets.regexProgramSize): let it repeat less`;
  return checked2.problem ?? syntaxProblem(checked2.skeleton, expression);
}
var regexProgramSize = (expression) => expression.length > maxLength2 ? 0 : check(expression).size;
function check(expression) {
  const known5 = scanned.get(expression);
  if (known5) return known5;
  const program = scanRegex(expression);
  const checked2 = typeof program === "string" ? { size: 0, skeleton: "", problem: program } : { ...program };
  scanned.set(expression, checked2);
  return checked2;
}
function syntaxProblem(skeleton, expression) {
  const message = compiled.get(skeleton) ?? compile(skeleton);
  compiled.set(skeleton, message);
  if (message === "") return void 0;
  const quoted = /: `(.*)`$/s.exec(message);
  if (!quoted) return message;
  const what = message.slice(0, quoted.index);
  if (quoted[1] === skeleton) return `${what}: \`${expression}\``;
  return expression.includes(quoted[1] ?? "") ? message : what;
}
function compile(skeleton) {
  try {
    RE2JS.compile(skeleton);
    return "";
  } catch (error) {
    return messageOf(error);
  }
}

// src/graph/gateway/matches.ts
function readHttpMatch(context, match, path3) {
  const found = readPath(context, match.path, `${path3}.path`);
  const headers3 = readValues(context, match.headers, `${path3}.headers`);
  const queries = readValues(context, match.queryParams, `${path3}.queryParams`, false);
  if (!found || !headers3 || !queries) return void 0;
  if (match.method) headers3.push({ name: ":method", kind: "exact", value: match.method });
  return matchOf(found, headers3, queries);
}
var matchOf = (path3, headers3, queries) => ({
  path: path3,
  headers: headers3.map(headerMatch).sort(compareHeaders),
  queries: queries.map((value) => ({ ...value, ignoreCase: false })).sort(compareQueries)
});
var headerMatch = (value) => ({
  ...value,
  invert: false,
  ignoreCase: false,
  treatMissingAsEmpty: false
});
function readPath({ fail, reader }, { type: type4, value }, at) {
  const refuse2 = (message) => fail("Accepted", "UnsupportedValue", message, `${at}.value`);
  if (type4 === "RegularExpression") {
    const wrong = regexProblem(value, reader.settings.budgets.regexProgramSize);
    return wrong ? refuse2(`path ${JSON.stringify(value)} is not RE2: ${wrong}`) : { kind: "regex", value };
  }
  if (!isPath(value) || value.includes("//"))
    return refuse2(
      `path ${JSON.stringify(value)} must start with / and hold no //, query, space or control character`
    );
  if (type4 === "Exact") return { kind: "exact", value };
  const trimmed = trimSlashes(value);
  return trimmed === "" ? { kind: "prefix", value: "/" } : { kind: "segment", value: trimmed };
}
function readValues({ fail, reader }, matches, path3, ignoresCase = true) {
  const found = /* @__PURE__ */ new Map();
  for (const [i, { type: type4, name: name3, value }] of matches.entries()) {
    const key = ignoresCase ? name3.toLowerCase() : name3;
    const wrong = type4 === "RegularExpression" ? regexProblem(value, reader.settings.budgets.regexProgramSize) : void 0;
    if (wrong) {
      const message = `${JSON.stringify(value)} is not RE2: ${wrong}`;
      return fail("Accepted", "UnsupportedValue", message, `${path3}[${i}].value`);
    }
    if (!found.has(key)) found.set(key, { name: key, kind: type4 === "Exact" ? "exact" : "regex", value });
  }
  return [...found.values()];
}
function readGrpcMatch(context, match, path3) {
  const found = readMethod(context, match.method, `${path3}.method`);
  const headers3 = readValues(context, match.headers, `${path3}.headers`);
  return found && headers3 && matchOf(found, headers3, []);
}
function readMethod({ fail, reader }, match, at) {
  const { type: type4 = "Exact", service: service3 = "", method = "" } = match ?? {};
  if (match === void 0) return { kind: "prefix", value: "/" };
  const refuse2 = (message) => fail("Accepted", "UnsupportedValue", message, at);
  if (service3 === "" && method === "") return refuse2("a service or a method must be given");
  const isName = /^[\w.]+$/;
  if (type4 === "Exact") {
    if (![service3, method].every((name3) => name3 === "" || isName.test(name3)))
      return refuse2("a service and a method are names of letters, digits, _ and .");
    if (method === "") return { kind: "segment", value: `/${service3}` };
    if (service3 !== "") return { kind: "exact", value: `/${service3}/${method}` };
    return { kind: "regex", value: `/[^/]+/${method.replaceAll(".", "\\.")}` };
  }
  const value = `/${service3 ? `(?:${service3})` : "[^/]+"}/${method ? `(?:${method})` : "[^/]+"}`;
  const { regexProgramSize: regexProgramSize2 } = reader.settings.budgets;
  const wrong = [service3, method, value].map((expression) => regexProblem(expression, regexProgramSize2)).find((problem2) => problem2);
  return wrong ? refuse2(`${JSON.stringify(value)} is not RE2: ${wrong}`) : { kind: "regex", value };
}
var matchKey = ({ path: path3, headers: headers3, queries }) => JSON.stringify([path3, headers3, queries]);

// src/graph/gateway/http-route.ts
function readHttpRules(route2, context) {
  return route2.spec.rules.map((rule, i) => {
    const path3 = `spec.rules[${i}]`;
    const timeout4 = readTimeouts(context, rule.timeouts, `${path3}.timeouts`);
    const matches = rule.matches.flatMap(
      (match, j) => readHttpMatch(context, match, `${path3}.matches[${j}]`) ?? []
    );
    return timeout4 ? readRule(context, { ...rule, matches, timeout: timeout4 }, i, { withTls: true }) : [];
  });
}
function readGrpcRules(route2, context, usualProtocol) {
  return route2.spec.rules.map((rule, i) => {
    const path3 = `spec.rules[${i}]`;
    const asked2 = rule.matches.length > 0 ? rule.matches : [{ headers: [] }];
    const matches = asked2.flatMap((match, j) => readGrpcMatch(context, match, `${path3}.matches[${j}]`) ?? []);
    const timeout4 = noTimeout;
    return readRule(context, { ...rule, matches, timeout: timeout4 }, i, { usualProtocol, withTls: true });
  });
}
var noTimeout = { response: 0 };
function readRule(context, rule, index, options2) {
  const field = `spec.rules[${index}]`;
  const filters2 = readFilters(context, rule.filters, field, options2);
  const common = {
    insecure: "serve",
    spansLabels: true,
    from: context.route.ref,
    field
  };
  const refused = (match) => ({
    ...common,
    match,
    action: { kind: "respond", status: 500 },
    policies: {}
  });
  if (!filters2) return rule.matches.map(refused);
  const { requestHeaders } = filters2.policies;
  const action = filters2.redirect ? void 0 : readBackends(context, rule.backendRefs, field, options2, requestHeaders);
  if (!action && !filters2.redirect) return [];
  warnOfPaths(context, rule.matches, field);
  return rule.matches.map((match) => {
    const redirect = filters2.redirect?.(match.path);
    if (redirect) return { ...common, match, action: redirect, policies: {} };
    if (action?.kind !== "forward") return refused(match);
    const mirrors = filters2.mirrors.length > 0 ? { mirrors: filters2.mirrors } : {};
    return {
      ...common,
      match,
      action: { ...action, ...mirrors },
      policies: policiesOf(filters2, rule, match)
    };
  });
}
function policiesOf(filters2, { timeout: timeout4 }, match) {
  const pathRewrite = filters2.rewrite(match.path);
  return {
    ...filters2.policies,
    ...timeout4.response === void 0 ? {} : { timeout: timeout4 },
    ...pathRewrite ? { pathRewrite } : {}
  };
}
function warnOfPaths({ warn, reader }, matches, field) {
  for (const { path: path3 } of matches) {
    const unreachable = unreachablePath(path3, reader.settings);
    if (unreachable) warn("PathNeverMatches", unreachable, `${field}.matches`);
  }
}
function readTimeouts({ fail }, timeouts, path3) {
  const request = readDuration(timeouts?.request);
  const backend2 = readDuration(timeouts?.backendRequest);
  if (request && backend2 !== void 0 && backend2 > request) {
    const message = "backendRequest must be no longer than request";
    return fail("Accepted", "UnsupportedValue", message, `${path3}.backendRequest`);
  }
  const response = backend2 || (request ?? backend2);
  return response === void 0 ? {} : { response };
}
function readDuration(text4) {
  if (text4 === void 0) return void 0;
  const parsed = parseTimeout(text4);
  return "ms" in parsed ? parsed.ms : 0;
}

// src/graph/gateway/problems.ts
var routeContext = (route2, reader, report) => ({
  route: route2,
  reader,
  warn: (reason, message, path3) => report?.warn(route2.ref, `${route2.kind}Warning`, reason, message, path3),
  fail: (condition2, reason, message, path3) => report?.error(route2.ref, condition2, reason, message, path3)
});

// src/graph/gateway/judge.ts
function judgeRoute(ref, reader, report) {
  const view = readGateway(reader);
  const [kind = "", namespace = "", name3 = ""] = ref.split("/");
  const route2 = view && reader.get(kind, namespace, name3);
  if (!view || !route2 || isLeftOut(route2.kind, reader.settings)) return;
  const context = routeContext(route2, withoutNeeds(reader), report);
  const parents = parentsOf(route2, view, reader);
  if (parents.length === 0) return;
  for (const { index, problem: problem2 } of parents)
    if (problem2) context.fail("Accepted", problem2.reason, problem2.message, `spec.parentRefs[${index}]`);
  judgeRules(route2, context);
}
function judgeRules(route2, context) {
  if (route2.kind === "HTTPRoute") readHttpRules(route2, context);
  else if (route2.kind === "GRPCRoute") readGrpcRules(route2, context, "h2c");
  else
    for (const [i, rule] of route2.spec.rules.entries())
      readTcpBackends(context, rule.backendRefs, `spec.rules[${i}]`);
  if (route2.spec.rules.length === 1) return;
  if (route2.kind === "TCPRoute")
    context.fail("Accepted", "InvalidRouteRules", "a TCPRoute must have a single rule", "spec.rules");
  else if (route2.kind === "TLSRoute")
    context.warn("OneRule", "only the first rule of a TLSRoute counts", "spec.rules[1]");
}
var withoutNeeds = (reader) => ({
  settings: reader.settings,
  get: (kind, namespace, name3) => reader.get(kind, namespace, name3),
  claimants: (key) => reader.claimants(key),
  need: () => void 0,
  overrun: (ref) => reader.overrun(ref),
  checkKeyPair: (certificate2, key) => reader.checkKeyPair(certificate2, key)
});
function judgeGateway(reader, report) {
  const { gatewayRef } = reader.settings;
  const view = readGateway(reader);
  const gateway = gatewayRef && reader.get("Gateway", gatewayRef.namespace, gatewayRef.name);
  if (gateway && !view) {
    const message = `GatewayClass ${gateway.spec.gatewayClassName} is not there: the Gateway is not served`;
    report.error(gateway.ref, "Accepted", "InvalidParameters", message, "spec.gatewayClassName");
  }
  if (!view) return void 0;
  for (const [i, { problems }] of view.listeners.entries())
    for (const { type: type4, reason, message } of problems)
      report.error(view.gateway.ref, type4, reason, message, `spec.listeners[${i}]`);
  warnOfCertificates(view, reader, report);
  return view;
}
function warnOfCertificates({ gateway, listeners }, reader, report) {
  for (const [i, { secret: text4, hostname: hostname2 }] of listeners.entries()) {
    if (text4 === void 0) continue;
    const secret = secretName(text4, "");
    const { pair } = readKeyPair(reader, secret);
    const use = { about: gateway.ref, path: `spec.listeners[${i}].tls`, secret };
    if (pair) warnOfCertificate(pair, hostname2 === "" ? use : { ...use, host: hostname2 }, report);
  }
}
function frontsOf({ listeners }) {
  const fronts = /* @__PURE__ */ new Map();
  for (const { envoy, spec } of listeners) {
    const family = familyOf(spec);
    if (!envoy || !family) continue;
    const port2 = envoyPort(spec.port);
    fronts.set(envoy, { name: envoy, listener: `${family}-${port2}`, family, port: port2, websockets: true });
  }
  return [...fronts.values()];
}

// src/graph/gateway/tcp.ts
function readTcpListeners(reader) {
  const found = /* @__PURE__ */ new Map();
  const view = readGateway(reader);
  if (!view) return found;
  const routes = objectsOf("TCPRoute", reader.claimants("tcp:"), reader);
  for (const route2 of routes.sort(byAge)) {
    const listeners = parentsOf(route2, view, reader).flatMap(({ attached }) => attached).filter(({ listener: listener2 }) => listener2.spec.protocol === "TCP");
    for (const { listener: listener2 } of listeners) {
      if (!listener2.envoy || found.has(listener2.envoy)) continue;
      const backends = readTcpRule(route2, reader);
      if (backends) found.set(listener2.envoy, backends);
    }
  }
  return found;
}
function readTcpRule(route2, reader) {
  const [rule, more] = route2.spec.rules;
  if (!rule || more && route2.kind === "TCPRoute") return void 0;
  return readTcpBackends(routeContext(route2, reader), rule.backendRefs, "spec.rules[0]");
}

// src/graph/authorization.ts
var apiVersion = "projectcontour.io/v1alpha1";
var about2 = "Spec.Virtualhost.Authorization";
var problem = (reason, message, field) => ({
  problem: { reason, message, field }
});
function readAuthorization(fields, namespace, reader) {
  const ref = fields.extensionRef;
  const version4 = ref?.apiVersion || apiVersion;
  if (version4 !== apiVersion) {
    const message = `${about2}.extensionRef specifies an unsupported resource version "${version4}"`;
    return problem("AuthBadResourceVersion", message, ".extensionRef.apiVersion");
  }
  const target = { namespace: ref?.namespace || namespace, name: ref?.name ?? "" };
  const extension = readExtensionService(reader, target.namespace, target.name);
  if (!extension) {
    const message = `${about2}.ServiceRef extension service "${target.namespace}/${target.name}" not found`;
    return problem("ExtensionServiceNotFound", message, ".extensionRef");
  }
  return readFields(fields, target, extension);
}
function readGlobalAuthorization(reader) {
  const fields = reader.settings.globalExtAuth;
  if (!fields) return void 0;
  const target = globalTarget(fields);
  const extension = readExtensionService(reader, target.namespace, target.name);
  return { ...readFields(fields, target, extension), found: extension !== void 0 };
}
function globalTarget({ extensionService: extensionService2, extensionRef }) {
  const [namespace = "", name3 = ""] = (extensionService2 ?? "").split("/");
  return extensionService2 ? { namespace, name: name3 } : { namespace: extensionRef?.namespace ?? "", name: extensionRef?.name ?? "" };
}
function readFields(fields, target, extension) {
  const timeout4 = readTimeout(fields.responseTimeout);
  if (timeout4.error) {
    const message = `${about2}.ResponseTimeout is invalid: ${timeout4.error}`;
    return problem("AuthResponseTimeoutInvalid", message, ".responseTimeout");
  }
  const http = fields.serviceType === "http";
  if (http && Object.keys(fields.authPolicy?.context ?? {}).length > 0) {
    const message = `${about2}.AuthPolicy.Context are only applied to grpc service type`;
    return problem("AuthContextForHTTP", message, ".authPolicy.context");
  }
  const cluster = extensionCluster(target);
  const timeoutMs = timeout4.ms ?? extension?.responseMs;
  const body2 = fields.withRequestBody;
  return {
    authorization: {
      cluster,
      authority: extension?.cluster.sni || cluster.replaceAll("/", "."),
      ...http ? { http: readHttp(fields.httpSettings) } : {},
      ...timeoutMs === void 0 ? {} : { timeoutMs },
      failOpen: fields.failOpen ?? false,
      ...body2 ? {
        body: {
          maxBytes: body2.maxRequestBytes,
          allowPartial: body2.allowPartialMessage ?? false,
          asBytes: body2.packAsBytes ?? false
        }
      } : {}
    }
  };
}
var readHttp = (settings) => ({
  ...settings?.pathPrefix ? { pathPrefix: settings.pathPrefix } : {},
  requestHeaders: (settings?.allowedAuthorizationHeaders ?? []).map(readHeader),
  upstreamHeaders: (settings?.allowedUpstreamHeaders ?? []).map(readHeader)
});
function readHeader(fields) {
  const kind = ["exact", "prefix", "suffix", "contains"].find((one) => fields[one] !== void 0);
  return {
    kind: kind ?? "exact",
    value: fields[kind ?? "exact"] ?? "",
    ignoreCase: fields.ignoreCase ?? false
  };
}
function authorizationDefaults(host2, { globalExtAuth }) {
  const policy = host2 ? host2.authPolicy : globalExtAuth?.authPolicy;
  if (!host2 && !globalExtAuth) return void 0;
  return { disabled: policy?.disabled ?? false, context: policy?.context ?? {} };
}
function routeAuthorization(defaults2, policy) {
  if (!defaults2) return void 0;
  if (policy ? policy.disabled : defaults2.disabled) return { disabled: true };
  const context = { ...defaults2.context, ...policy?.context };
  return Object.keys(context).length > 0 ? { context } : void 0;
}

// src/graph/global-services.ts
function readGlobalServices(reader, report) {
  const authorization2 = readGlobalAuthorization(reader);
  const fields = reader.settings.globalExtAuth;
  if (authorization2 && "problem" in authorization2) {
    const { reason, message, field } = authorization2.problem;
    const refused = `${message}; all requests are refused`;
    report?.error(settingsRef, "AuthError", reason, refused, `globalExtAuth${field}`);
  } else if (authorization2 && !authorization2.found) {
    missing(
      report,
      "globalExtAuth",
      fields?.failOpen ? "all requests are let through" : "all requests are refused"
    );
  }
  const rateLimits2 = readRateLimitService(reader, report);
  const tracing = readTracing(reader, report);
  return {
    ...authorization2 ? { authorization: "authorization" in authorization2 ? authorization2.authorization : nobody2 } : {},
    ...rateLimits2 ? { rateLimits: rateLimits2 } : {},
    ...tracing ? { tracing } : {}
  };
}
var nobody2 = {
  cluster: extensionCluster({ namespace: "", name: "" }),
  authority: "nobody",
  failOpen: false
};
function missing(report, setting, effect) {
  const message = `the ExtensionService of ${setting} is not found or not valid: ${effect}`;
  report?.error(settingsRef, "SpecError", "ExtensionServiceNotFound", message, `${setting}.extensionService`);
}
function readService(reader, text4) {
  const [namespace = "", name3 = ""] = (text4 ?? "").split("/");
  const cluster = extensionCluster({ namespace, name: name3 });
  const extension = readExtensionService(reader, namespace, name3);
  const service3 = {
    cluster,
    authority: extension?.cluster.sni || cluster.replaceAll("/", "."),
    ...extension?.responseMs === void 0 ? {} : { timeoutMs: extension.responseMs }
  };
  return { service: service3, found: extension !== void 0 };
}
function readRateLimitService(reader, report) {
  const fields = reader.settings.rateLimitService;
  if (!fields) return void 0;
  const { service: service3, found } = readService(reader, fields.extensionService);
  if (!found) {
    const effect = fields.failOpen ? "nothing is limited" : "requests with a global rate limit are refused";
    missing(report, "rateLimitService", effect);
  }
  return {
    ...service3,
    domain: fields.domain || "contour",
    failOpen: fields.failOpen,
    limitHeaders: fields.enableXRateLimitHeaders,
    resourceExhausted: fields.enableResourceExhaustedCode
  };
}
var podTags = [
  { tag: "podName", kind: "environment", value: "HOSTNAME" },
  { tag: "podNamespace", kind: "environment", value: "CONTOUR_NAMESPACE" }
];
function readTracing(reader, report) {
  const fields = reader.settings.tracing;
  if (!fields) return void 0;
  const { service: service3, found } = readService(reader, fields.extensionService);
  if (!found) {
    missing(report, "tracing", "nothing is traced");
    return void 0;
  }
  const tags2 = fields.customTags.flatMap(({ tagName, literal, requestHeaderName }) => {
    if (literal) return [{ tag: tagName, kind: "literal", value: literal }];
    return requestHeaderName ? [{ tag: tagName, kind: "request-header", value: requestHeaderName }] : [];
  });
  return {
    ...service3,
    serviceName: fields.serviceName,
    overall: fields.overallSampling,
    client: fields.clientSampling,
    random: fields.randomSampling,
    maxPathTagLength: fields.maxPathTagLength,
    tags: [...fields.includePodDetail ? podTags : [], ...tags2]
  };
}

// src/graph/sharing.ts
function claimFinding(ref) {
  const kind = kindOf(ref);
  return kind === "HTTPProxy" ? "VirtualHostError" : `${kind}Error`;
}
var maxNamed = 3;
var Sharing = class {
  constructor(host2, report) {
    this.host = host2;
    this.report = report;
  }
  /** Objects with routes beside those of an owner in another namespace. */
  #guests = /* @__PURE__ */ new Map();
  #refused = /* @__PURE__ */ new Map();
  /** Objects with a match that a route of the first has too. */
  #taken = /* @__PURE__ */ new Map();
  #told = /* @__PURE__ */ new Set();
  share(owner, site) {
    for (const guest of claimantsOf(site))
      if (namespaceOf(guest) !== namespaceOf(owner)) note(this.#guests, owner, guest);
  }
  /** What a site has is not served, as connections are taken on other terms. */
  refuse(terms, site) {
    for (const claimant of claimantsOf(site)) this.#refused.set(claimant, terms);
  }
  sameMatch(later, first) {
    if (later.from === first.from && later.field === first.field) return;
    const key = `${later.from} ${later.field}`;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    const own = later.from === first.from;
    const who = own ? first.field : first.from;
    const message = `${this.#named}: ${who} has the same match and comes first`;
    this.report.warn(later.from, claimFinding(later.from), "SameMatch", message, later.field);
    if (!own) note(this.#taken, first.from, later.from);
  }
  tell() {
    for (const [owner, guests] of this.#guests) {
      const belongs = ` belongs to ${owner}, an object of another namespace`;
      for (const guest of guests) this.#warn(guest, "HostOfAnotherNamespace", belongs);
      this.#warn(owner, "HostShared", ` also has routes of other namespaces: ${listOf3(guests)}`);
    }
    for (const [first, others] of this.#taken)
      this.#warn(
        first,
        "SameMatch",
        `: routes of this object come before the same matches of ${listOf3(others)}`
      );
    for (const [claimant, { kind, owner }] of this.#refused) {
      const over = kind === "http" ? "plain HTTP" : "TLS";
      const message = `${this.#named}: ${owner} says how connections over ${over} are taken; this object is not served there`;
      this.report.error(claimant, claimFinding(claimant), "HostOfAnotherObject", message);
    }
  }
  get #named() {
    return `host ${JSON.stringify(this.host)}`;
  }
  #warn(about4, reason, message) {
    this.report.warn(about4, claimFinding(about4), reason, `${this.#named}${message}`);
  }
};
function note(found, key, value) {
  const values = found.get(key);
  if (values) values.add(value);
  else found.set(key, /* @__PURE__ */ new Set([value]));
}
var listOf3 = (refs) => listSome([...refs], maxNamed);
function listSome(names4, most2) {
  const named3 = [...names4].sort().slice(0, most2).join(", ");
  return names4.length > most2 ? `${named3} and ${names4.length - most2} more` : named3;
}
function claimantsOf({ terms, routes }) {
  const isRoot = ["HTTPProxy", "IngressRoute"].includes(kindOf(terms.owner));
  if (terms.kind === "tcp" || isRoot && routes.length > 0) return /* @__PURE__ */ new Set([terms.owner]);
  return new Set(routes.map(({ from }) => from));
}

// src/graph/closed-listeners.ts
function closedListeners({ host: host2, sites, isKeeper }, sitesOf, reader) {
  const closed = /* @__PURE__ */ new Map();
  const decided = new Set([...sites].flatMap(([listener2, site]) => isServing(site) ? listener2 : []));
  for (const wider of widerThan(host2)) {
    if (!mayHaveOthers(wider, isKeeper, reader)) continue;
    for (const [listener2, site] of sitesOf(wider)) {
      if (decided.has(listener2) || !isServing(site)) continue;
      decided.add(listener2);
      if ([...claimantsOf(site)].every((ref) => isKeeper(namespaceOf(ref)))) continue;
      closed.set(listener2, site.terms.kind === "tcp" ? "tcp" : "http");
    }
  }
  return closed;
}
var isServing = ({ terms, routes }) => terms.kind === "tcp" || routes.length > 0;
var claimKinds = ["HTTPProxy", "IngressRoute", "Ingress", ...routeKinds];
function mayHaveOthers(host2, isKeeper, reader) {
  const isOther = (ref) => claimKinds.includes(kindOf(ref)) && !isKeeper(namespaceOf(ref));
  if (reader.claimants(`vhost:${host2}`).some(isOther)) return true;
  if (!reader.settings.gatewayRef) return false;
  const keys2 = [...[host2, ...widerThan(host2)].map((one) => `routes:${one}`), "tcp:"];
  return keys2.some((key) => reader.claimants(key).some(isOther));
}

// src/graph/escaped-slashes.ts
function warnOfEscapedSlashes(lists2, reader, report) {
  if (reader.settings.escapedSlashes !== "keep" || !lists2.some((routes) => routes.some(isProtected))) return;
  const forwarding = lists2.flat().filter(({ action }) => action.kind === "forward").map(protectedBy);
  const isDecided = decidedByPath(forwarding);
  const found = /* @__PURE__ */ new Map();
  for (const one of forwarding)
    if (isDecided(one)) found.set(one.from, (found.get(one.from) ?? /* @__PURE__ */ new Set()).add(one.field));
  for (const [about4, fields] of found) {
    const [first = "", ...more] = [...fields].sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
    const others = more.length > 0 ? ` (and ${more.length} more)` : "";
    const message = `the path decides what protects this route${others}: %2f in a path stays as it is, so that a backend that decodes it sees another path; set escapedSlashes to reject or unescape`;
    const isProxy = kindOf(about4) === "HTTPProxy";
    const type4 = isProxy ? "RouteError" : claimFinding(about4);
    report.warn(about4, type4, "EscapedSlashes", message, isProxy ? `${first}.conditions` : first);
  }
}
function decidedByPath(routes) {
  const pairs2 = new Map(routes.map((route2) => [JSON.stringify([route2.protection, route2.path]), route2]));
  const ofProtection = /* @__PURE__ */ new Map();
  const ofPath = /* @__PURE__ */ new Map();
  for (const { protection, path: path3 } of pairs2.values()) {
    ofProtection.set(protection, (ofProtection.get(protection) ?? 0) + 1);
    ofPath.set(path3, (ofPath.get(path3) ?? 0) + 1);
  }
  const isRestProtected = routes.some(({ protection, path: path3 }) => path3 === everything && protection !== none2);
  return ({ protection, path: path3 }) => {
    if (path3 === everything) return false;
    if (protection === none2) return isRestProtected;
    const alike2 = (ofProtection.get(protection) ?? 0) + (ofPath.get(path3) ?? 0) - 1;
    return pairs2.size > alike2;
  };
}
function protectionOf({ policies: policies2 }) {
  const { localRateLimit: localRateLimit2, ignoreHostRateLimits, rateLimits: rateLimits2, ipFilter, authorization: authorization2, jwtProvider: jwtProvider2 } = policies2;
  const unasked = authorization2 !== void 0 && "disabled" in authorization2 || void 0;
  return { localRateLimit: localRateLimit2, ignoreHostRateLimits, rateLimits: rateLimits2, ipFilter, unasked, jwtProvider: jwtProvider2 };
}
var isProtected = (route2) => Object.values(protectionOf(route2)).some((value) => value !== void 0);
function protectedBy(route2) {
  const { match, from, field } = route2;
  const { kind, value } = match.path;
  const path3 = kind === "prefix" && value === "/" ? everything : `${kind} ${value}`;
  return { protection: JSON.stringify(protectionOf(route2)), path: path3, from, field };
}
var everything = "";
var none2 = "{}";

// src/graph/append.ts
function append(list2, more) {
  for (const item of more) list2.push(item);
}

// src/graph/gateway/host.ts
function attachedRoutes(host2, view, reader) {
  return new Map(
    routesOf(host2, view, reader).map((route2) => [route2, attachedTo(host2, parentsOf(route2, view, reader, host2))]).filter(([, places2]) => places2.size > 0)
  );
}
function readGatewaySites(host2, attached, reader, report) {
  const closest = /* @__PURE__ */ new Map();
  for (const places2 of attached.values())
    for (const [envoy, [first]] of places2)
      if (first && first.hostname.length > (closest.get(envoy)?.hostname.length ?? -1))
        closest.set(envoy, first);
  const sites = /* @__PURE__ */ new Map();
  for (const [envoy, listener2] of closest) {
    const routes = [...attached].flatMap(
      ([route2, places2]) => places2.get(envoy)?.includes(listener2) ? route2 : []
    );
    const site = listener2.spec.protocol === "TLS" ? readTcpSite(listener2, routes, reader) : readHttpSite(host2, listener2, routes, reader, report);
    if (site) sites.set(envoy, site);
  }
  return sites;
}
var tlsOf = (secret, { settings: { tls: tls2 } }) => ({
  secret,
  minimum: tls2.minimumProtocolVersion,
  maximum: tls2.maximumProtocolVersion
});
function readTcpSite({ secret }, routes, reader) {
  for (const route2 of routes) {
    const backends = readTcpRule(route2, reader);
    if (!backends) continue;
    const tls2 = secret === void 0 ? {} : { tls: tlsOf(secret, reader) };
    return { terms: { kind: "tcp", owner: route2.ref, ...tls2, backends }, routes: [] };
  }
  return void 0;
}
function readHttpSite(host2, { secret }, objects, reader, report) {
  const rules2 = new Rules(host2, report);
  for (const route2 of objects) {
    const context = routeContext(route2, reader);
    if (route2.kind === "HTTPRoute") rules2.add(readHttpRules(route2, context));
    else if (route2.kind === "GRPCRoute")
      rules2.add(readGrpcRules(route2, context, secret === void 0 ? "h2c" : "h2"));
  }
  const routes = rules2.routes();
  const owner = objects.find(({ ref }) => routes.some(({ from }) => from === ref))?.ref;
  if (owner === void 0) return void 0;
  const common = { owner, policies: {} };
  return secret === void 0 ? { terms: { kind: "http", ...common }, routes } : { terms: { kind: "https", ...common, tls: tlsOf(secret, reader), jwtProviders: [] }, routes };
}
function missingListeners({ listeners }) {
  const serving = listeners.filter(({ envoy }) => envoy !== void 0);
  const missing2 = /* @__PURE__ */ new Set();
  if (!serving.some(({ spec }) => spec.protocol === "HTTP")) missing2.add("HTTP");
  if (!serving.some(({ spec }) => spec.protocol !== "HTTP" && spec.protocol !== "TCP")) missing2.add("HTTPS");
  return missing2;
}
function routesOf(host2, { listeners }, reader) {
  const keys2 = [host2];
  const own = listeners.filter(({ hostname: hostname2 }) => (hostname2 || "*") === host2);
  if (own.length > 0) keys2.push(...widerThan(host2));
  const refs = keys2.flatMap((key) => reader.claimants(`routes:${key}`));
  if (own.some(({ spec }) => spec.protocol === "TLS")) append(refs, reader.claimants("tcp:"));
  return routeKinds.flatMap((kind) => {
    const routes = objectsOf(kind, [...new Set(refs)], reader);
    return [...routes].sort(byAge);
  });
}
function attachedTo(host2, parents) {
  const found = /* @__PURE__ */ new Map();
  for (const { listener: listener2, hosts } of parents.flatMap(({ attached }) => attached)) {
    if (!listener2.envoy || listener2.spec.protocol === "TCP" || !hosts.includes(host2)) continue;
    const listeners = found.get(listener2.envoy) ?? [];
    listeners.push(listener2);
    found.set(listener2.envoy, listeners);
  }
  for (const listeners of found.values()) listeners.sort((a, b) => b.hostname.length - a.hostname.length);
  return found;
}
var Rules = class {
  constructor(host2, report) {
    this.host = host2;
    this.report = report;
  }
  #byMatch = /* @__PURE__ */ new Map();
  /** Rules that were read so far: among matches that are alike close, those of the oldest route come first, then in their order. */
  #read = 0;
  /** As in Contour, a rule with a match that a route of its kind has already is left out. */
  add(rules2) {
    for (const rule of rules2) {
      const priority = this.#read++;
      const keyed = rule.map((route2) => [`${kindOf(route2.from)} ${matchKey(route2.match)}`, route2]);
      const taken = keyed.find(([key]) => this.#byMatch.has(key));
      if (taken) this.#tellTaken(...taken);
      else for (const [key, route2] of keyed) this.#byMatch.set(key, { ...route2, priority });
    }
  }
  #tellTaken(key, { from, field }) {
    const other = this.#byMatch.get(key);
    const where = other?.from === from ? other.field : other?.from;
    const message = `host ${this.host}: ${where} has a match of this rule already; the rule is left out`;
    this.report.warn(from, "PartiallyInvalid", "RuleMatchPartiallyConflict", message, field);
  }
  routes() {
    return [...this.#byMatch.values()];
  }
};

// src/graph/class.ts
var annotations = [
  "projectcontour.io/ingress.class",
  "kubernetes.io/ingress.class",
  "contour.heptio.com/ingress.class"
];
function namedClass({ meta }, specClass) {
  const annotation4 = annotations.map((name3) => meta.annotations[name3]).find((value) => value !== void 0);
  return annotation4 || specClass || "";
}
function isAllowedClass(object, specClass, settings) {
  const asked2 = namedClass(object, specClass);
  const configured = settings.ingressClassNames;
  if (configured.length > 0) return configured.includes(asked2);
  return asked2 === "" || asked2 === "contour" || asked2 === "isoline";
}
var isRootNamespace = (namespace, settings) => settings.rootNamespaces.length === 0 || settings.rootNamespaces.includes(namespace);

// src/graph/jwt.ts
var base = "spec.virtualhost.jwtProviders";
var about3 = "Spec.VirtualHost.JWTProviders";
function readJwtProviders(proxy, reader, report) {
  const host2 = proxy.spec.virtualhost;
  const fields = host2?.jwtProviders ?? [];
  const fail = (reason, message, field = base) => {
    report.error(proxy.ref, "JWTVerificationError", reason, message, field);
    return void 0;
  };
  if (fields.length === 0) return { providers: [] };
  if (!host2?.tls?.secretName) {
    return fail(
      "JWTVerificationNotPermitted",
      `${about3} can only be defined for root HTTPProxies that terminate TLS`
    );
  }
  const providers = [];
  let good = true;
  for (const [i, one] of fields.entries()) {
    if (fields.findIndex(({ name: name3 }) => name3 === one.name) < i)
      return fail(
        "DuplicateProviderName",
        `${about3} is invalid: duplicate name ${one.name}`,
        `${base}[${i}].name`
      );
    const provider = readProvider(proxy, one, `${base}[${i}]`, reader, fail);
    if (provider) providers.push(provider);
    else good = false;
  }
  if (!good) return void 0;
  const defaults2 = fields.filter((provider) => provider.default);
  if (defaults2.length > 1) {
    return fail(
      "MultipleDefaultProvidersSpecified",
      `${about3} is invalid: at most one provider can be set as the default`
    );
  }
  return { providers, ...defaults2[0] ? { default: defaults2[0].name } : {} };
}
function readProvider(proxy, fields, path3, reader, fail) {
  const keys2 = fields.localJWKS ? readLocalKeys(proxy, fields, path3, reader, fail) : fields.remoteJWKS && readRemoteKeys(proxy, fields.remoteJWKS, `${path3}.remoteJWKS`, reader, fail);
  return keys2 && {
    name: fields.name,
    ...fields.issuer ? { issuer: fields.issuer } : {},
    audiences: fields.audiences ?? [],
    forward: fields.forwardJWT ?? false,
    keys: keys2
  };
}
function readLocalKeys(proxy, { name: name3, localJWKS }, path3, reader, fail) {
  const secret = { namespace: proxy.meta.namespace, name: localJWKS?.secretName ?? "" };
  const { jwks, error } = readJwks(reader, secret, localJWKS?.key ?? "");
  if (jwks !== void 0) return { kind: "local", jwks };
  const message = `${about3}.LocalJWKS for provider "${name3}" is invalid: ${error}`;
  return fail("LocalJWKSInvalid", message, `${path3}.localJWKS`);
}
var label2 = "[A-Za-z0-9](?:-*[A-Za-z0-9])*";
var uriForm = new RegExp(
  `^([A-Za-z][A-Za-z0-9+.-]*)://(\\[[0-9A-Fa-f:.]+\\]|${label2}(?:\\.${label2})*)(?::(\\d+))?([/?][A-Za-z0-9._~:/?@!$&'()*+,;=%-]*)?$`
);
function readRemoteKeys(proxy, fields, path3, reader, fail) {
  const key = `${about3}.RemoteJWKS`;
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:/.test(fields.uri)) {
    const message = `${key}.URI has invalid scheme "", must be http or https`;
    return fail("RemoteJWKSSchemeInvalid", message, `${path3}.uri`);
  }
  const found = uriForm.exec(fields.uri);
  if (!found?.[1] || !found[2]) {
    const message = `${key}.URI is invalid: ${JSON.stringify(fields.uri)} is not scheme://host[:port]/path`;
    return fail("RemoteJWKSURIInvalid", message, `${path3}.uri`);
  }
  const scheme = found[1].toLowerCase();
  if (scheme !== "http" && scheme !== "https") {
    const message = `${key}.URI has invalid scheme "${scheme}", must be http or https`;
    return fail("RemoteJWKSSchemeInvalid", message, `${path3}.uri`);
  }
  const port2 = found[3] ? Number(found[3]) : scheme === "http" ? 80 : 443;
  if (port2 < 1 || port2 > 65535)
    return fail("RemoteJWKSPortInvalid", `${key}.URI has an invalid port: ${found[3]}`, `${path3}.uri`);
  if (fields.validation && scheme === "http") {
    return fail(
      "RemoteJWKSUpstreamValidationInvalid",
      `${key}.UpstreamValidation must not be specified when URI scheme is http.`,
      `${path3}.validation`
    );
  }
  const { namespace } = proxy.meta;
  const reached = readHost(found[2], { namespace, settings: reader.settings });
  if ("problem" in reached) {
    const message = `${key}.URI is invalid: its host ${quote(found[2])} ${reached.problem}`;
    return fail("RemoteJWKSURIInvalid", message, `${path3}.uri`);
  }
  const checked2 = fields.validation && readUpstreamValidation(reader, fields.validation, namespace);
  if (checked2?.problem === "not-delegated") {
    const message = `${key}.UpstreamValidation.CACertificate Secret "${checked2.secret}" is not configured for certificate delegation`;
    return fail("RemoteJWKSCACertificateNotDelegated", message, `${path3}.validation.caSecret`);
  }
  if (checked2?.problem) {
    const message = `${key}.UpstreamValidation is invalid: ${checked2.message}`;
    return fail("RemoteJWKSUpstreamValidationInvalid", message, `${path3}.validation`);
  }
  const timeout4 = milliseconds(fields.timeout);
  const cache = milliseconds(fields.cacheDuration);
  return {
    kind: "remote",
    uri: fields.uri,
    timeoutMs: timeout4 ?? 1e3,
    ...cache === void 0 ? {} : { cacheMs: cache },
    server: {
      scheme,
      host: reached.host,
      port: port2,
      family: fields.dnsLookupFamily ?? reader.settings.dnsLookupFamily,
      ...checked2?.validation ? { validation: checked2.validation } : {}
    }
  };
}
function milliseconds(text4) {
  const parsed = parseTimeout(text4 ?? "");
  return "kind" in parsed && parsed.kind === "ms" ? parsed.ms : void 0;
}

// src/graph/policy/cors.ts
var originForm = /^[a-z][a-z0-9+.-]*:\/\/(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._~!$&'()*+,;=<>"\u0080-\uffff-]+)(?::\d*)?$/;
function readCors(fields, maxProgramSize) {
  if (!fields) return {};
  const origins = [];
  for (const origin of fields.allowOrigin) {
    const exact = origin === "*" || originForm.test(origin);
    if (exact) origins.push({ kind: "exact", value: origin });
    else {
      const wrong = origin === "" ? "empty" : regexProblem(origin, maxProgramSize);
      if (wrong) {
        return {
          error: `invalid allowed origin ${JSON.stringify(origin)}: allowed origin is invalid exact match and invalid regex match (${wrong})`
        };
      }
      origins.push({ kind: "regex", value: origin });
    }
  }
  const maxAge2 = readMaxAge(fields.maxAge);
  return {
    policy: {
      origins,
      methods: fields.allowMethods,
      headers: fields.allowHeaders ?? [],
      exposed: fields.exposeHeaders ?? [],
      ...maxAge2 === void 0 ? {} : { maxAge: maxAge2 },
      credentials: fields.allowCredentials ?? false,
      privateNetwork: fields.allowPrivateNetwork ?? false
    }
  };
}
function readMaxAge(text4) {
  if (!text4) return void 0;
  const parsed = parseTimeout(text4);
  return "kind" in parsed && parsed.kind === "ms" ? Math.round(parsed.ms / 1e3) : 0;
}

// src/graph/policy/ip-filter.ts
import ipaddr3 from "ipaddr.js";
function readIpFilter(allow, deny) {
  if (allow?.length && deny?.length) {
    const message = "cannot specify both `ipAllowPolicy` and `ipDenyPolicy`";
    return {
      problems: [{ reason: "IncompatibleIPAddressFilters", message, field: ".ipAllowPolicy" }]
    };
  }
  const fields = allow?.length ? allow : deny;
  if (!fields?.length) return { problems: [] };
  const name3 = allow?.length ? "ipAllowPolicy" : "ipDenyPolicy";
  const problems = [];
  const ranges = [];
  for (const [i, { source: source2, cidr }] of fields.entries()) {
    const range = readRange(cidr);
    if (range) ranges.push({ remote: source2 === "Remote", ...range });
    else {
      const message = `${cidr} failed to parse: write an IP address or CIDR range such as 10.0.0.0/8`;
      problems.push({ reason: "InvalidCIDR", message, field: `.${name3}[${i}].cidr` });
    }
  }
  return problems.length > 0 ? { problems } : { filter: { allow: Boolean(allow?.length), ranges }, problems };
}
function readRange(cidr) {
  const [address = "", length, ...rest] = cidr.split("/");
  if (rest.length > 0 || length !== void 0 && !/^\d{1,3}$/.test(length)) return void 0;
  const v4 = ipaddr3.IPv4.isValidFourPartDecimal(address);
  if (!v4 && (!ipaddr3.IPv6.isValid(address) || address.includes("%"))) return void 0;
  const bits2 = v4 ? 32 : 128;
  const prefixLength = length === void 0 ? bits2 : Number(length);
  if (prefixLength > bits2) return void 0;
  const bytes2 = ipaddr3.parse(address).toByteArray();
  const masked = bytes2.map((byte, i) => byte & 255 << Math.max(0, 8 - Math.max(0, prefixLength - 8 * i)));
  return { address: ipaddr3.fromByteArray(masked.map((byte) => byte & 255)).toString(), prefixLength };
}

// src/schema/status-code.ts
var errorStatusNames = {
  400: "BadRequest",
  401: "Unauthorized",
  402: "PaymentRequired",
  403: "Forbidden",
  404: "NotFound",
  405: "MethodNotAllowed",
  406: "NotAcceptable",
  407: "ProxyAuthenticationRequired",
  408: "RequestTimeout",
  409: "Conflict",
  410: "Gone",
  411: "LengthRequired",
  412: "PreconditionFailed",
  413: "PayloadTooLarge",
  414: "URITooLong",
  415: "UnsupportedMediaType",
  416: "RangeNotSatisfiable",
  417: "ExpectationFailed",
  421: "MisdirectedRequest",
  422: "UnprocessableEntity",
  423: "Locked",
  424: "FailedDependency",
  426: "UpgradeRequired",
  428: "PreconditionRequired",
  429: "TooManyRequests",
  431: "RequestHeaderFieldsTooLarge",
  500: "InternalServerError",
  501: "NotImplemented",
  502: "BadGateway",
  503: "ServiceUnavailable",
  504: "GatewayTimeout",
  505: "HTTPVersionNotSupported",
  506: "VariantAlsoNegotiates",
  507: "InsufficientStorage",
  508: "LoopDetected",
  510: "NotExtended",
  511: "NetworkAuthenticationRequired"
};
var isErrorStatus = (status) => Object.hasOwn(errorStatusNames, status);

// src/graph/conditions.ts
var slashes = (path3) => path3.includes("//") ? path3.replace(/\/{2,}/g, "/") : path3;
function pathProblem(conditions, include, maxProgramSize) {
  let found;
  let paths2 = 0;
  for (const condition2 of conditions) {
    const { prefix: prefix2, exact: exact2, regex: regex2 } = condition2;
    if (!prefix2 && !exact2 && !regex2) continue;
    found = condition2;
    paths2 += (prefix2 ? 1 : 0) + (exact2 ? 1 : 0) + (regex2 ? 1 : 0);
  }
  if (!found) return void 0;
  if (paths2 > 1) return "more than one prefix, exact or regex is not allowed in a condition block";
  const { prefix, exact, regex } = found;
  const path3 = prefix || exact || regex || "";
  if (include && !prefix) return "exact and regex conditions are not allowed in an include";
  if (!path3.startsWith("/")) return `path conditions must start with /, ${JSON.stringify(path3)} was supplied`;
  if (/[\s\p{Cc}#]/u.test(path3)) return `${JSON.stringify(path3)} holds a space, # or control character`;
  if (!regex) return path3.includes("?") ? `${JSON.stringify(path3)} holds a query` : void 0;
  const wrong = regexProblem(regex, maxProgramSize);
  return wrong && `regex ${JSON.stringify(regex)} is not RE2: ${wrong}`;
}
function mergePath(conditions) {
  const parts2 = conditions.filter((c2) => c2.prefix || c2.exact || c2.regex);
  if (parts2.length === 0) return { kind: "prefix", value: "/" };
  if (parts2.some((part2) => part2.regex)) {
    const value2 = parts2.map((part2) => part2.regex ?? quoteRegex(part2.prefix ?? part2.exact ?? "")).join("");
    return { kind: "regex", value: slashes(value2) };
  }
  let value = "";
  for (const part2 of parts2) value += part2.prefix ?? part2.exact ?? "";
  return { kind: conditions.at(-1)?.exact ? "exact" : "prefix", value: slashes(value) };
}
var weakenedExact = (conditions) => conditions.at(-1)?.exact ? void 0 : conditions.find(({ exact }) => exact)?.exact;
var header3 = (c2, kind, value, invert = false) => ({
  name: c2.name.toLowerCase(),
  kind,
  value,
  invert,
  ignoreCase: c2.ignoreCase ?? false,
  treatMissingAsEmpty: invert && (c2.treatMissingAsEmpty ?? false)
});
function headerMatches(c2) {
  if (c2.present) return [header3({ name: c2.name }, "present", "")];
  if (c2.notpresent) return [header3({ name: c2.name }, "present", "", true)];
  if (c2.contains) return [header3(c2, "contains", c2.contains)];
  if (c2.notcontains) return [header3(c2, "contains", c2.notcontains, true)];
  if (c2.exact) return [header3(c2, "exact", c2.exact)];
  if (c2.notexact) return [header3(c2, "exact", c2.notexact, true)];
  if (c2.regex) return [header3({ name: c2.name }, "regex", c2.regex)];
  return [];
}
function queryMatches(c2) {
  const match = (kind, value) => [
    { name: c2.name, kind, value, ignoreCase: c2.ignoreCase ?? false }
  ];
  if (c2.present) return [{ name: c2.name, kind: "present", value: "", ignoreCase: false }];
  if (c2.exact) return match("exact", c2.exact);
  if (c2.prefix) return match("prefix", c2.prefix);
  if (c2.suffix) return match("suffix", c2.suffix);
  if (c2.regex) return [{ name: c2.name, kind: "regex", value: c2.regex, ignoreCase: false }];
  if (c2.contains) return match("contains", c2.contains);
  return [];
}
function mergeConditions(conditions) {
  const headers3 = [];
  const queries = [];
  for (const { header: h, queryParameter: q } of conditions) {
    if (h) headers3.push(...headerMatches(h));
    if (q) queries.push(...queryMatches(q));
  }
  return {
    path: mergePath(conditions),
    headers: unique(headers3).sort(compareHeaders),
    queries: unique(queries).sort(compareQueries)
  };
}
var unique = (items) => items.length < 2 ? items : [...new Map(items.map((item) => [JSON.stringify(item), item])).values()];
function headerProblem(conditions, maxProgramSize) {
  if (!conditions.some(({ header: c2 }) => c2)) return void 0;
  const seen = /* @__PURE__ */ new Set();
  for (const { header: c2 } of conditions) {
    if (!c2) continue;
    const name3 = c2.name.toLowerCase();
    const wrong = c2.regex && regexProblem(c2.regex, maxProgramSize);
    if (wrong) return `regular expression ${JSON.stringify(c2.regex)} of header ${name3} is not RE2: ${wrong}`;
    const problem2 = contradiction(c2, name3, (condition2) => seen.has(`${name3} ${condition2}`));
    if (problem2) return problem2;
    for (const [key, value] of Object.entries(c2)) seen.add(`${name3} ${key} ${value}`).add(`${name3} ${key}`);
  }
  return void 0;
}
var opposites = [
  ["present", "notpresent"],
  ["exact", "notexact"],
  ["contains", "notcontains"]
];
function contradiction(condition2, name3, earlier) {
  if (condition2.exact && earlier("exact")) {
    return `cannot specify duplicate header 'exact match' conditions for ${name3}`;
  }
  for (const [is, isNot] of opposites) {
    const clash = (mine, other) => Boolean(condition2[mine]) && earlier(`${other} ${condition2[mine]}`);
    if (clash(is, isNot) || clash(isNot, is))
      return `cannot specify both '${is}' and '${isNot}' for header ${name3}`;
  }
  return void 0;
}
function queryProblem(conditions, maxProgramSize) {
  if (!conditions.some(({ queryParameter: c2 }) => c2)) return void 0;
  const exact = /* @__PURE__ */ new Set();
  for (const { queryParameter: c2 } of conditions) {
    if (!c2) continue;
    const kinds4 = [c2.exact, c2.prefix, c2.suffix, c2.regex, c2.contains, c2.present || void 0].filter((v) => v);
    if (kinds4.length !== 1) return `query parameter ${c2.name} must have exactly one matcher`;
    const wrong = c2.regex && regexProblem(c2.regex, maxProgramSize);
    if (wrong)
      return `regular expression ${JSON.stringify(c2.regex)} of query parameter ${c2.name} is not RE2: ${wrong}`;
    if (c2.exact && exact.has(c2.name))
      return `cannot specify duplicate 'exact match' conditions for query parameter ${c2.name}`;
    if (c2.exact) exact.add(c2.name);
  }
  return void 0;
}
function conditionProblem(own, all, maxProgramSize) {
  const path3 = pathProblem(own, false, maxProgramSize);
  if (path3) return { reason: "PathMatchConditionsNotValid", message: `route: ${path3}` };
  const headers3 = headerProblem(all, maxProgramSize);
  if (headers3) return { reason: "HeaderMatchConditionsNotValid", message: headers3 };
  const queries = queryProblem(all, maxProgramSize);
  if (queries) return { reason: "QueryParameterMatchConditionsNotValid", message: queries };
  return void 0;
}

// src/graph/policy/rate-limit.ts
var intervals = { second: 1e3, minute: 6e4, hour: 36e5 };
var maxTokens = 4294967295;
var maxHeaders2 = 10;
function readLocalRateLimit(fields) {
  if (!fields) return {};
  const { requests, unit, burst = 0, responseStatusCode, responseHeadersToAdd } = fields;
  if (requests + burst > maxTokens) return { error: "requests and burst together are more than 4294967295" };
  if (responseStatusCode !== void 0 && !isErrorStatus(responseStatusCode))
    return { error: `Envoy has no status ${responseStatusCode} for rate limits; 429 is the default` };
  const headers3 = /* @__PURE__ */ new Map();
  for (const { name: name3, value } of responseHeadersToAdd ?? []) {
    const key = canonicalHeader(name3);
    if (headers3.has(key)) return { error: `duplicate header addition: "${key}"` };
    const wrong = headerNameProblem(key);
    if (wrong) return { error: `invalid header name "${key}": ${wrong}` };
    const problem2 = headerValueProblem(value);
    if (problem2) return { error: `invalid header "${key}": ${problem2}` };
    headers3.set(key, headerFormat(value, {}));
  }
  if (headers3.size > maxHeaders2) return { error: `more than ${maxHeaders2} headers to add` };
  return {
    limit: {
      requests,
      burst,
      intervalMs: intervals[unit],
      ...responseStatusCode ? { status: responseStatusCode } : {},
      headers: [...headers3].sort(([a], [b]) => a < b ? -1 : 1).map(([name3, value]) => ({ name: name3, value }))
    }
  };
}
function readDescriptors(fields, maxProgramSize) {
  if (!fields?.descriptors?.length || fields.disabled) return {};
  const descriptors = [];
  for (const { entries } of fields.descriptors) {
    const read = entries.map((entry) => readEntry(entry, maxProgramSize));
    const wrong = read.find((entry) => typeof entry === "string");
    if (typeof wrong === "string") return { error: wrong };
    descriptors.push(read);
  }
  return { descriptors };
}
function readEntry(fields, maxProgramSize) {
  const { genericKey, requestHeader: requestHeader2, requestHeaderValueMatch, remoteAddress } = fields;
  const kinds4 = [genericKey, requestHeader2, requestHeaderValueMatch, remoteAddress].filter(Boolean);
  if (kinds4.length !== 1) return "rate limit descriptor entry must have exactly one field set";
  if (genericKey) {
    const { key, value } = genericKey;
    return { kind: "generic-key", ...key ? { key } : {}, value };
  }
  if (requestHeader2) {
    return { kind: "header", header: requestHeader2.headerName, key: requestHeader2.descriptorKey };
  }
  if (requestHeaderValueMatch) {
    const { headers: headers3 = [], expectMatch: expect, value } = requestHeaderValueMatch;
    const wrong = headerProblem(
      headers3.map((header4) => ({ header: header4 })),
      maxProgramSize
    );
    if (wrong) return wrong;
    const matches = headers3.flatMap(headerMatches);
    if (matches.length === 0) return "requestHeaderValueMatch needs at least one header condition";
    return { kind: "header-match", headers: matches, expect, value };
  }
  return { kind: "remote-address" };
}

// src/graph/httpproxy-host.ts
function readHost2(proxy, security, reader, report) {
  const policies2 = readHostPolicies(proxy, reader, report);
  const jwt = readJwtProviders(proxy, reader, report);
  const asked2 = readHostAuthorization(proxy, security, reader, report);
  if (!policies2 || !jwt || !asked2) return void 0;
  const host2 = proxy.spec.virtualhost;
  const defaults2 = authorizationDefaults(host2?.authorization, reader.settings);
  return {
    secure: security.tls !== void 0 || security.passthrough,
    policies: policies2,
    jwt,
    ...asked2,
    ...defaults2 ? { authorizationDefaults: defaults2 } : {},
    clientCertificates: security.tls?.clientValidation !== void 0
  };
}
function readHostAuthorization(proxy, security, reader, report) {
  const fields = proxy.spec.virtualhost?.authorization;
  const path3 = "spec.virtualhost.authorization";
  const named3 = fields?.extensionRef && Object.keys(fields.extensionRef).length > 0;
  if (!fields) return {};
  if (!named3) {
    if (!reader.settings.globalExtAuth && !fields.authPolicy?.disabled) {
      const message2 = `ignoring field "Spec.VirtualHost.Authorization"; it names no extensionRef and the settings have no globalExtAuth, so nobody is asked`;
      report.warn(proxy.ref, "SpecError", "IgnoredField", message2, path3);
    }
    return {};
  }
  if (!security.tls) {
    if (security.passthrough) {
      const message3 = `ignoring field "Spec.VirtualHost.Authorization"; nothing of a TLS passthrough can be asked about`;
      report.warn(proxy.ref, "SpecError", "IgnoredField", message3, path3);
      return {};
    }
    const message2 = "Spec.VirtualHost.Authorization.ExtensionServiceRef can only be defined for root HTTPProxies that terminate TLS";
    report.error(proxy.ref, "AuthError", "AuthNotPermitted", message2, path3);
    return void 0;
  }
  const read = readAuthorization(fields, proxy.meta.namespace, reader);
  if ("authorization" in read) return { authorization: read.authorization };
  const { reason, message, field } = read.problem;
  report.error(proxy.ref, "AuthError", reason, message, path3 + field);
  return void 0;
}
function readHostPolicies(proxy, reader, report) {
  const host2 = proxy.spec.virtualhost;
  const fail = (type4, reason, message, field) => {
    report.error(proxy.ref, type4, reason, message, `spec.virtualhost${field}`);
    return void 0;
  };
  const { budgets: budgets2, rateLimitService } = reader.settings;
  const cors = readCors(host2?.corsPolicy, budgets2.regexProgramSize);
  if (cors.error)
    return fail(
      "CORSError",
      "PolicyDidNotParse",
      `Spec.VirtualHost.CORSPolicy: ${cors.error}`,
      ".corsPolicy"
    );
  const { filter: filter2, problems } = readIpFilter(host2?.ipAllowPolicy, host2?.ipDenyPolicy);
  for (const { reason, message, field } of problems) fail("IPFilterError", reason, message, field);
  const local = readLocalRateLimit(host2?.rateLimitPolicy?.local);
  const own = readDescriptors(host2?.rateLimitPolicy?.global, budgets2.regexProgramSize);
  const wrong = local.error ?? own.error;
  if (wrong) {
    const message = `Spec.VirtualHost.RateLimitPolicy is invalid: ${wrong}`;
    return fail("VirtualHostError", "RateLimitPolicyNotValid", message, ".rateLimitPolicy");
  }
  if (problems.some(({ reason }) => reason === "IncompatibleIPAddressFilters")) return void 0;
  if (problems.length > 0) {
    const message = "Spec.VirtualHost.IPAllowFilterPolicy or Spec.VirtualHost.IPDenyFilterPolicy is invalid";
    return fail("IPFilterError", "IPFilterPolicyNotValid", message, "");
  }
  const standard = host2?.rateLimitPolicy?.global?.disabled ? {} : readDescriptors(rateLimitService?.defaultGlobalRateLimitPolicy, budgets2.regexProgramSize);
  if (standard.error) {
    const message = `Default Global RateLimit Policy is invalid: ${standard.error}`;
    return fail("VirtualHostError", "RateLimitPolicyNotValid", message, ".rateLimitPolicy");
  }
  const rateLimits2 = own.descriptors ?? standard.descriptors;
  return {
    ...cors.policy ? { cors: cors.policy } : {},
    ...filter2 ? { ipFilter: filter2 } : {},
    ...local.limit ? { localRateLimit: local.limit } : {},
    ...rateLimits2 ? { rateLimits: rateLimits2 } : {}
  };
}

// src/graph/httpproxy-service.ts
function readValidation(proxy, service3, cluster, path3, reader, report) {
  if (!service3.validation) return cluster;
  if (cluster.protocol !== "tls" && cluster.protocol !== "h2") {
    const message = `has no effect: Service [${service3.name}:${service3.port}] is not asked over TLS; set protocol: tls`;
    report.warn(proxy.ref, "SpecError", "IgnoredField", message, `${path3}.validation`);
    return cluster;
  }
  const checked2 = readUpstreamValidation(reader, service3.validation, proxy.meta.namespace);
  if (!checked2.problem) return { ...cluster, validation: checked2.validation };
  if (checked2.problem === "not-delegated") {
    const message = `service.UpstreamValidation.CACertificate Secret "${checked2.secret}" is not configured for certificate delegation`;
    report.error(proxy.ref, "TLSError", "CACertificateNotDelegated", message, `${path3}.validation.caSecret`);
  } else {
    const message = `Service [${service3.name}:${service3.port}] TLS upstream validation policy error: ${checked2.message}`;
    report.error(proxy.ref, "ServiceError", "TLSUpstreamValidation", message, `${path3}.validation`);
  }
  return void 0;
}

// src/graph/policy/cookie.ts
function readCookieRewrites(fields) {
  if (!fields?.length) return {};
  const names4 = /* @__PURE__ */ new Set();
  const rewrites = [];
  for (const { name: name3, pathRewrite, domainRewrite, secure, sameSite } of fields) {
    if (names4.has(name3)) return { error: `duplicate cookie rewrite rule for cookie "${name3}"` };
    names4.add(name3);
    const attributes2 = {
      ...pathRewrite ? { path: pathRewrite.value } : {},
      ...domainRewrite ? { domain: domainRewrite.value } : {},
      ...secure === void 0 ? {} : { secure },
      ...sameSite ? { sameSite } : {}
    };
    if (Object.keys(attributes2).length === 0)
      return { error: `no attributes rewritten for cookie "${name3}"` };
    rewrites.push({ name: name3, ...attributes2 });
  }
  return { rewrites };
}
function mergeCookieRewrites(route2, service3) {
  const merged2 = /* @__PURE__ */ new Map();
  for (const rewrite of [...route2, ...service3]) {
    merged2.set(rewrite.name, { ...merged2.get(rewrite.name), ...rewrite });
  }
  return [...merged2.values()].sort((a, b) => a.name < b.name ? -1 : 1);
}

// src/graph/policy/default-headers.ts
var defaultsOf = ({ policy }, kind) => kind === "request" ? policy.requestHeaders : policy.responseHeaders;
var isEmpty = ({ set, remove }) => {
  for (const _ in set) return false;
  return remove.length === 0;
};
function readServiceHeaders(fields, kind, dynamic, settings) {
  const own = readHeadersPolicy(fields, kind, dynamic);
  const defaults2 = defaultsOf(settings, kind);
  return own.error || isEmpty(defaults2) ? own : { policy: merge(own.policy, defaults2, dynamic) };
}
function defaultHeaders(settings, dynamic) {
  const request = readServiceHeaders(void 0, "request", dynamic, settings).policy;
  const response = readServiceHeaders(void 0, "response", dynamic, settings).policy;
  return {
    ...request ? { requestHeaders: request } : {},
    ...response ? { responseHeaders: response } : {}
  };
}
var ingressHeaders = (settings, dynamic) => settings.policy.applyToIngress ? defaultHeaders(settings, dynamic) : {};
function merge(own, defaults2, dynamic) {
  const set = /* @__PURE__ */ new Map();
  let { host: host2 } = own ?? {};
  for (const [key, value] of Object.entries(defaults2.set)) {
    const name3 = canonicalHeader(key);
    if (name3 !== "Host") set.set(name3, headerFormat(value, dynamic));
    else if (!own?.hostFromHeader) host2 ??= value;
  }
  for (const { name: name3, value } of own?.set ?? []) set.set(name3, value);
  return {
    ...own,
    set: [...set].sort(([a], [b]) => a < b ? -1 : 1).map(([name3, value]) => ({ name: name3, value })),
    remove: [.../* @__PURE__ */ new Set([...own?.remove ?? [], ...defaults2.remove.map(canonicalHeader)])].sort(),
    ...host2 ? { host: host2 } : {}
  };
}

// src/graph/httpproxy-forward.ts
function readForward(context, policies2, cookies) {
  const { route: route2, fail } = context;
  const shared = readShared(context, policies2, cookies);
  if (!shared) return void 0;
  const backends = [];
  let mirror2;
  for (const [i, service3] of (route2.services ?? []).entries()) {
    const backend2 = readBackend(context, service3, `.services[${i}]`, shared);
    if (backend2 === "invalid") return void 0;
    if (!backend2) continue;
    if (!service3.mirror) {
      backends.push(backend2);
      continue;
    }
    if (mirror2) {
      const message = "only one service per route may be nominated as mirror";
      return fail("ServiceError", "OnlyOneMirror", message, `.services[${i}].mirror`);
    }
    mirror2 = { cluster: backend2.cluster, percent: Math.min(backend2.weight || 100, 100) };
  }
  if (backends.length === 0) return { kind: "respond", status: 503 };
  return { kind: "forward", backends, ...mirror2 ? { mirrors: [mirror2] } : {} };
}
function readShared(context, policies2, cookies) {
  const { route: route2, fail, reader } = context;
  const idle = readTimeout(route2.timeoutPolicy?.idleConnection);
  if (idle.error) {
    const message = `route.timeoutPolicy failed to parse: error parsing idleConnection timeout: ${idle.error}`;
    return fail("RouteError", "TimeoutPolicyNotValid", message, ".timeoutPolicy.idleConnection");
  }
  const health = readHealthCheck(route2.healthCheckPolicy);
  if (health.error)
    return fail(
      "RouteError",
      "HealthCheckPolicyInvalid",
      health.error,
      ".healthCheckPolicy.expectedStatuses"
    );
  const certificate2 = clientCertificate(reader);
  if (certificate2.error) return fail("TLSError", "SecretNotValid", certificate2.error);
  return {
    policies: policies2,
    cookies,
    options: {
      loadBalancing: loadBalancing(route2.loadBalancerPolicy?.strategy, policies2),
      ...health.check ? { healthCheck: health.check } : {},
      ...idle.ms === void 0 ? {} : { idleConnectionMs: idle.ms },
      ...certificate2.options
    }
  };
}
function readBackend(context, service3, at, shared) {
  const { proxy, reader, fail, report, path: path3 } = context;
  const unresolved = (error2) => fail(
    "ServiceError",
    "ServiceUnresolvedReference",
    `Spec.Routes unresolved service reference: ${error2}`,
    at
  );
  const { found, error: missing2 } = findServicePort(reader, proxy.meta.namespace, service3.name, service3.port);
  if (!found) return unresolved(missing2);
  const policies2 = readBackendPolicies(context, service3, at, shared.cookies);
  if (!policies2) return "invalid";
  const slow = readSlowStart(service3.slowStartPolicy, shared.options.loadBalancing);
  if (slow.error) {
    fail("ServiceError", "SlowStartInvalid", slow.error, `${at}.slowStartPolicy`);
    return "invalid";
  }
  const { cluster, error } = readCluster(reader, proxy.meta.namespace, service3.name, service3.port, {
    ...shared.options,
    ...service3.protocol ? { protocol: service3.protocol } : {},
    ...slow.slowStart ? { slowStart: slow.slowStart } : {},
    ...shared.options.healthCheck && service3.healthPort ? { healthPort: service3.healthPort } : {}
  });
  if (!cluster) return unresolved(error);
  const checked2 = readValidation(proxy, service3, cluster, path3 + at, reader, report);
  if (!checked2) return "invalid";
  return backendOf(checked2, service3.weight ?? 0, policies2, shared.policies.requestHeaders);
}
function readBackendPolicies({ proxy, reader, fail }, service3, at, routeCookies) {
  const dynamic = { namespace: proxy.meta.namespace, service: service3.name, port: service3.port };
  const request = readServiceHeaders(service3.requestHeadersPolicy, "request", dynamic, reader.settings);
  if (request.error) {
    const message = `${request.error} on request headers`;
    return fail("ServiceError", "RequestHeadersPolicyInvalid", message, `${at}.requestHeadersPolicy`);
  }
  const response = readServiceHeaders(service3.responseHeadersPolicy, "response", dynamic, reader.settings);
  if (response.error) {
    const message = `${response.error} on response headers`;
    return fail("ServiceError", "ResponseHeadersPolicyInvalid", message, `${at}.responseHeadersPolicy`);
  }
  const own = readCookieRewrites(service3.cookieRewritePolicies);
  if (own.error) {
    const message = `${own.error} on service cookie rewrite rules`;
    return fail("RouteError", "CookieRewritePoliciesInvalid", message, `${at}.cookieRewritePolicies`);
  }
  const cookieRewrites = mergeCookieRewrites(routeCookies, own.rewrites ?? []);
  return {
    ...request.policy ? { requestHeaders: request.policy } : {},
    ...response.policy ? { responseHeaders: response.policy } : {},
    ...cookieRewrites.length > 0 ? { cookieRewrites } : {}
  };
}
function loadBalancing(strategy, policies2) {
  if (policies2.hash) return "ring-hash";
  return strategy === "Random" ? "random" : strategy === "WeightedLeastRequest" ? "least-request" : "round-robin";
}
function readHealthCheck(policy) {
  if (!policy) return {};
  const ranges = policy.expectedStatuses ?? [];
  if (ranges.some(({ start, end }) => start >= end))
    return { error: "invalid expected status range: start must be less than end" };
  return {
    check: {
      kind: "http",
      path: policy.path,
      host: policy.host || "contour-envoy-healthcheck",
      intervalSeconds: policy.intervalSeconds || 10,
      timeoutSeconds: policy.timeoutSeconds || 2,
      unhealthyThreshold: policy.unhealthyThresholdCount || 3,
      healthyThreshold: policy.healthyThresholdCount || 2,
      ...ranges.length > 0 ? { expectedStatuses: ranges } : {}
    }
  };
}
function readSlowStart(policy, balancing) {
  if (!policy) return {};
  if (balancing === "random" || balancing === "ring-hash") {
    return {
      error: "slow start is only supported with RoundRobin or WeightedLeastRequest load balancer strategy"
    };
  }
  const window = parseTimeout(policy.window);
  if (!("kind" in window) || window.kind !== "ms")
    return { error: `error parsing window: ${JSON.stringify(policy.window)} is not a duration above zero` };
  const aggression = Number(policy.aggression);
  if (!(aggression > 0)) return { error: "aggression must be greater than 0" };
  return { slowStart: { windowMs: window.ms, aggression, minWeightPercent: policy.minWeightPercent } };
}

// src/graph/policy/hash.ts
var sessionAffinity = [{ kind: "cookie", name: "X-Contour-Session-Affinity" }];
function readHashPolicies(entries) {
  const ignored = [];
  const keys2 = /* @__PURE__ */ new Map();
  for (const [at, entry] of entries.entries()) {
    const key = readHashKey(entry);
    const name3 = typeof key === "string" ? "" : nameOf2(key);
    if (typeof key === "string")
      ignored.push({ at, message: `ignoring invalid request hash policy: ${key}` });
    else if (keys2.has(name3))
      ignored.push({ at, message: `ignoring repeated request hash policy: ${name3} comes before` });
    else keys2.set(name3, key);
  }
  return { ...keys2.size > 0 ? { hash: [...keys2.values()] } : {}, ignored };
}
var nameOf2 = (key) => "name" in key ? `${key.kind} ${key.name}` : key.kind;
function readHashKey({ terminal = false, ...entry }) {
  const { hashSourceIP, headerHashOptions: header4, queryParameterHashOptions: query } = entry;
  if ([hashSourceIP, header4, query].filter(Boolean).length !== 1)
    return "exactly one of headerHashOptions, queryParameterHashOptions and hashSourceIP is needed";
  if (header4) {
    const name3 = canonicalHeader(header4.headerName ?? "");
    const problem2 = headerNameProblem(name3);
    return problem2 && name3 !== "Host" ? `header ${JSON.stringify(header4.headerName)}: ${problem2}` : { kind: "header", name: name3, terminal };
  }
  const parameter = query?.parameterName?.toLowerCase();
  if (query && !parameter) return "the name of the query parameter is empty";
  return parameter ? { kind: "query", name: parameter, terminal } : { kind: "source-ip", terminal };
}

// src/graph/policy/internal-redirect.ts
var readInternalRedirect = (fields) => fields && {
  ...fields.maxInternalRedirects ? { maximum: fields.maxInternalRedirects } : {},
  codes: [...new Set(fields.redirectResponseCodes)],
  crossScheme: fields.allowCrossSchemeRedirect,
  denyRepeated: fields.denyRepeatedRouteRedirect ?? false
};

// src/graph/policy/retry.ts
var maxCount = 4294967295;
var countOf = (count2) => count2 === -1 ? 0 : Math.min(maxCount, Math.max(1, count2 ?? 1));
function readRetryPolicy(fields) {
  if (!fields) return void 0;
  const perTry = readTimeout(fields.perTryTimeout).ms;
  return {
    retryOn: fields.retryOn?.length ? fields.retryOn.join(",") : "5xx",
    count: countOf(fields.count),
    ...perTry ? { perTryTimeoutMs: perTry } : {},
    statusCodes: fields.retriableStatusCodes ?? []
  };
}

// src/graph/httpproxy-policies.ts
function readPolicies(context, path3) {
  const { route: route2, fail } = context;
  const timeout4 = readTimeoutPolicy(route2.timeoutPolicy);
  if (timeout4.error) {
    const message = `route.timeoutPolicy failed to parse: ${timeout4.error}`;
    return fail("RouteError", "TimeoutPolicyNotValid", message, ".timeoutPolicy");
  }
  const headers3 = readHeaders(context);
  const rewrite = readReplacePrefix(route2.pathRewritePolicy?.replacePrefix, path3);
  if (rewrite.reason)
    return fail("PrefixReplaceError", rewrite.reason, rewrite.message ?? "", ".pathRewritePolicy");
  warnWithoutEffect(context, path3);
  const limits = readDescriptors(
    route2.rateLimitPolicy?.global,
    context.reader.settings.budgets.regexProgramSize
  );
  if (limits.error) return failRateLimit(context, limits.error, ".global");
  const protections = readProtections(context);
  if (!headers3 || !protections) return void 0;
  const retry = readRetryPolicy(route2.retryPolicy);
  const hash = readHash(context);
  const internalRedirect = readInternalRedirect(route2.internalRedirectPolicy);
  return {
    ...timeout4.policy ? { timeout: timeout4.policy } : {},
    ...retry ? { retry } : {},
    ...rewrite.policy ? { pathRewrite: rewrite.policy } : {},
    ...headers3,
    ...hash ? { hash } : {},
    ...route2.enableWebsockets ? { websocket: true } : {},
    ...internalRedirect ? { internalRedirect } : {},
    ...limits.descriptors ? { rateLimits: limits.descriptors } : {},
    ...protections
  };
}
function warnWithoutEffect({ route: route2, proxy, place, path: at, report }, path3) {
  const warn = (field, message) => report.warn(proxy.ref, "SpecError", "IgnoredField", message, at + field);
  const entries = route2.pathRewritePolicy?.replacePrefix ?? [];
  if (entries.length > 0 && path3.kind === "prefix" && !entryFor(entries, path3.value))
    warn(
      ".pathRewritePolicy",
      `has no effect for the prefix ${JSON.stringify(path3.value)}: no entry names it`
    );
  if (route2.authPolicy && !place.host.authorizationDefaults)
    warn(".authPolicy", "has no effect: neither the virtual host nor the settings have an authorization");
}
var failRateLimit = ({ fail }, error, field) => fail(
  "RouteError",
  "RateLimitPolicyNotValid",
  `route.rateLimitPolicy is invalid: ${error}`,
  `.rateLimitPolicy${field}`
);
function readHeaders({
  route: route2,
  proxy,
  fail
}) {
  const service3 = route2.services?.find((s) => !s.mirror);
  const dynamic = {
    namespace: proxy.meta.namespace,
    ...service3 ? { service: service3.name, port: service3.port } : {}
  };
  const request = readHeadersPolicy(route2.requestHeadersPolicy, "request", dynamic);
  if (request.error) {
    const message = `${request.error} on request headers`;
    return fail("RouteError", "RequestHeadersPolicyInvalid", message, ".requestHeadersPolicy");
  }
  const response = readHeadersPolicy(route2.responseHeadersPolicy, "response", dynamic);
  if (response.error) {
    const message = `${response.error} on response headers`;
    return fail("RouteError", "ResponseHeaderPolicyInvalid", message, ".responseHeadersPolicy");
  }
  return {
    ...request.policy ? { requestHeaders: request.policy } : {},
    ...response.policy ? { responseHeaders: response.policy } : {}
  };
}
function readProtections(context) {
  const { route: route2, fail, place } = context;
  const local = readLocalRateLimit(route2.rateLimitPolicy?.local);
  if (local.error) return failRateLimit(context, local.error, ".local");
  const { filter: filter2, problems } = readIpFilter(route2.ipAllowPolicy, route2.ipDenyPolicy);
  for (const { reason, message, field } of problems) fail("IPFilterError", reason, message, field);
  const jwt = readJwt(context);
  if (problems.length > 0 || !jwt) return void 0;
  const authorization2 = routeAuthorization(place.host.authorizationDefaults, route2.authPolicy);
  return {
    ...local.limit ? { localRateLimit: local.limit } : {},
    ...route2.rateLimitPolicy?.global?.disabled ? { ignoreHostRateLimits: true } : {},
    ...filter2 ? { ipFilter: filter2 } : {},
    ...authorization2 ? { authorization: authorization2 } : {},
    ...jwt
  };
}
function readJwt({
  route: route2,
  fail,
  place,
  proxy,
  path: path3,
  report
}) {
  const policy = route2.jwtVerificationPolicy;
  if (policy?.require && policy.disabled) {
    const message = "route's JWT verification policy cannot specify both require and disabled";
    return fail("JWTVerificationError", "InvalidJWTVerificationPolicy", message, ".jwtVerificationPolicy");
  }
  if (policy?.disabled) return {};
  const { providers, default: standard } = place.host.jwt;
  if (!policy?.require) return standard && !route2.requestRedirectPolicy ? { jwtProvider: standard } : {};
  if (!providers.some(({ name: name3 }) => name3 === policy.require)) {
    const message = `Route references an undefined JWT provider "${policy.require}"`;
    const field = ".jwtVerificationPolicy.require";
    if (!place.host.secure) return fail("JWTVerificationError", "JWTProviderNotDefined", message, field);
    report.error(proxy.ref, "JWTVerificationError", "JWTProviderNotDefined", message, path3 + field);
  }
  return { jwtProvider: policy.require };
}
function readHash({ route: route2, proxy, report, path: path3 }) {
  const policy = route2.loadBalancerPolicy;
  if (policy?.strategy === "Cookie") return sessionAffinity;
  if (policy?.strategy !== "RequestHash") return void 0;
  const { hash, ignored } = readHashPolicies(policy.requestHashPolicies ?? []);
  const field = `${path3}.loadBalancerPolicy.requestHashPolicies`;
  const warn = (message, at) => report.warn(proxy.ref, "SpecError", "IgnoredField", message, at);
  for (const { at, message } of ignored) warn(message, `${field}[${at}]`);
  if (!hash) warn("no valid request hash policy is there: the strategy is RoundRobin", field);
  return hash;
}
function lostOverHttp({ host: host2 }, policies2) {
  if (host2.clientCertificates) return "client certificates";
  if (policies2.jwtProvider) return "JWT verification";
  const asked2 = policies2.authorization === void 0 || !("disabled" in policies2.authorization);
  return host2.authorization && asked2 ? "authorization" : void 0;
}

// src/graph/httpproxy-route.ts
function readProxyRoute(proxy, i, place, reader, report) {
  const route2 = (proxy.spec.routes ?? [])[i];
  const path3 = `spec.routes[${i}]`;
  const context = {
    proxy,
    route: route2,
    path: path3,
    place,
    reader,
    report,
    fail(type4, reason, message, field = "") {
      report.error(proxy.ref, type4, reason, message, path3 + field);
      return void 0;
    }
  };
  const kinds4 = [route2.services?.length, route2.requestRedirectPolicy, route2.directResponsePolicy];
  if (kinds4.filter(Boolean).length !== 1) {
    const message = "must set exactly one of route.services or route.requestRedirectPolicy or route.directResponsePolicy";
    return context.fail("RouteError", "RouteActionCountNotValid", message);
  }
  const own = route2.conditions ?? [];
  const conditions = [...place.conditions, ...own];
  const wrong = conditionProblem(own, conditions, reader.settings.budgets.regexProgramSize);
  if (wrong) return context.fail("RouteError", wrong.reason, wrong.message, ".conditions");
  const weakened = weakenedExact(own);
  if (weakened) {
    const message = `exact ${JSON.stringify(weakened)} counts as a prefix, as in Contour, because other conditions follow it; put it last`;
    report.warn(proxy.ref, "RouteError", "ExactPathNotLast", message, `${path3}.conditions`);
  }
  const match = mergeConditions(conditions);
  const unreachable = unreachablePath(match.path, reader.settings);
  if (unreachable)
    report.warn(proxy.ref, "RouteError", "PathNeverMatches", unreachable, `${path3}.conditions`);
  const policies2 = readPolicies(context, match.path);
  const action = policies2 && readAction(context, policies2, match.path);
  if (!policies2 || !action) return void 0;
  return {
    match,
    action,
    policies: action.kind === "forward" ? policies2 : protectionsOf(policies2),
    insecure: place.host.secure && !keepsHttp(context, policies2) ? "redirect" : "serve",
    from: proxy.ref,
    field: path3
  };
}
function protectionsOf(policies2) {
  const { localRateLimit: localRateLimit2, ignoreHostRateLimits, ipFilter, authorization: authorization2, jwtProvider: jwtProvider2 } = policies2;
  return {
    ...localRateLimit2 ? { localRateLimit: localRateLimit2 } : {},
    ...ignoreHostRateLimits ? { ignoreHostRateLimits } : {},
    ...ipFilter ? { ipFilter } : {},
    ...authorization2 ? { authorization: authorization2 } : {},
    ...jwtProvider2 ? { jwtProvider: jwtProvider2 } : {}
  };
}
function keepsHttp({ route: route2, proxy, path: path3, place, reader, report }, policies2) {
  if (!route2.permitInsecure || reader.settings.disablePermitInsecure) return false;
  const lost = place.host.secure ? lostOverHttp(place, policies2) : void 0;
  if (!lost) return true;
  const message = `ignoring field "permitInsecure"; over plain HTTP this route would go without the ${lost} of its host, so it redirects to HTTPS`;
  report.warn(proxy.ref, "SpecError", "IgnoredField", message, `${path3}.permitInsecure`);
  return false;
}
function readAction(context, policies2, path3) {
  const { route: route2, fail } = context;
  const cookies = readCookieRewrites(route2.cookieRewritePolicies);
  if (cookies.error) {
    const message = `${cookies.error} on route cookie rewrite rules`;
    return fail("RouteError", "CookieRewritePoliciesInvalid", message, ".cookieRewritePolicies");
  }
  if (route2.directResponsePolicy) {
    const { statusCode: status, body: body2 } = route2.directResponsePolicy;
    if (new TextEncoder().encode(body2).length > 4096)
      return fail(
        "RouteError",
        "DirectResponseNotValid",
        "the body is longer than 4096 bytes",
        ".directResponsePolicy.body"
      );
    return { kind: "respond", status, ...body2 ? { body: body2 } : {} };
  }
  if (route2.requestRedirectPolicy) return readRedirect2(context, route2.requestRedirectPolicy, path3);
  return readForward(context, policies2, cookies.rewrites ?? []);
}
function readRedirect2({ fail }, policy, path3) {
  if (policy.path && policy.prefix) {
    return fail(
      "RouteError",
      "RequestRedirectPolicy",
      "cannot specify both redirect path and redirect prefix",
      ".requestRedirectPolicy"
    );
  }
  return {
    kind: "redirect",
    status: policy.statusCode ?? 302,
    ...policy.scheme ? { scheme: policy.scheme } : {},
    ...policy.hostname ? { host: policy.hostname } : {},
    ...policy.port ? { port: policy.port } : {},
    ...policy.path ? { path: policy.path } : {},
    ...policy.prefix ? { rewrite: replacePrefix(path3, policy.prefix) } : {}
  };
}

// src/graph/included-by.ts
var annotation2 = "isoline.dev/included-by";
var isEntry = (entry) => {
  const [namespace = "", name3, ...more] = entry.split("/");
  return isLabel(namespace) && (name3 === void 0 || isSubdomain(name3)) && more.length === 0;
};
var known4 = onceForUnit();
var readListed = (child, text4, reader, report) => known4(reader, child.ref, () => {
  const entries = text4.split(",").map((entry) => entry.trim());
  if (entries.length === 1 && entries[0] === "*") return "all";
  if (entries.every(isEntry)) return entries;
  const message = `${JSON.stringify(text4)} is no list of NAMESPACE or NAMESPACE/NAME with commas between them, nor *; nothing includes this object`;
  const path3 = `metadata.annotations["${annotation2}"]`;
  const isProxy = kindOf(child.ref) === "HTTPProxy";
  report.error(
    child.ref,
    isProxy ? "IncludeError" : claimFinding(child.ref),
    "AnnotationNotValid",
    message,
    path3
  );
  return "not valid";
});
function includeProblem(child, path3, reader, report) {
  const { name: name3, namespace, annotations: annotations2 } = child.meta;
  const text4 = annotations2[annotation2];
  const others = path3.filter((ref) => namespaceOf(ref) !== namespace);
  if (text4 === void 0) {
    const by2 = path3.at(-1);
    if (!reader.settings.requireIncludedBy || by2 === void 0 || !others.includes(by2)) return void 0;
    return `${namespace}/${name3} is in another namespace and has no annotation ${annotation2} (the setting requireIncludedBy)`;
  }
  const listed = readListed(child, text4, reader, report);
  if (listed === "not valid") return `the annotation ${annotation2} of ${namespace}/${name3} is not valid`;
  const stranger = others.find(
    (ref) => listed !== "all" && !listed.includes(namespaceOf(ref)) && !listed.includes(nameIn(ref))
  );
  return stranger && `the annotation ${annotation2} of ${namespace}/${name3} does not list ${nameIn(stranger)}`;
}
var nameIn = (ref) => ref.slice(ref.indexOf("/") + 1);

// src/graph/included-proxy.ts
function includedProxy(reader, namespace, name3) {
  const proxy = reader.get("HTTPProxy", namespace, name3);
  return proxy && isAllowedClass(proxy, proxy.spec.ingressClassName, reader.settings) ? proxy : void 0;
}

// src/graph/httpproxy-routes.ts
var maxDepth4 = 64;
function readProxyRoutes(proxy, place, reader, report) {
  const own = [];
  let good = true;
  for (const i of (proxy.spec.routes ?? []).keys()) {
    const route2 = readProxyRoute(proxy, i, place, reader, report);
    if (route2) own.push(route2);
    else if (reader.settings.invalidRoutes === "drop-object") good = false;
    else own.push(...unavailable(proxy, i, place, reader));
  }
  const included = readIncludes(proxy, place, reader, report);
  return good ? [...included, ...own] : [];
}
function readIncludes(proxy, place, reader, report) {
  const routes = [];
  if (!proxy.spec.includes?.length) return routes;
  const seen = /* @__PURE__ */ new Set();
  for (const [i, include] of proxy.spec.includes.entries()) {
    const path3 = `spec.includes[${i}]`;
    const fail = (reason, message, at = path3) => report.error(proxy.ref, "IncludeError", reason, message, at);
    const conditions = include.conditions ?? [];
    const wrong = conditionsProblem(conditions, reader.settings.budgets.regexProgramSize);
    if (wrong) {
      report.error(proxy.ref, wrong.type, wrong.reason, wrong.message, `${path3}.conditions`);
      continue;
    }
    const merged2 = mergeConditions(conditions);
    const key = JSON.stringify(merged2);
    const bare = merged2.path.value === "/" && merged2.headers.length + merged2.queries.length === 0;
    if (!bare && seen.has(key)) {
      fail("DuplicateMatchConditions", "duplicate conditions defined on an include", `${path3}.conditions`);
      continue;
    }
    seen.add(key);
    const chain = [...place.path, proxy.ref];
    const all = [...place.conditions, ...conditions];
    const found = findTarget(proxy, include, chain, reader, report);
    const { target } = found;
    if (!target) {
      fail(found.reason, found.message);
      if (conditions.length > 0) routes.push(badGateway(proxy, conditions, path3));
    } else if (!endsChain(target, chain, report))
      append(routes, readProxyRoutes(target, { ...place, conditions: all, path: chain }, reader, report));
  }
  return routes;
}
function endsChain({ ref }, chain, report) {
  const isCycle = chain.includes(ref);
  if (!isCycle && chain.length < maxDepth4) return false;
  const names4 = [...chain, ref].map((one) => one.slice("HTTPProxy/".length)).join(" -> ");
  const message = `include creates an include cycle: ${names4}`;
  const about4 = isCycle ? ref : chain.at(-1) ?? ref;
  report.error(about4, "IncludeError", "IncludeCreatesCycle", message, "spec.includes");
  return true;
}
var describe = ({ meta }) => `${meta.namespace}/${meta.name}`;
function findTarget(proxy, include, chain, reader, report) {
  const namespace = include.namespace || proxy.meta.namespace;
  const target = includedProxy(reader, namespace, include.name);
  if (!target)
    return { reason: "IncludeNotFound", message: `include ${namespace}/${include.name} not found` };
  if (target.spec.virtualhost) {
    const message = `root httpproxy cannot include another root httpproxy (${describe(target)})`;
    return { reason: "RootIncludesRoot", message };
  }
  const forbidden = includeProblem(target, chain, reader, report);
  if (!forbidden) return { target };
  return { reason: "IncludeNotPermitted", message: `include is not permitted: ${forbidden}` };
}
function unavailable(proxy, i, place, { settings }) {
  const own = proxy.spec.routes?.[i]?.conditions ?? [];
  const conditions = [...place.conditions, ...own];
  if (conditionProblem(own, conditions, settings.budgets.regexProgramSize)) return [];
  return [
    {
      match: mergeConditions(conditions),
      action: { kind: "respond", status: 503 },
      policies: {},
      insecure: place.host.secure ? "redirect" : "serve",
      from: proxy.ref,
      field: `spec.routes[${i}]`
    }
  ];
}
function conditionsProblem(conditions, maxProgramSize) {
  const path3 = pathProblem(conditions, true, maxProgramSize);
  if (path3)
    return { type: "IncludeError", reason: "PathMatchConditionsNotValid", message: `include: ${path3}` };
  const headers3 = headerProblem(conditions, maxProgramSize);
  if (headers3) return { type: "RouteError", reason: "HeaderMatchConditionsNotValid", message: headers3 };
  const queries = queryProblem(conditions, maxProgramSize);
  if (queries)
    return { type: "RouteError", reason: "QueryParameterMatchConditionsNotValid", message: queries };
  return void 0;
}
var badGateway = (proxy, conditions, field) => ({
  match: mergeConditions(conditions),
  action: { kind: "respond", status: 502 },
  policies: {},
  insecure: "serve",
  spansLabels: true,
  from: proxy.ref,
  field
});

// src/graph/httpproxy-tcp.ts
var maxDepth5 = 64;
function readTcpProxy(proxy, reader, report, path3 = []) {
  const tcp = proxy.spec.tcpproxy;
  const fail = (reason, message2, type4 = "TCPProxyError") => {
    report.error(proxy.ref, type4, reason, message2, "spec.tcpproxy");
    return void 0;
  };
  if (path3.length === 0 && !proxy.spec.virtualhost?.tls) {
    return fail(
      "TLSMustBeConfigured",
      "Spec.TCPProxy requires that either Spec.TLS.Passthrough or Spec.TLS.SecretName be set"
    );
  }
  const include = tcp?.include ?? tcp?.includes;
  if (tcp?.services?.length && include) {
    return fail("NoServicesAndInclude", "cannot specify services and include in the same httpproxy");
  }
  if (tcp?.services?.length) return readServices2(proxy, reader, report);
  if (!include) return fail("NothingDefined", "either services or inclusion must be specified");
  readLoadBalancing(proxy, report);
  const namespace = include.namespace || proxy.meta.namespace;
  const target = includedProxy(reader, namespace, include.name);
  const error = "TCPProxyIncludeError";
  if (!target) return fail("IncludeNotFound", `include ${namespace}/${include.name} not found`, error);
  if (target.spec.virtualhost) {
    const message2 = `root httpproxy cannot include another root httpproxy (${namespace}/${include.name})`;
    return fail("RootIncludesRoot", message2, error);
  }
  const chain = [...path3, proxy.ref];
  const forbidden = includeProblem(target, chain, reader, report);
  if (forbidden) return fail("IncludeNotPermitted", `include is not permitted: ${forbidden}`, error);
  if (chain.includes(target.ref) || chain.length > maxDepth5) {
    const names4 = [...chain, target.ref].map((ref) => ref.slice("HTTPProxy/".length)).join(" -> ");
    return fail("IncludeCreatesCycle", `include creates a cycle: ${names4}`, error);
  }
  if (target.spec.tcpproxy) return readTcpProxy(target, reader, report, chain);
  const message = `include ${namespace}/${include.name} has no tcpproxy, so that nothing is served over TLS`;
  report.warn(proxy.ref, error, "NothingDefined", message, "spec.tcpproxy");
  return [];
}
function readServices2(proxy, reader, report) {
  const certificate2 = clientCertificate(reader);
  if (certificate2.error) {
    report.error(proxy.ref, "TLSError", "SecretNotValid", certificate2.error, "spec.tcpproxy");
    return void 0;
  }
  const healthCheck2 = readHealthCheck2(proxy.spec.tcpproxy?.healthCheckPolicy);
  const options2 = {
    loadBalancing: readLoadBalancing(proxy, report),
    ...healthCheck2 ? { healthCheck: healthCheck2 } : {},
    ...certificate2.options
  };
  const found = [];
  for (const [i, service3] of (proxy.spec.tcpproxy?.services ?? []).entries()) {
    const path3 = `spec.tcpproxy.services[${i}]`;
    const { cluster, error } = readCluster(reader, proxy.meta.namespace, service3.name, service3.port, {
      ...options2,
      ...service3.protocol ? { protocol: service3.protocol } : {},
      ...healthCheck2 && service3.healthPort ? { healthPort: service3.healthPort } : {}
    });
    if (!cluster) {
      const message = `Spec.TCPProxy unresolved service reference: ${error}`;
      report.error(proxy.ref, "TCPProxyError", "ServiceUnresolvedReference", message, path3);
      return void 0;
    }
    const checked2 = readValidation(proxy, service3, cluster, path3, reader, report);
    if (!checked2) return void 0;
    found.push({ cluster: checked2, weight: service3.weight ?? 0 });
  }
  return found;
}
function readLoadBalancing(proxy, report) {
  const strategy = proxy.spec.tcpproxy?.loadBalancerPolicy?.strategy;
  if (strategy === "Cookie" || strategy === "RequestHash") {
    const message = `ignoring field "Spec.TCPProxy.LoadBalancerPolicy"; ${strategy} load balancer policy is not supported for TCPProxies`;
    report.warn(proxy.ref, "TCPProxyError", "IgnoredField", message, "spec.tcpproxy.loadBalancerPolicy");
  }
  return strategy === "Random" ? "random" : strategy === "WeightedLeastRequest" ? "least-request" : "round-robin";
}
var readHealthCheck2 = (check2) => check2 && {
  kind: "tcp",
  path: "",
  host: "",
  intervalSeconds: check2.intervalSeconds || 10,
  timeoutSeconds: check2.timeoutSeconds || 2,
  unhealthyThreshold: check2.unhealthyThresholdCount || 3,
  healthyThreshold: check2.healthyThresholdCount || 2
};

// src/graph/client-validation.ts
var path2 = "spec.virtualhost.tls.clientValidation";
function readClientValidation(proxy, reader, report) {
  const fields = proxy.spec.virtualhost?.tls?.clientValidation;
  const fail = (reason, message, field) => {
    report.error(proxy.ref, "TLSError", reason, message, path2 + field);
    return void 0;
  };
  const read = (text4, label3, field, reading) => {
    const secret = secretName(text4, proxy.meta.namespace);
    if (!isDelegated(reader, secret, proxy.meta.namespace)) {
      const message2 = `Spec.VirtualHost.TLS ${label3} Secret "${text4}" is invalid: certificate delegation not permitted`;
      return fail("DelegationNotPermitted", message2, field);
    }
    const found = reading(reader, secret);
    if (!found.error) return found;
    const name3 = `${secret.namespace}/${secret.name}`;
    const message = `Spec.VirtualHost.TLS client validation is invalid: invalid ${label3} Secret "${name3}": ${found.error}`;
    return fail("ClientValidationInvalid", message, field);
  };
  if (!fields?.caSecret && !fields?.skipClientCertValidation) {
    const message = "Spec.VirtualHost.TLS client validation is invalid: CA Secret must be specified";
    return fail("ClientValidationInvalid", message, ".caSecret");
  }
  const ca = fields.caSecret ? read(fields.caSecret, "CA", ".caSecret", readCaBundle) : {};
  const crl = fields.crlSecret ? read(fields.crlSecret, "CRL", ".crlSecret", readCrl) : {};
  if (!ca || !crl) return void 0;
  const forward = fields.forwardClientCertificate;
  return {
    ...ca,
    ...crl,
    crlLeafOnly: fields.crlOnlyVerifyLeafCert ?? false,
    optional: fields.optionalClientCertificate ?? false,
    skipVerification: fields.skipClientCertValidation ?? false,
    ...forward ? {
      forward: {
        subject: forward.subject ?? false,
        cert: forward.cert ?? false,
        chain: forward.chain ?? false,
        dns: forward.dns ?? false,
        uri: forward.uri ?? false
      }
    } : {}
  };
}

// src/graph/httpproxy-tls.ts
var versions = ["1.2", "1.3"];
var asVersion = (text4, fallback) => text4 === "1.2" || text4 === "1.3" ? text4 : fallback;
var higher = (a, b) => versions.indexOf(a) > versions.indexOf(b) ? a : b;
var lower = (a, b) => versions.indexOf(a) < versions.indexOf(b) ? a : b;
function tlsRange(minimum, maximum, reader) {
  const settings = reader.settings.tls;
  const min = higher(asVersion(settings.minimumProtocolVersion, "1.2"), asVersion(minimum, "1.2"));
  const max = lower(asVersion(settings.maximumProtocolVersion, "1.3"), asVersion(maximum, "1.3"));
  return higher(min, max) === max ? { minimum: min, maximum: max } : void 0;
}
function readTls(proxy, reader, report) {
  const tls2 = proxy.spec.virtualhost?.tls;
  const path3 = "spec.virtualhost.tls";
  if (!tls2) return { passthrough: false };
  const fail = (reason, message, field = "") => {
    report.error(proxy.ref, "TLSError", reason, message, path3 + field);
    return void 0;
  };
  if (tls2.passthrough && tls2.secretName) {
    return fail("TLSConfigNotValid", "Spec.VirtualHost.TLS: both Passthrough and SecretName were specified");
  }
  if (!tls2.passthrough && !tls2.secretName) {
    return fail(
      "TLSConfigNotValid",
      "Spec.VirtualHost.TLS: neither Passthrough nor SecretName were specified"
    );
  }
  const clash = incompatible(proxy);
  if (clash) return fail("TLSIncompatibleFeatures", clash);
  if (tls2.passthrough) {
    if (tls2.enableFallbackCertificate)
      fail(
        "TLSIncompatibleFeatures",
        "Spec.VirtualHost.TLS: both Passthrough and enableFallbackCertificate were specified"
      );
    return { passthrough: true };
  }
  const secret = secretName(tls2.secretName ?? "", proxy.meta.namespace);
  if (!isDelegated(reader, secret, proxy.meta.namespace)) {
    const message = `Spec.VirtualHost.TLS Secret "${secret.namespace}/${secret.name}" certificate delegation not permitted`;
    return fail("DelegationNotPermitted", message, ".secretName");
  }
  const { pair, error } = readKeyPair(reader, secret);
  if (!pair) {
    return fail(
      "SecretNotValid",
      `Spec.VirtualHost.TLS Secret "${tls2.secretName}" is invalid: ${error}`,
      ".secretName"
    );
  }
  const host2 = proxy.spec.virtualhost?.fqdn?.toLowerCase() ?? "";
  warnOfCertificate(pair, { about: proxy.ref, path: `${path3}.secretName`, secret, host: host2 }, report);
  const range = tlsRange(tls2.minimumProtocolVersion, tls2.maximumProtocolVersion, reader);
  if (!range) {
    const message = "Spec.Virtualhost.TLS the minimum protocol version is greater than the maximum protocol version";
    return fail("TLSConfigNotValid", message);
  }
  const fallback = tls2.enableFallbackCertificate ? readFallback(proxy, reader, fail) : void 0;
  if (tls2.enableFallbackCertificate && !fallback) return void 0;
  const clientValidation2 = tls2.clientValidation ? readClientValidation(proxy, reader, report) : void 0;
  if (tls2.clientValidation && !clientValidation2) return void 0;
  return {
    tls: {
      secret: `${secret.namespace}/${secret.name}`,
      ...range,
      ...clientValidation2 ? { clientValidation: clientValidation2 } : {}
    },
    passthrough: false,
    ...fallback ? { fallback } : {}
  };
}
function incompatible({ spec: { virtualhost: host2 } }) {
  const tls2 = host2?.tls;
  if (tls2?.passthrough && tls2.clientValidation)
    return "Spec.VirtualHost.TLS passthrough cannot be combined with tls.clientValidation";
  if (!tls2?.enableFallbackCertificate || tls2.passthrough) return void 0;
  if (tls2.clientValidation) return "Spec.Virtualhost.TLS fallback & client validation are incompatible";
  if (host2?.authorization) return "Spec.Virtualhost.TLS fallback & client authorization are incompatible";
  if (host2?.jwtProviders?.length) return "Spec.Virtualhost.TLS fallback & JWT providers are incompatible";
  return void 0;
}
function readFallback(proxy, reader, fail) {
  const wanted = reader.settings.tls.fallbackCertificate;
  const field = ".enableFallbackCertificate";
  if (!wanted) {
    const message2 = "Spec.Virtualhost.TLS enabled fallback but the fallback Certificate Secret is not configured in Contour configuration file";
    return fail("FallbackNotPresent", message2, field);
  }
  const secret = { namespace: wanted.namespace ?? "", name: wanted.name ?? "" };
  const name3 = `${secret.namespace}/${secret.name}`;
  if (!isDelegated(reader, secret, proxy.meta.namespace)) {
    const message2 = `Spec.VirtualHost.TLS Secret "${name3}" is not configured for certificate delegation`;
    return fail("FallbackNotDelegated", message2, field);
  }
  const { error } = readKeyPair(reader, secret);
  if (!error) return name3;
  const message = `Spec.Virtualhost.TLS Secret "${name3}" fallback certificate is invalid: ${error}`;
  return fail("FallbackNotValid", message, field);
}

// src/graph/root.ts
function rootOf(plain2, overTls, routes) {
  const sites = /* @__PURE__ */ new Map([[ingressHttp, { terms: plain2, routes }]]);
  if (overTls) sites.set(ingressHttps, { terms: overTls, routes: overTls.kind === "https" ? routes : [] });
  return { ref: plain2.owner, secure: overTls !== void 0, sites };
}

// src/graph/httpproxy.ts
var proxiesOf = (refs, reader) => objectsOf("HTTPProxy", refs, reader).filter(
  (proxy) => isAllowedClass(proxy, proxy.spec.ingressClassName, reader.settings)
);
function readProxyRoot(proxy, reader, report) {
  const { spec, ref } = proxy;
  if (!spec.routes?.length && !spec.includes?.length && !spec.tcpproxy) {
    const message = "HTTPProxy.Spec must have at least one Route, Include, or a TCPProxy";
    report.error(ref, "SpecError", "NothingDefined", message, "spec");
    return void 0;
  }
  if (isOverBudget(proxy, "SpecError", "spec", reader, report)) return void 0;
  const security = readTls(proxy, reader, report);
  const host2 = security && readHost2(proxy, security, reader, report);
  if (!security || !host2) return void 0;
  const tcp = spec.tcpproxy ? readTcpProxy(proxy, reader, report) : void 0;
  if (spec.tcpproxy && !tcp) return void 0;
  const routes = readProxyRoutes(proxy, { conditions: [], path: [], host: host2 }, reader, report);
  const { policies: policies2 } = host2;
  const overTls = host2.secure ? readSecureTerms(ref, security, host2, tcp) : void 0;
  return rootOf({ kind: "http", owner: ref, policies: policies2 }, overTls, routes);
}
function readSecureTerms(owner, { tls: tls2, fallback }, { policies: policies2, authorization: authorization2, jwt }, tcp) {
  if (tcp?.length) {
    const { ipFilter } = policies2;
    return {
      kind: "tcp",
      owner,
      ...ipFilter ? { ipFilter } : {},
      ...tls2 ? { tls: tls2 } : {},
      backends: tcp
    };
  }
  if (!tls2 || tcp) return { kind: "none", owner };
  return {
    kind: "https",
    owner,
    policies: policies2,
    tls: tls2,
    ...fallback ? { fallback } : {},
    ...authorization2 ? { authorization: authorization2 } : {},
    jwtProviders: jwt.providers
  };
}

// src/graph/cost/size.ts
var dimensions = [
  "routes",
  "bytes",
  "programSize",
  "keySets"
];
var huge = 1e10;
var nothing = { routes: 0, bytes: 0, programSize: 0, keySets: 0 };
var tooMuch = { routes: huge, bytes: huge, programSize: huge, keySets: huge };
var plus = (a, b, times = 1) => ({
  routes: Math.min(huge, a.routes + times * b.routes),
  bytes: Math.min(huge, a.bytes + times * b.bytes),
  programSize: Math.min(huge, a.programSize + times * b.programSize),
  keySets: Math.min(huge, a.keySets + times * b.keySets)
});
var exactPlus = (a, b, times) => ({
  routes: a.routes + times * b.routes,
  bytes: a.bytes + times * b.bytes,
  programSize: a.programSize + times * b.programSize,
  keySets: a.keySets + times * b.keySets
});

// src/graph/cost/node.ts
var costKey = "cost:";
var frameBytes = 256;
var ordinary = 40;
function expressionsOf(value, found = []) {
  if (typeof value !== "object" || value === null) return found;
  if (Array.isArray(value)) {
    for (const inner of value) expressionsOf(inner, found);
    return found;
  }
  for (const key in value) {
    const inner = value[key];
    if (typeof inner === "object") {
      if (key === "allowOrigin" && Array.isArray(inner)) found.push(...inner.map(String));
      else expressionsOf(inner, found);
    } else if (key === "regex" && typeof inner === "string" && inner !== "") found.push(inner);
  }
  return found;
}
function programsOf(expressions) {
  let size = 0;
  let free = 0;
  for (const expression of expressions) {
    const program = regexProgramSize(expression);
    size += program;
    free += Math.min(program, expression.length + ordinary);
  }
  return { size, free };
}
var exceeds = (expressions) => {
  const { size, free } = programsOf(expressions);
  return size > free;
};
var pathsOf = ({ spec }) => (spec.rules ?? []).flatMap(
  ({ http }) => (http?.paths ?? []).flatMap(
    ({ path: path3, pathType }) => pathType === "ImplementationSpecific" && path3 ? [path3] : []
  )
);
function gatewayExpressionsOf({ spec }) {
  const found = [];
  const add2 = (match) => {
    if (match?.type !== "RegularExpression") return;
    for (const text4 of [match.value, match.service, match.method]) if (text4) found.push(text4);
  };
  for (const { matches } of spec.rules)
    for (const match of matches) {
      if ("path" in match) add2(match.path);
      if ("method" in match && typeof match.method === "object") add2(match.method);
      if ("queryParams" in match) match.queryParams.forEach(add2);
      match.headers.forEach(add2);
    }
  return found;
}
function isCostly(object) {
  switch (object.kind) {
    case "HTTPProxy":
      return (object.spec.includes?.length ?? 0) > 0 || secretsOf(object).length > 0 || keySetsOf(object).length > 0 || exceeds(expressionsOf([object.spec.routes, object.spec.virtualhost]));
    case "IngressRoute":
      return delegationEdges(object).length > 0;
    case "Ingress":
      return exceeds(pathsOf(object));
    case "HTTPRoute":
    case "GRPCRoute":
      return true;
    default:
      return false;
  }
}
function costNodeOf(object) {
  const base2 = { ref: object.ref, meta: object.meta, className: void 0, isOwner: true, keySets: [] };
  switch (object.kind) {
    case "HTTPProxy":
      return {
        ...base2,
        className: object.spec.ingressClassName,
        isOwner: object.spec.virtualhost !== void 0,
        ...proxySizes(object),
        keySets: keySetsOf(object),
        edges: proxyEdges(object)
      };
    case "IngressRoute":
      return {
        ...base2,
        isOwner: object.spec.virtualhost !== void 0,
        ...alike(sizeOfRoutes(object.spec.routes ?? [])),
        edges: delegationEdges(object)
      };
    case "Ingress": {
      const programs = programsOf(pathsOf(object));
      return {
        ...base2,
        className: object.spec.ingressClassName,
        own: { ...nothing, programSize: programs.size },
        free: { ...nothing, programSize: programs.free },
        edges: []
      };
    }
    case "HTTPRoute":
    case "GRPCRoute":
      return { ...base2, ...gatewaySizes(object), edges: [] };
    case "Secret":
      return {
        ...base2,
        isOwner: false,
        ...alike({ ...nothing, bytes: JSON.stringify(object.spec).length }),
        edges: []
      };
    default:
      return void 0;
  }
}
var alike = (size) => ({ own: size, free: size });
var sizeOfRoutes = (routes) => ({
  routes: routes.length,
  bytes: JSON.stringify(routes).length + routes.length * frameBytes,
  programSize: 0,
  keySets: 0
});
function proxySizes({ spec }) {
  const { routes = [], includes = [] } = spec;
  const size = plus(sizeOfRoutes(routes), { ...nothing, routes: includes.length });
  const programs = programsOf(expressionsOf([routes, spec.virtualhost]));
  return { own: { ...size, programSize: programs.size }, free: { ...size, programSize: programs.free } };
}
function proxyEdges(proxy) {
  const { meta, spec } = proxy;
  const included = (spec.includes ?? []).map(({ name: name3, namespace, conditions = [] }) => ({
    to: refOf("HTTPProxy", namespace || meta.namespace, name3),
    times: 1,
    perRoute: perRoute(conditions)
  }));
  return [...included, ...secretEdges(secretsOf(proxy), meta.namespace)];
}
var perRoute = (conditions) => conditions.length === 0 ? nothing : {
  ...nothing,
  bytes: JSON.stringify(conditions).length,
  programSize: programsOf(expressionsOf(conditions)).size
};
function delegationEdges({ meta, spec }) {
  const edges = [];
  const clusters = /* @__PURE__ */ new Map();
  for (const { delegate: delegate2, services = [] } of spec.routes ?? []) {
    if (delegate2) {
      const to = refOf("IngressRoute", delegate2.namespace || meta.namespace, delegate2.name);
      edges.push({ to, times: 1, perRoute: nothing });
    }
    for (const { weight: _, ...service3 } of services)
      if (service3.validation?.caSecret) clusters.set(JSON.stringify(service3), service3.validation.caSecret);
  }
  return [...edges, ...secretEdges([...clusters.values()], meta.namespace)];
}
function secretEdges(names4, namespace) {
  const found = /* @__PURE__ */ new Map();
  for (const one of names4) {
    const secret = secretName(one, namespace);
    const ref = refOf("Secret", secret.namespace, secret.name);
    found.set(ref, (found.get(ref) ?? 0) + 1);
  }
  return [...found].map(([to, times]) => ({ to, times, perRoute: nothing }));
}
function keySetsOf({ spec: { virtualhost } }) {
  const servers = (virtualhost?.jwtProviders ?? []).flatMap(
    ({ remoteJWKS }) => remoteJWKS ? JSON.stringify([originOf2(remoteJWKS.uri), remoteJWKS.dnsLookupFamily, remoteJWKS.validation]) : []
  );
  return [...new Set(servers)];
}
var originOf2 = (uri) => /^[^:/?#]+:\/\/[^/?#]*/.exec(uri)?.[0].toLowerCase() ?? uri;
function secretsOf({ spec: { virtualhost: host2, routes = [], tcpproxy } }) {
  const { caSecret, crlSecret } = host2?.tls?.clientValidation ?? {};
  const keySets = (host2?.jwtProviders ?? []).flatMap(({ localJWKS, remoteJWKS }) => [
    localJWKS?.secretName,
    remoteJWKS?.validation?.caSecret
  ]);
  const clusters = /* @__PURE__ */ new Map();
  for (const route2 of routes)
    for (const service3 of route2.services ?? [])
      if (service3.validation) clusters.set(clusterKey(route2, service3), service3.validation.caSecret);
  for (const service3 of tcpproxy?.services ?? [])
    if (service3.validation) clusters.set(JSON.stringify(["tcp", service3]), service3.validation.caSecret);
  return [caSecret, crlSecret, ...keySets, ...clusters.values()].filter((name3) => name3 !== void 0);
}
var clusterKey = (route2, { weight: _weight, mirror: _mirror, ...service3 }) => JSON.stringify([
  service3,
  route2.loadBalancerPolicy,
  route2.healthCheckPolicy,
  route2.timeoutPolicy?.idleConnection,
  route2.requestHeadersPolicy
]);
function gatewaySizes(route2) {
  let routes = 0;
  let bytes2 = 0;
  let matched = 0;
  for (const { matches, ...shared } of route2.spec.rules) {
    const count2 = Math.max(1, matches.length);
    routes += count2;
    bytes2 += JSON.stringify(matches).length + count2 * (JSON.stringify(shared).length + frameBytes);
    matched += JSON.stringify(matches).length + JSON.stringify(shared).length + count2 * frameBytes;
  }
  const programs = programsOf(gatewayExpressionsOf(route2));
  return {
    own: { routes, bytes: bytes2, programSize: programs.size, keySets: 0 },
    free: { routes, bytes: matched, programSize: programs.free, keySets: 0 }
  };
}

// src/graph/claims.ts
var anyHost = "*";
var tlsHostKey = (host2) => `tls-host:${host2.toLowerCase()}`;
var routeUnit = (ref) => `route:${ref}`;
function claimsOf(object) {
  if (isSubstitute(object)) return [];
  const claims = hostsAndIndexes(object);
  if (isCostly(object)) claims.push(costKey);
  return claims;
}
function hostsAndIndexes(object) {
  switch (object.kind) {
    case "HTTPProxy":
    case "IngressRoute": {
      const fqdn = object.spec.virtualhost?.fqdn;
      return fqdn ? [`vhost:${fqdn.toLowerCase()}`] : [];
    }
    case "Ingress": {
      const hosts = (object.spec.rules ?? []).map((rule) => (rule.host || anyHost).toLowerCase());
      if (object.spec.defaultBackend) hosts.push(anyHost);
      const secure = (object.spec.tls ?? []).flatMap((entry) => entry.hosts ?? []);
      return [...[...new Set(hosts)].map((host2) => `vhost:${host2}`), ...new Set(secure.map(tlsHostKey))];
    }
    case "EndpointSlice":
      return object.spec.service ? [`slices:${object.meta.namespace}/${object.spec.service}`] : [];
    case "Endpoints":
      return [`slices:${object.meta.namespace}/${object.meta.name}`];
    case "TLSCertificateDelegation":
      return [
        ...new Set(
          object.spec.delegations.map((d) => `delegations:${object.meta.namespace}/${d.secretName}`)
        )
      ];
    case "Gateway":
      return [
        ...new Set(
          object.spec.listeners.map(({ hostname: hostname2 }) => `vhost:${hostname2.toLowerCase() || anyHost}`)
        )
      ];
    case "HTTPRoute":
    case "GRPCRoute":
    case "TLSRoute": {
      const { hostnames: hostnames2 } = object.spec;
      const hosts = hostnames2.flatMap((host2) => [`vhost:${host2}`, `routes:${host2}`]);
      return [
        .../* @__PURE__ */ new Set([...hosts.length > 0 ? hosts : [`routes:${anyHost}`], routeUnit(object.ref)])
      ];
    }
    case "TCPRoute":
      return ["tcp:", routeUnit(object.ref)];
    case "ReferenceGrant":
      return [`grants:${object.meta.namespace}`];
    case "BackendTLSPolicy":
      return [
        ...new Set(
          object.spec.targetRefs.map(({ name: name3 }) => `backend-tls:${object.meta.namespace}/${name3}`)
        )
      ];
    case "Settings":
      return object.spec.hostOwners.map(({ host: host2 }) => `vhost:${host2}`);
    case "ExtensionService":
      return [`extension:${object.meta.namespace}/${object.meta.name}`];
    default:
      return [];
  }
}

// src/graph/ingress.ts
var type = "IngressError";
function ingressesOf(refs, reader) {
  const found = objectsOf("Ingress", refs, reader).filter(
    (ingress) => isAllowedClass(ingress, ingress.spec.ingressClassName, reader.settings)
  );
  return found.sort((a, b) => byAge(b, a));
}
function readIngresses(candidates, host2, reader, report) {
  const ingresses = candidates.filter((one) => !isOverBudget(one, type, "spec", reader, report));
  const http = [];
  const overTls = [];
  for (const ingress of ingresses) {
    const { meta } = ingress;
    const routes = readRules(ingress, host2, reader, report);
    overTls.push({ namespace: meta.namespace, routes });
    const force = meta.annotations["ingress.kubernetes.io/force-ssl-redirect"] === "true";
    const allowHttp = meta.annotations["kubernetes.io/ingress.allow-http"] !== "false";
    if (force) http.push(...routes.map((route2) => ({ ...route2, insecure: "redirect" })));
    else if (allowHttp) http.push(...routes);
  }
  const sites = /* @__PURE__ */ new Map();
  const oldest = http.at(-1)?.from;
  if (oldest) sites.set(ingressHttp, { terms: { kind: "http", owner: oldest, policies: {} }, routes: http });
  const served = new Set(overTls.flatMap(({ namespace, routes }) => routes.length > 0 ? namespace : []));
  const secured = /* @__PURE__ */ new Set();
  let terms;
  for (const ingress of [...securingIngresses(candidates, host2, reader, report), ...ingresses]) {
    if (reader.overrun(ingress.ref)) continue;
    const tls2 = readIngressTls(ingress, host2, reader, report);
    if (!tls2 || !served.has(ingress.meta.namespace)) continue;
    secured.add(ingress.meta.namespace);
    terms = { kind: "https", owner: ingress.ref, policies: {}, tls: tls2, jwtProviders: [] };
  }
  if (terms) {
    const routes = overTls.flatMap((rules2) => secured.has(rules2.namespace) ? rules2.routes : []);
    sites.set(ingressHttps, { terms, routes });
  }
  return sites;
}
function securingIngresses(ruling, host2, reader, report) {
  if (ruling.length === 0 || host2 === anyHost) return [];
  const known5 = new Set(ruling.map(({ ref }) => ref));
  const namespaces = new Set(ruling.map(({ meta }) => meta.namespace));
  return ingressesOf(reader.claimants(tlsHostKey(host2)), reader).filter(({ ref, meta, spec }) => {
    if (known5.has(ref)) return false;
    if (namespaces.has(meta.namespace)) return true;
    const entry = (spec.tls ?? []).findIndex(({ hosts }) => hosts?.some((one) => one.toLowerCase() === host2));
    const message = `host ${JSON.stringify(host2)}: the entry secures nothing, as no Ingress of this namespace has a rule for the host`;
    report.warn(ref, type, "HostOfAnotherNamespace", message, `spec.tls[${entry}].hosts`);
    return false;
  });
}
var annotation3 = ({ meta }, name3) => meta.annotations[`projectcontour.io/${name3}`] ?? meta.annotations[`contour.heptio.com/${name3}`];
function readRules(ingress, host2, reader, report) {
  const routes = [];
  const add2 = (match, written, backend2, path3) => {
    const route2 = readPath2(ingress, match, written, backend2, path3, reader, report);
    if (route2) routes.push(route2);
  };
  if (host2 === anyHost && ingress.spec.defaultBackend) {
    add2({ kind: "prefix", value: "/" }, "/", ingress.spec.defaultBackend, "spec.defaultBackend");
  }
  for (const [i, rule] of (ingress.spec.rules ?? []).entries()) {
    if ((rule.host || anyHost).toLowerCase() !== host2) continue;
    for (const [j, fields] of (rule.http?.paths ?? []).entries()) {
      const path3 = `spec.rules[${i}].http.paths[${j}]`;
      const match = readPathMatch(fields);
      const wrong = pathProblem2(match, reader.settings.budgets.regexProgramSize);
      if (wrong) {
        const message = `path ${JSON.stringify(fields.path)} ${wrong}`;
        report.error(ingress.ref, type, "PathNotValid", message, `${path3}.path`);
        continue;
      }
      const unreachable = unreachablePath(match, reader.settings);
      if (unreachable) report.warn(ingress.ref, type, "PathNeverMatches", unreachable, `${path3}.path`);
      add2(match, fields.path || "/", fields.backend, `${path3}.backend`);
    }
  }
  return routes;
}
function pathProblem2({ kind, value }, maxProgramSize) {
  if (kind !== "regex")
    return isPath(value) ? void 0 : "must start with / and hold no query, space or control character";
  const wrong = regexProblem(value, maxProgramSize);
  return wrong && `is not RE2: ${wrong}`;
}
function readPathMatch({ path: path3, pathType }) {
  const value = path3 || "/";
  if (pathType === "Exact") return { kind: "exact", value };
  if (pathType === "Prefix") {
    const trimmed = trimSlashes(value);
    return trimmed === "" ? { kind: "prefix", value: "/" } : { kind: "segment", value: trimmed };
  }
  return /[\^+*[\]%]/.test(value) ? { kind: "regex", value } : { kind: "prefix", value };
}
function readPath2(ingress, path3, written, backend2, field, reader, report) {
  const service3 = backend2.service;
  if (!service3) {
    report.error(
      ingress.ref,
      type,
      "BackendNotSupported",
      "only backends of kind Service are supported",
      field
    );
    return void 0;
  }
  const port2 = service3.port?.number ?? service3.port?.name ?? 0;
  const certificate2 = clientCertificate(reader);
  if (certificate2.error) {
    report.error(ingress.ref, "TLSError", "SecretNotValid", certificate2.error, field);
    return void 0;
  }
  const { cluster, error } = readCluster(
    reader,
    ingress.meta.namespace,
    service3.name,
    port2,
    certificate2.options
  );
  if (!cluster) {
    report.error(
      ingress.ref,
      type,
      "ServiceUnresolvedReference",
      `unresolved service reference: ${error}`,
      field
    );
    return void 0;
  }
  return {
    match: { path: path3, headers: [], queries: [] },
    action: {
      kind: "forward",
      backends: [backendOf(cluster, 0, ingressHeaders(reader.settings, cluster))]
    },
    policies: readPolicies2(ingress, written, report),
    insecure: "serve",
    from: ingress.ref,
    field
  };
}
function readPolicies2(ingress, path3, report) {
  const text4 = annotation3(ingress, "response-timeout") ?? annotation3(ingress, "request-timeout");
  const timeout4 = readTimeout(text4);
  if (timeout4.error) {
    report.warn(
      ingress.ref,
      type,
      "TimeoutPolicyNotValid",
      `response-timeout: ${timeout4.error}; the default is used`,
      "metadata.annotations"
    );
  }
  const retryOn2 = annotation3(ingress, "retry-on");
  const retries = Number(annotation3(ingress, "num-retries") ?? "");
  const retry = retryOn2 ? readRetryPolicy({
    count: Number.isInteger(retries) ? retries : 0,
    perTryTimeout: annotation3(ingress, "per-try-timeout") ?? "",
    retryOn: retryOn2.split(",").map((part2) => part2.trim())
  }) : void 0;
  const websockets = annotation3(ingress, "websocket-routes")?.split(",").map((part2) => part2.trim());
  return {
    ...timeout4.ms === void 0 ? {} : { timeout: { response: timeout4.ms } },
    ...retry ? { retry } : {},
    ...websockets?.includes(path3) ? { websocket: true } : {}
  };
}
function readIngressTls(ingress, host2, reader, report) {
  let found;
  for (const [i, entry] of (ingress.spec.tls ?? []).entries()) {
    if (!entry.hosts?.some((h) => h.toLowerCase() === host2) || !entry.secretName) continue;
    const path3 = `spec.tls[${i}].secretName`;
    const namespace = annotation3(ingress, "tls-cert-namespace") || ingress.meta.namespace;
    const secret = { namespace, name: entry.secretName };
    const { pair, error } = isDelegated(reader, secret, ingress.meta.namespace) ? readKeyPair(reader, secret) : { error: "certificate delegation not permitted" };
    if (pair) warnOfCertificate(pair, { about: ingress.ref, path: path3, secret, host: host2 }, report);
    const range = tlsRange(
      annotation3(ingress, "tls-minimum-protocol-version"),
      annotation3(ingress, "tls-maximum-protocol-version"),
      reader
    );
    if (!error && range) found = { secret: `${namespace}/${entry.secretName}`, ...range };
    else {
      const message = error ? `Secret "${namespace}/${entry.secretName}" is invalid: ${error}` : "the minimum TLS version is greater than the maximum";
      report.error(ingress.ref, type, error ? "SecretNotValid" : "TLSConfigNotValid", message, path3);
    }
  }
  return found;
}

// src/graph/ingressroute.ts
var type2 = "IngressRouteError";
var maxDepth6 = 64;
var describe2 = (ref) => ref.slice("IngressRoute/".length);
var ingressRoutesOf = (refs, reader) => objectsOf("IngressRoute", refs, reader).filter(
  (found) => isAllowedClass(found, void 0, reader.settings)
);
var ingressRouteProblem = ({ spec: { virtualhost } }) => virtualhost?.fqdn?.includes("*") ? `Spec.VirtualHost.Fqdn "${virtualhost.fqdn}" cannot use wildcards` : void 0;
function readIngressRouteRoot(root, reader, report) {
  if (isOverBudget(root, type2, "spec", reader, report)) return void 0;
  const owner = root.ref;
  const host2 = root.spec.virtualhost;
  let tls2;
  if (host2?.tls?.secretName) {
    tls2 = readRootTls(root, reader, report);
    if (!tls2) return void 0;
  }
  const passthrough = !tls2 && (host2?.tls?.passthrough ?? false);
  const tcp = root.spec.tcpproxy && (tls2 || passthrough) ? readTcp(root, reader, report, [root.ref]) : void 0;
  const secure = tls2 !== void 0;
  const routes = readRoutes(root, { parents: [root.ref], secure }, reader, report);
  return rootOf({ kind: "http", owner, policies: {} }, readSecureTerms2(owner, passthrough, tls2, tcp), routes);
}
function readSecureTerms2(owner, passthrough, tls2, tcp) {
  if (tcp?.length) return { kind: "tcp", owner, ...tls2 ? { tls: tls2 } : {}, backends: tcp };
  if (passthrough) return { kind: "none", owner };
  return tls2 && { kind: "https", owner, policies: {}, tls: tls2, jwtProviders: [] };
}
function readRootTls(root, reader, report) {
  const fields = root.spec.virtualhost?.tls;
  const path3 = "spec.virtualhost.tls.secretName";
  const secret = secretName(fields?.secretName ?? "", root.meta.namespace);
  const name3 = `${secret.namespace}/${secret.name}`;
  if (!isDelegated(reader, secret, root.meta.namespace)) {
    report.error(
      root.ref,
      type2,
      "DelegationNotPermitted",
      `Spec.VirtualHost.TLS Secret "${name3}" certificate delegation not permitted`,
      path3
    );
    return void 0;
  }
  const { pair, error } = readKeyPair(reader, secret);
  if (!pair) {
    report.error(
      root.ref,
      type2,
      "SecretNotValid",
      `Spec.VirtualHost.TLS Secret "${fields?.secretName}" is invalid: ${error}`,
      path3
    );
    return void 0;
  }
  const host2 = root.spec.virtualhost?.fqdn?.toLowerCase() ?? "";
  warnOfCertificate(pair, { about: root.ref, path: path3, secret, host: host2 }, report);
  const range = tlsRange(fields?.minimumProtocolVersion, void 0, reader);
  if (!range) return void 0;
  return { secret: name3, ...range };
}
function readRoutes(object, place, reader, report) {
  const routes = [];
  for (const [i, route2] of (object.spec.routes ?? []).entries()) {
    const path3 = `spec.routes[${i}]`;
    const fail = (reason, message, field = "") => report.error(object.ref, type2, reason, message, path3 + field);
    const problem2 = routeProblem(route2, place);
    if (problem2) {
      fail(problem2.reason, problem2.message, problem2.field);
      return routes;
    }
    if (route2.services?.length) {
      const found = readServicesRoute(object, route2, path3, place, reader, report);
      if (!found) return routes;
      routes.push(found);
    } else if (route2.delegate) {
      const target = follow(object, route2.delegate, place.parents, path3, reader, report);
      if (target === "stop") return routes;
      if (!target) continue;
      const inner = { ...place, parents: [...place.parents, target.ref], within: route2.match };
      append(routes, readRoutes(target, inner, reader, report));
    }
  }
  return routes;
}
function routeProblem({ match, services, delegate: delegate2 }, { within: within2 }) {
  if (services?.length && delegate2) {
    const message2 = `route "${match}": cannot specify services and delegate in the same route`;
    return { reason: "ServicesAndDelegate", message: message2 };
  }
  if (within2 === void 0 || isWithin(match, within2)) return void 0;
  const message = `the path prefix "${match}" does not match the parent's path prefix "${within2}"`;
  return { reason: "PathMatchNotValid", message, field: ".match" };
}
var segments = (path3) => path3.endsWith("/") ? path3 : `${path3}/`;
var isWithin = (child, parent) => segments(child).startsWith(segments(parent));
function follow(object, delegate2, parents, path3, reader, report, label3 = "route") {
  const target = reader.get("IngressRoute", delegate2.namespace || object.meta.namespace, delegate2.name);
  if (!target) return void 0;
  const fail = (reason, message) => {
    report.error(object.ref, type2, reason, message, `${path3}.delegate`);
    return "stop";
  };
  if (target.spec.virtualhost) {
    return fail("RootDelegatesToRoot", "root ingressroute cannot delegate to another root ingressroute");
  }
  if (parents.includes(target.ref) || parents.length >= maxDepth6) {
    const names4 = [...parents, target.ref].map(describe2).join(" -> ");
    return fail("DelegationCycle", `${label3} creates a delegation cycle: ${names4}`);
  }
  const forbidden = includeProblem(target, parents, reader, report);
  return forbidden ? fail("IncludeNotPermitted", `delegation is not permitted: ${forbidden}`) : target;
}
function readServicesRoute(object, route2, path3, place, reader, report) {
  const backends = [];
  for (const [j, service3] of (route2.services ?? []).entries()) {
    const cluster = readService2(
      object,
      service3,
      `route "${route2.match}": `,
      `${path3}.services[${j}]`,
      reader,
      report
    );
    if (!cluster) return void 0;
    backends.push(backendOf(cluster, service3.weight ?? 0, defaultHeaders(reader.settings, cluster)));
  }
  const action = { kind: "forward", backends };
  const cookie = route2.services?.some((service3) => service3.strategy === "Cookie");
  const timeout4 = route2.timeoutPolicy?.request;
  const retry = readRetryPolicy(route2.retryPolicy);
  const matched = { kind: "prefix", value: route2.match };
  const policies2 = {
    ...timeout4 ? { timeout: { response: readTimeout(timeout4).ms ?? 0 } } : {},
    ...retry ? { retry } : {},
    ...route2.prefixRewrite ? { pathRewrite: replacePrefix(matched, route2.prefixRewrite) } : {},
    ...cookie ? { hash: sessionAffinity } : {},
    ...route2.enableWebsockets ? { websocket: true } : {}
  };
  const unreachable = unreachablePath(matched, reader.settings);
  if (unreachable) report.warn(object.ref, type2, "PathNeverMatches", unreachable, `${path3}.match`);
  const keepHttp = route2.permitInsecure && !reader.settings.disablePermitInsecure;
  return {
    match: { path: matched, headers: [], queries: [] },
    action,
    policies: policies2,
    insecure: place.secure && !keepHttp ? "redirect" : "serve",
    from: object.ref,
    field: path3
  };
}
var strategies = /* @__PURE__ */ new Map([
  ["WeightedLeastRequest", "least-request"],
  ["Random", "random"],
  ["Cookie", "ring-hash"]
]);
function readService2(object, service3, label3, path3, reader, report) {
  const fail = (reason, message) => {
    report.error(object.ref, type2, reason, message, path3);
    return void 0;
  };
  if (service3.port < 1 || service3.port > 65535) {
    return fail("ServicePortInvalid", `${label3}service "${service3.name}": port must be in the range 1-65535`);
  }
  const certificate2 = clientCertificate(reader);
  if (certificate2.error) return fail("SecretNotValid", certificate2.error);
  const check2 = service3.healthCheck;
  const base2 = {
    ...certificate2.options,
    loadBalancing: strategies.get(service3.strategy) ?? "round-robin",
    ...check2 ? {
      healthCheck: {
        kind: "http",
        path: check2.path,
        host: check2.host || "contour-envoy-healthcheck",
        intervalSeconds: check2.intervalSeconds || 10,
        timeoutSeconds: check2.timeoutSeconds || 2,
        unhealthyThreshold: check2.unhealthyThresholdCount || 3,
        healthyThreshold: check2.healthyThresholdCount || 2
      }
    } : {}
  };
  const { cluster } = readCluster(reader, object.meta.namespace, service3.name, service3.port, base2);
  if (!cluster)
    return fail(
      "ServiceUnresolvedReference",
      `Service [${service3.name}:${service3.port}] is invalid or missing`
    );
  if (!service3.validation || cluster.protocol !== "tls") return cluster;
  const secret = secretName(service3.validation.caSecret ?? "", object.meta.namespace);
  const delegated = isDelegated(reader, secret, object.meta.namespace);
  const { ca, error } = delegated ? readCaBundle(reader, secret) : { error: "certificate delegation not permitted" };
  const wrong = error ?? (service3.validation.subjectName ? void 0 : "missing subject alternative name");
  if (!ca || wrong) {
    return fail(
      "TLSUpstreamValidation",
      `Service [${service3.name}:${service3.port}] TLS upstream validation policy error: ${wrong}`
    );
  }
  return { ...cluster, validation: { ca, subjectNames: [service3.validation.subjectName ?? ""] } };
}
function readTcp(object, reader, report, parents) {
  const tcp = object.spec.tcpproxy;
  const path3 = "spec.tcpproxy";
  if (tcp?.services?.length && tcp.delegate) {
    report.error(
      object.ref,
      type2,
      "ServicesAndDelegate",
      "tcpproxy: cannot specify services and delegate in the same tcpproxy",
      path3
    );
    return void 0;
  }
  if (tcp?.delegate) {
    const target = follow(object, tcp.delegate, parents, path3, reader, report, "tcpproxy");
    return target && target !== "stop" ? readTcp(target, reader, report, [...parents, target.ref]) : void 0;
  }
  const { options: options2, error } = clientCertificate(reader);
  if (error) {
    report.error(object.ref, type2, "SecretNotValid", error, path3);
    return void 0;
  }
  const backends = [];
  for (const [j, service3] of (tcp?.services ?? []).entries()) {
    const { cluster } = readCluster(reader, object.meta.namespace, service3.name, service3.port, options2);
    if (!cluster) {
      const message = `tcpproxy: service ${object.meta.namespace}/${service3.name}/${service3.port}: not found`;
      report.error(object.ref, type2, "ServiceUnresolvedReference", message, `${path3}.services[${j}]`);
      return void 0;
    }
    backends.push({ cluster, weight: 0 });
  }
  return backends;
}

// src/graph/host-owners.ts
function readHostClaims(host2, view, reader) {
  const claimants = reader.claimants(`vhost:${host2}`);
  return {
    roots: [...proxiesOf(claimants, reader), ...ingressRoutesOf(claimants, reader)],
    ingresses: ingressesOf(claimants, reader),
    routes: view ? attachedRoutes(host2, view, reader) : /* @__PURE__ */ new Map()
  };
}
var paths = {
  Ingress: "spec.rules",
  HTTPRoute: "spec.hostnames",
  GRPCRoute: "spec.hostnames",
  TLSRoute: "spec.hostnames",
  TCPRoute: "spec.parentRefs"
};
function withOwners(host2, claims, view, reader, report) {
  const { settings } = reader;
  if (settings.hostOwners.length + settings.rootNamespaces.length === 0) return claims;
  const owners = ownersOf(host2, settings);
  const named3 = filterClaims(claims, ({ ref, kind, meta }) => {
    if (!owners || owners.includes(meta.namespace)) return true;
    const message = `host "${host2}" is for objects of ${owners.join(", ")} alone (the setting hostOwners)`;
    return refuse2(ref, {
      type: claimFinding(ref),
      reason: "HostNotAllowedInNamespace",
      message,
      path: pathOf(kind)
    });
  });
  let held;
  const isHeld = () => held ??= !owners && isOfRoots(host2, named3, view, reader);
  return filterClaims(named3, ({ ref, kind, meta }) => {
    if (isRootNamespace(meta.namespace, settings)) return true;
    if (kind === "HTTPProxy" || kind === "IngressRoute") return refuse2(ref, notARoot(kind));
    if (!isHeld()) return true;
    const message = `host "${host2}" is that of an object in the root namespaces, and so for objects of these alone (the setting rootNamespaces)`;
    return refuse2(ref, {
      type: claimFinding(ref),
      reason: "HostNotAllowedInNamespace",
      message,
      path: pathOf(kind)
    });
  });
  function refuse2(ref, { type: type4, reason, message, path: path3 }) {
    report.error(ref, type4, reason, message, path3);
    return false;
  }
}
var pathOf = (kind) => paths[kind] ?? "spec.virtualhost.fqdn";
var notARoot = (kind) => ({
  ...kind === "HTTPProxy" ? { type: "RootNamespaceError", reason: "RootProxyNotAllowedInNamespace" } : { type: "IngressRouteError", reason: "RootIngressRouteNotAllowedInNamespace" },
  message: `root ${kind} cannot be defined in this namespace`,
  path: "metadata.namespace"
});
function filterClaims({ roots, ingresses, routes }, may) {
  return {
    roots: roots.filter(may),
    ingresses: ingresses.filter(may),
    routes: new Map([...routes].filter(([route2]) => may(route2)))
  };
}
function ownersOf(host2, { hostOwners }) {
  let best;
  for (const entry of hostOwners) {
    if (entry.host === host2) return entry.namespaces;
    const covers2 = entry.host.startsWith("*.") && host2.endsWith(entry.host.slice(1));
    if (covers2 && entry.host.length > (best?.host.length ?? 0)) best = entry;
  }
  return best?.namespaces;
}
function keepersOf(host2, claims, { settings }) {
  const entry = settings.hostOwners.find((one) => one.host === host2);
  if (entry) return (namespace) => entry.namespaces.includes(namespace);
  if (settings.rootNamespaces.length === 0 || ownersOf(host2, settings)) return void 0;
  const isRoot = (namespace) => isRootNamespace(namespace, settings);
  return someOf(claims, ({ meta }) => isRoot(meta.namespace)) ? isRoot : void 0;
}
var someOf = ({ roots, ingresses, routes }, is) => [...roots, ...ingresses, ...routes.keys()].some(is);
function isOfRoots(host2, claims, view, reader) {
  const isRoot = ({ meta }) => isRootNamespace(meta.namespace, reader.settings);
  const some = (found) => someOf(found, isRoot);
  if (host2 === "*") return false;
  if (some(claims)) return true;
  return widerThan(host2).some((wider) => wider !== "*" && some(readHostClaims(wider, view, reader)));
}

// src/graph/roots.ts
function readRoot(candidates, reader, report) {
  const roots = candidates.filter((root2) => {
    const problem2 = root2.kind === "IngressRoute" ? ingressRouteProblem(root2) : void 0;
    if (problem2) report.error(root2.ref, claimFinding(root2.ref), "FQDNNotValid", problem2, fqdnPath);
    return problem2 === void 0;
  });
  const [root, another] = roots;
  if (!another) return root && readOne(root, reader, report);
  const owners = describe3(roots.map(({ ref }) => ref));
  for (const { ref, spec } of roots) {
    const message = `fqdn "${spec.virtualhost?.fqdn}" is used in multiple ${owners}`;
    report.error(ref, claimFinding(ref), "DuplicateVhost", message, fqdnPath);
  }
  return new Set(roots.map(({ meta }) => meta.namespace)).size > 1 ? "contested" : void 0;
}
var maxRoots = 10;
var fqdnPath = "spec.virtualhost.fqdn";
var readOne = (root, reader, report) => root.kind === "HTTPProxy" ? readProxyRoot(root, reader, report) : readIngressRouteRoot(root, reader, report);
var plurals = { HTTPProxy: "HTTPProxies", IngressRoute: "IngressRoutes" };
function describe3(refs) {
  const kinds4 = [...new Set(refs.map(kindOf))].sort();
  const names4 = refs.map((ref) => kinds4.length === 1 ? ref.slice(kindOf(ref).length + 1) : ref);
  return `${kinds4.map((kind) => plurals[kind]).join(" and ")}: ${listSome(names4, maxRoots)}`;
}

// src/graph/bare-paths.ts
function withBarePaths(routes) {
  const bare = routes.flatMap((route2) => bareRoute(route2) ?? []);
  if (bare.length === 0) return [...routes];
  const key = ({ match: { path: path3, headers: headers3, queries } }) => JSON.stringify([path3.value, headers3, queries]);
  const exact = new Set(routes.filter(({ match }) => match.path.kind === "exact").map(key));
  return [...routes, ...bare.filter((route2) => !exact.has(key(route2)))];
}
function bareRoute(route2) {
  const { match, action, policies: policies2 } = route2;
  const bare = (action.kind === "redirect" ? action.rewrite : policies2.pathRewrite)?.bare;
  if (bare === void 0) return void 0;
  const rewrite = { prefix: bare };
  return {
    ...route2,
    match: { ...match, path: { kind: "bare", value: match.path.value.slice(0, -1) } },
    ...action.kind === "redirect" ? { action: { ...action, rewrite } } : { policies: { ...policies2, pathRewrite: rewrite } }
  };
}

// src/graph/same-matches.ts
var kinds3 = ["GRPCRoute", "HTTPRoute", "HTTPProxy", "IngressRoute", "Ingress"];
var rankOf = ({ from }) => kinds3.indexOf(kindOf(from));
function orderRoutes(routes, options2) {
  const groups = /* @__PURE__ */ new Map();
  for (const route2 of routes) {
    const key = keyOf(route2.match);
    const group = groups.get(key);
    if (group) add(group, route2, options2);
    else groups.set(key, [route2]);
  }
  const all = withBarePaths([...groups.values()].flat());
  const compare = all.some(({ priority }) => priority) ? compareRoutes : compareByMatch;
  return all.sort((a, b) => compare(a, b) || spans(a) - spans(b));
}
var compareByMatch = (a, b) => compareMatches(a.match, b.match);
var spans = ({ spansLabels }) => Number(spansLabels === true);
function keyOf({ path: { kind, value }, headers: headers3, queries }) {
  const path3 = kind === "prefix" || kind === "segment" ? ["prefix", trimSlashes(value)] : [kind, value];
  return JSON.stringify([path3, headers3, queries]);
}
function add(group, route2, { wildcard: wildcard2, onSame }) {
  for (const other of [...group]) {
    const sameKind = rankOf(other) === rankOf(route2);
    if (sameKind && compareByMatch(other, route2) !== 0) continue;
    const [first, later] = rankOf(other) < rankOf(route2) ? [other, route2] : [route2, other];
    const taken = isPathTaken(first.match, later.match) && (!wildcard2 || spans(first) >= spans(later));
    if (taken || !sameKind) onSame(later, first);
    if (!taken) continue;
    if (later === route2) return;
    group.splice(group.indexOf(other), 1);
  }
  group.push(route2);
}
function isPathTaken({ path: first }, { path: later }) {
  if (first.kind === "prefix") return later.value.length >= first.value.length;
  return first.kind !== "segment" || later.kind === "segment" || later.value.length > first.value.length;
}

// src/graph/sites.ts
var wildcard = (host2) => ({
  name: ":authority",
  kind: "regex",
  value: `(?i)[a-z0-9]([-a-z0-9]*[a-z0-9])?${host2.slice(1).replaceAll(".", "\\.")}(:[0-9]+)?`,
  invert: false,
  ignoreCase: false,
  treatMissingAsEmpty: false
});
function joinSites(host2, claims, report) {
  const sharing = new Sharing(host2, report);
  const joined = /* @__PURE__ */ new Map();
  for (const listener2 of new Set(claims.flatMap((sites) => [...sites.keys()]))) {
    const [own, ...others] = claims.flatMap((sites) => sites.get(listener2) ?? []);
    if (own) joined.set(listener2, join(host2, own, others, sharing));
  }
  sharing.tell();
  return joined;
}
function join(host2, { terms, routes }, others, sharing) {
  if (terms.kind === "tcp" || terms.kind === "none") {
    for (const other of others) sharing.refuse(terms, other);
    return { terms, routes };
  }
  const guests = others.filter((other) => {
    if (isPlain2(other.terms, terms)) return true;
    sharing.refuse(terms, other);
    return false;
  });
  for (const site of [{ terms, routes }, ...guests]) sharing.share(terms.owner, site);
  const all = [...guests.reverse().flatMap((guest) => guest.routes), ...routes];
  return { terms, routes: finish(all, host2, sharing) };
}
function isPlain2(terms, { kind }) {
  if (terms.kind !== kind || Object.keys(terms.policies).length > 0) return false;
  if (terms.kind === "http") return true;
  const { tls: tls2, authorization: authorization2, jwtProviders } = terms;
  return !tls2.clientValidation && !authorization2 && jwtProviders.length === 0;
}
function finish(routes, host2, sharing) {
  const isWildcard = host2.startsWith("*.");
  const ordered = orderRoutes(routes, {
    wildcard: isWildcard,
    onSame: (later, first) => sharing.sameMatch(later, first)
  });
  if (!isWildcard) return ordered;
  const extra = wildcard(host2);
  return ordered.map(
    (route2) => route2.spansLabels ? route2 : { ...route2, match: { ...route2.match, headers: [extra, ...route2.match.headers] } }
  );
}

// src/graph/virtual-host.ts
function buildVirtualHost(host2, reader, report) {
  const view = readGateway(reader);
  const claims = readClaims(host2, view, reader, report);
  const sites = readSites(host2, claims, view, reader, report);
  warnOfEscapedSlashes(
    [...sites.values()].map(({ routes }) => routes),
    reader,
    report
  );
  const isKeeper = keepersOf(host2, claims, reader);
  const sitesOf = (wider) => {
    const quiet = createReport();
    return readSites(wider, readClaims(wider, view, reader, quiet), view, reader, quiet);
  };
  return {
    host: host2,
    sites,
    closed: isKeeper ? closedListeners({ host: host2, sites, isKeeper }, sitesOf, reader) : noneClosed,
    ...view ? { websockets: true } : {}
  };
}
var noneClosed = /* @__PURE__ */ new Map();
var readClaims = (host2, view, reader, report) => withOwners(host2, readHostClaims(host2, view, reader), view, reader, report);
function readSites(host2, { roots, ingresses, routes }, view, reader, report) {
  const found = readRoot(roots, reader, report);
  const gateway = readGatewaySites(host2, routes, reader, report);
  if (found === "contested") refuseIngresses(host2, ingresses, report);
  const [root, ruling] = found === "contested" ? [void 0, []] : [found, ingresses];
  const ingress = readIngresses(ruling, host2, reader, report);
  const others = view ? withListeners(view, root, ingress, report) : [root?.sites ?? noSites, ingress];
  return joinSites(host2, [gateway, ...others], report);
}
function refuseIngresses(host2, ingresses, report) {
  const message = `host ${JSON.stringify(host2)} has roots in several namespaces, so that neither they nor Ingresses are served; leave one root`;
  for (const { ref } of ingresses)
    report.error(ref, claimFinding(ref), "HostOfAnotherObject", message, "spec.rules");
}
var noSites = /* @__PURE__ */ new Map();
function withListeners(view, root, ingress, report) {
  const missing2 = missingListeners(view);
  if (missing2.size === 0) return [root?.sites ?? noSites, ingress];
  const asked2 = root?.secure ? ["HTTP", "HTTPS"] : ["HTTP"];
  const lacking = asked2.filter((kind) => missing2.has(kind));
  const tell = (about4, kind) => report.error(about4, "ListenerError", "ErrorIdentifyingListener", `no ${kind} listener configured`);
  if (root) for (const kind of lacking) tell(root.ref, kind);
  if (missing2.has("HTTP"))
    for (const from of new Set(ingress.get(ingressHttp)?.routes.map((route2) => route2.from)))
      tell(from, "HTTP");
  const kept2 = [...ingress].filter(
    ([listener2]) => !missing2.has("HTTP") && (listener2 !== ingressHttps || !missing2.has("HTTPS"))
  );
  return [lacking.length > 0 ? noSites : root?.sites ?? noSites, new Map(kept2)];
}

// src/schema/same.ts
var isSame = (a, b) => a === b || isAlike(a, b);
function isAlike(a, b) {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) return Array.isArray(a) && Array.isArray(b) && isSameList(a, b);
  for (const key in a) if (!isSame(fieldOf(a, key), fieldOf(b, key))) return false;
  for (const key in b) if (!Object.hasOwn(a, key) && fieldOf(b, key) !== void 0) return false;
  return true;
}
var fieldOf = (value, key) => Object.hasOwn(value, key) ? value[key] : void 0;
function isSameList(a, b) {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i] && !isAlike(a[i], b[i])) return false;
  return true;
}

// src/xds/access-log.ts
function writeAccessLog(path3, options2) {
  if (options2.level === "disabled") return [];
  const filter2 = writeFilter(options2.level);
  const format = options2.format === "json" ? writeJson(options2.jsonFields) : writeText(options2.formatString);
  return [
    {
      name: "envoy.access_loggers.file",
      ...filter2 ? { filter: filter2 } : {},
      typed_config: {
        "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
        path: path3,
        ...format ? { log_format: format } : {}
      }
    }
  ];
}
function writeText(format) {
  if (format === "") return void 0;
  return { text_format_source: { inline_string: format }, ...writeFormatters([format]) };
}
function writeJson(asked2) {
  const fields = (asked2.length > 0 ? asked2 : defaultJsonFields).map(readJsonField);
  return {
    json_format: Object.fromEntries(fields.map(({ name: name3, format }) => [name3, format])),
    omit_empty_values: true,
    ...writeFormatters(fields.map(({ format }) => format))
  };
}
var formatters = [
  {
    operator: /%REQ_WITHOUT_QUERY[(%]/,
    config: {
      name: "envoy.formatter.req_without_query",
      typed_config: {
        "@type": "type.googleapis.com/envoy.extensions.formatter.req_without_query.v3.ReqWithoutQuery"
      }
    }
  },
  {
    operator: /%METADATA[(%]/,
    config: {
      name: "envoy.formatter.metadata",
      typed_config: { "@type": "type.googleapis.com/envoy.extensions.formatter.metadata.v3.Metadata" }
    }
  }
];
function writeFormatters(formats) {
  const used = formatters.filter(({ operator }) => formats.some((format) => operator.test(format)));
  return used.length > 0 ? { formatters: used.map(({ config }) => config) } : {};
}
var readsSource = ({ level, format, jsonFields, formatString }) => level !== "disabled" && (format === "json" ? jsonFields : [formatString]).some(
  (text4) => /^contour_config_(?:kind|namespace|name)$|:io\.projectcontour\./.test(text4)
);
var leastStatus = { info: void 0, error: 300, critical: 500, disabled: void 0 };
function writeFilter(level) {
  const status = leastStatus[level];
  if (status === void 0) return void 0;
  const value = { default_value: status, runtime_key: "contour.accesslog.filter.status_code" };
  return {
    or_filter: {
      filters: [{ status_code_filter: { comparison: { op: "GE", value } } }, { response_flag_filter: {} }]
    }
  };
}

// src/xds/config-source.ts
var compiledName = "isoline";
var configSource = {
  resource_api_version: "V3",
  initial_fetch_timeout: "0s",
  api_config_source: {
    api_type: "REST",
    transport_api_version: "V3",
    cluster_names: [compiledName],
    refresh_delay: "0.1s",
    request_timeout: "30s"
  }
};
var clusterNames = (name3) => `"cluster_names":${JSON.stringify([name3])}`;
var compiledNames = clusterNames(compiledName);

// src/xds/certificate.ts
var inline = ({ certificate: certificate2, privateKey }) => ({
  certificate_chain: { inline_bytes: btoa(certificate2) },
  private_key: { inline_bytes: btoa(privateKey) }
});
var writeCertificate = ({
  secret,
  pair
}) => pair ? { tls_certificates: [inline(pair)] } : { tls_certificate_sds_secret_configs: [{ name: secret, sds_config: configSource }] };
function writeSecret(name3, pair) {
  const secret = { name: name3, tls_certificate: inline(pair) };
  return { type: "secret", group: "", name: name3, json: JSON.stringify(secret) };
}

// src/xds/duration.ts
var duration2 = (ms) => `${Number(((ms > 0 && ms < 1 ? 1 : ms) / 1e3).toFixed(9))}s`;

// src/xds/endpoints.ts
function writeEndpoints(name3, { groups, mode }, settings) {
  const localities = writeLocalities(groups, settings);
  return { type: "endpoints", group: "", name: name3, json: JSON.stringify(localities), ...mode ? { mode } : {} };
}
var writeEndpoint = ({ address, port: port2, healthPort }) => ({
  endpoint: {
    address: { socket_address: { address, port_value: port2 } },
    ...healthPort ? { health_check_config: { port_value: healthPort } } : {}
  }
});
var areClustersWeighted = ({ clusters }) => clusters.some(({ weight }) => weight !== void 0);
function writeLocalities(groups, settings) {
  const weighted = areClustersWeighted(settings);
  const clusters = groups.map(({ cluster }) => settings.clusters.find(({ name: name3 }) => name3 === cluster));
  const priorities = [...new Set(clusters.map((cluster) => cluster?.priority ?? 0))].sort((a, b) => a - b);
  return groups.map(({ endpoints }, i) => {
    const cluster = clusters[i];
    const priority = priorities.indexOf(cluster?.priority ?? 0);
    return {
      ...cluster ? { locality: localityOf(cluster) } : {},
      lb_endpoints: endpoints.map(writeEndpoint),
      ...weighted ? { load_balancing_weight: cluster?.weight ?? 1 } : {},
      ...priority > 0 ? { priority } : {}
    };
  });
}
var localityOf = ({ name: name3, region, zone }) => ({
  ...region ? { region } : {},
  ...zone ? { zone } : {},
  sub_zone: name3
});

// src/xds/hash.ts
function contentHash(text4) {
  let a = 2166136261;
  let b = 2538058380;
  for (let i = 0; i < text4.length; i++) {
    const c2 = text4.charCodeAt(i);
    a = Math.imul(a ^ c2, 16777619);
    b = Math.imul(b ^ c2, 1540483477) ^ b >>> 15;
  }
  return mix(a ^ text4.length) + mix(b ^ a);
}
function mix(h) {
  let x = h ^ h >>> 16;
  x = Math.imul(x, 2246822507);
  x ^= x >>> 13;
  x = Math.imul(x, 3266489909);
  x ^= x >>> 16;
  return (x >>> 0).toString(16).padStart(8, "0");
}

// src/xds/listener-settings.ts
var settingMs = (text4) => readTimeout(text4).ms;
var timeout3 = (text4) => {
  const ms = settingMs(text4);
  return ms === void 0 ? void 0 : duration2(ms);
};
function connectionTimeouts({ timeouts, listener: listener2 }) {
  const idle = timeout3(timeouts.connectionIdleTimeout);
  const maximum = settingMs(timeouts.maxConnectionDuration) ? timeout3(timeouts.maxConnectionDuration) : void 0;
  const requests = listener2.maxRequestsPerConnection;
  const common = {
    ...idle ? { idle_timeout: idle } : {},
    ...maximum ? { max_connection_duration: maximum } : {},
    ...requests ? { max_requests_per_connection: requests } : {}
  };
  const request = timeout3(timeouts.requestTimeout);
  const stream = timeout3(timeouts.streamIdleTimeout);
  const close = timeout3(timeouts.delayedCloseTimeout);
  const drain = timeout3(timeouts.connectionShutdownGracePeriod);
  return {
    ...Object.keys(common).length > 0 ? { common_http_protocol_options: common } : {},
    ...request ? { request_timeout: request } : {},
    ...stream ? { stream_idle_timeout: stream } : {},
    ...close ? { delayed_close_timeout: close } : {},
    ...drain ? { drain_timeout: drain } : {}
  };
}
var httpVersions = (settings) => {
  const asked2 = settings.httpVersions;
  const h1 = asked2.includes("HTTP/1.1");
  const h2 = asked2.includes("HTTP/2");
  return h1 || h2 ? { h1, h2 } : { h1: true, h2: true };
};
var keepalive = [
  { description: "Enable TCP keep-alive", level: 1, name: 9, int_value: 1, state: "STATE_LISTENING" },
  {
    description: "TCP keep-alive initial idle time",
    level: 6,
    name: 4,
    int_value: 45,
    state: "STATE_LISTENING"
  },
  {
    description: "TCP keep-alive time between probes",
    level: 6,
    name: 5,
    int_value: 5,
    state: "STATE_LISTENING"
  },
  { description: "TCP keep-alive probe count", level: 6, name: 6, int_value: 9, state: "STATE_LISTENING" }
];
var packetOptions = (address, { tos, trafficClass }) => [
  ...tos ? [packetOption("Set IPv4 TOS field", 0, 1, tos)] : [],
  ...trafficClass && address.includes(":") ? [packetOption("Set IPv6 Traffic Class field", 41, 67, trafficClass)] : []
];
var packetOption = (description, level, name3, value) => ({
  description,
  level,
  name: name3,
  int_value: value,
  state: "STATE_LISTENING"
});
var listenAddress2 = (address, port2) => ({
  socket_address: { address, port_value: port2, ...address === "::" ? { ipv4_compat: true } : {} }
});
function listenerBase(name3, address, port2, settings) {
  const {
    perConnectionBufferLimitBytes: limit2,
    connectionBalancer,
    maxConnectionsToAcceptPerSocketEvent: accept
  } = settings.listener;
  return {
    name: name3,
    address: listenAddress2(address, port2),
    socket_options: [...keepalive, ...packetOptions(address, settings.listener.socketOptions)],
    ...limit2 ? { per_connection_buffer_limit_bytes: limit2 } : {},
    ...connectionBalancer === "exact" ? { connection_balance_config: { exact_balance: {} } } : {},
    ...accept ? { max_connections_to_accept_per_socket_event: accept } : {}
  };
}

// src/xds/tls-parameters.ts
var versions2 = { "1.2": "TLSv1_2", "1.3": "TLSv1_3" };
var writeTlsParameters = (minimum, maximum, {
  cipherSuites,
  ecdhCurves
}) => ({
  tls_minimum_protocol_version: versions2[minimum],
  tls_maximum_protocol_version: versions2[maximum],
  ...cipherSuites.length > 0 ? { cipher_suites: cipherSuites } : {},
  ...ecdhCurves.length > 0 ? { ecdh_curves: ecdhCurves } : {}
});

// src/xds/cluster.ts
var policies = {
  "round-robin": void 0,
  random: "RANDOM",
  "least-request": "LEAST_REQUEST",
  "ring-hash": "RING_HASH"
};
var located = ["namespace", "service", "port", "endpoints", "mode"];
var contents = /* @__PURE__ */ new WeakMap();
var maxContents = 4096;
var isLocated = new Set(located);
function contentKey(cluster) {
  let key = "";
  for (const field in cluster) {
    const value = cluster[field];
    if (!isLocated.has(field) && value !== void 0) key += `${field}=${JSON.stringify(value)};`;
  }
  return key;
}
function contentOf(cluster, settings) {
  let known5 = contents.get(settings);
  if (!known5) {
    known5 = /* @__PURE__ */ new Map();
    contents.set(settings, known5);
  }
  const key = contentKey(cluster);
  const found = known5.get(key);
  if (found) return found;
  const { perConnectionBufferLimitBytes: bufferLimit, maxRequestsPerConnection } = cluster.weightedLocalities ? {} : settings.cluster;
  const written = {
    connect_timeout: duration2(settingMs(settings.timeouts.connectTimeout) ?? 2e3),
    common_lb_config: {
      healthy_panic_threshold: {},
      ...areLocalitiesWeighted(cluster, settings) ? { locality_weighted_lb_config: {} } : {}
    },
    ...policies[cluster.loadBalancing] ? { lb_policy: policies[cluster.loadBalancing] } : {},
    ...cluster.healthCheck ? writeHealthChecks(cluster.healthCheck, cluster.protocol) : {},
    ...cluster.circuitBreakers ? { circuit_breakers: writeCircuitBreakers(cluster.circuitBreakers) } : {},
    ...cluster.slowStart ? writeSlowStart(cluster.slowStart, cluster.loadBalancing) : {},
    ...bufferLimit ? { per_connection_buffer_limit_bytes: bufferLimit } : {},
    ...writeTransport(cluster, settings),
    ...writeHttpOptions(cluster, maxRequestsPerConnection)
  };
  const members2 = JSON.stringify(written).slice(1, -1);
  const { externalName = "", healthPort } = cluster;
  const checked2 = healthPort === void 0 ? "" : `/${healthPort}`;
  const content2 = { members: members2, hash: contentHash(`${members2}${externalName}${checked2}`) };
  if (known5.size >= maxContents) known5.clear();
  known5.set(key, content2);
  return content2;
}
var areLocalitiesWeighted = ({ weightedLocalities, externalName }, settings) => weightedLocalities === true || externalName === void 0 && areClustersWeighted(settings);
var clusterName2 = (cluster, settings) => [cluster.namespace, cluster.service, cluster.port, contentOf(cluster, settings).hash].join("/");
function writeCluster(cluster, name3, settings) {
  const { namespace, service: service3, port: port2, endpoints, mode } = cluster;
  const external = cluster.externalName ? `,${JSON.stringify(writeExternal(cluster, name3, settings)).slice(1, -1)}` : "";
  const statName = JSON.stringify(`${namespace}_${service3}_${port2}`);
  const { members: members2 } = contentOf(cluster, settings);
  return {
    type: "cluster",
    group: "",
    name: name3,
    // Joined at once: as a rope it would take several times as much memory until it is read.
    json: ['{"name":', JSON.stringify(name3), ',"alt_stat_name":', statName, ",", members2, external, "}"].join(
      ""
    ),
    ...endpoints ? { endpoints } : {},
    ...mode ? { mode } : {}
  };
}
var clusterMembers = (wishes, settings) => contentOf(wishes, settings).members;
var writeRange = ({
  start,
  end
}) => ({
  start: `${start}`,
  end: `${end}`
});
function writeSlowStart(slow, balancing) {
  const config = {
    slow_start_config: {
      slow_start_window: duration2(slow.windowMs),
      aggression: { default_value: slow.aggression, runtime_key: "contour.slowstart.aggression" },
      min_weight_percent: { value: slow.minWeightPercent }
    }
  };
  return balancing === "least-request" ? { least_request_lb_config: config } : { round_robin_lb_config: config };
}
function writeHealthChecks(check2, protocol4) {
  const h2 = protocol4 === "h2" || protocol4 === "h2c";
  const kind = check2.kind === "tcp" ? { tcp_health_check: {} } : {
    http_health_check: {
      path: check2.path,
      host: check2.host,
      ...check2.expectedStatuses ? { expected_statuses: check2.expectedStatuses.map(writeRange) } : {},
      ...h2 ? { codec_client_type: "HTTP2" } : {}
    }
  };
  const common = {
    timeout: duration2(check2.timeoutSeconds * 1e3),
    interval: duration2(check2.intervalSeconds * 1e3),
    unhealthy_threshold: check2.unhealthyThreshold,
    healthy_threshold: check2.healthyThreshold
  };
  return { health_checks: [{ ...common, ...kind }], ignore_health_on_host_removal: true };
}
function writeCircuitBreakers(limits) {
  const { maxConnections, maxPendingRequests, maxRequests, maxRetries, perHostMaxConnections } = limits;
  return {
    thresholds: [
      {
        ...maxConnections ? { max_connections: maxConnections } : {},
        ...maxPendingRequests ? { max_pending_requests: maxPendingRequests } : {},
        ...maxRequests ? { max_requests: maxRequests } : {},
        ...maxRetries ? { max_retries: maxRetries } : {},
        track_remaining: true
      }
    ],
    ...perHostMaxConnections ? { per_host_thresholds: [{ max_connections: perHostMaxConnections }] } : {}
  };
}
var base64 = (text4) => btoa(text4);
function upstreamTls(cluster, settings, alpn = []) {
  const { validation, clientCertificate: clientCertificate2 } = cluster;
  const sni = serverName(cluster.sni ?? cluster.externalName ?? "");
  const tls2 = settings.cluster.upstreamTls;
  const context = {
    "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
    ...sni ? { sni } : {},
    common_tls_context: {
      tls_params: writeTlsParameters(tls2.minimumProtocolVersion, tls2.maximumProtocolVersion, tls2),
      ...alpn.length > 0 ? { alpn_protocols: alpn } : {},
      ...clientCertificate2 ? writeCertificate(clientCertificate2) : {},
      ...validation ? {
        validation_context: {
          trusted_ca: { inline_bytes: base64(validation.ca) },
          match_typed_subject_alt_names: validation.subjectNames.map((exact) => ({
            san_type: "DNS",
            matcher: { exact }
          }))
        }
      } : {}
    }
  };
  return { name: "envoy.transport_sockets.tls", typed_config: context };
}
function writeTransport(cluster, settings) {
  const { protocol: protocol4 } = cluster;
  if (protocol4 !== "tls" && protocol4 !== "h2") return {};
  return { transport_socket: upstreamTls(cluster, settings, protocol4 === "h2" ? ["h2"] : []) };
}
function writeHttpOptions({ protocol: protocol4, idleConnectionMs }, maxRequests) {
  const h2 = protocol4 === "h2" || protocol4 === "h2c";
  const common = {
    ...idleConnectionMs === void 0 ? {} : { idle_timeout: duration2(idleConnectionMs) },
    ...maxRequests ? { max_requests_per_connection: maxRequests } : {}
  };
  const plain2 = Object.keys(common).length === 0;
  if (!h2 && plain2) return {};
  return {
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        ...plain2 ? {} : { common_http_protocol_options: common },
        explicit_http_config: h2 ? { http2_protocol_options: {} } : { http_protocol_options: {} }
      }
    }
  };
}
var families = { auto: "AUTO", v4: "V4_ONLY", v6: "V6_ONLY", all: "ALL" };
function writeExternal({ externalName, port: port2 }, name3, settings) {
  const family = settings.dnsLookupFamily;
  const address = { socket_address: { address: externalName ?? "", port_value: port2 } };
  return {
    type: family === "all" ? "LOGICAL_DNS" : "STRICT_DNS",
    dns_lookup_family: families[family],
    load_assignment: { cluster_name: name3, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] }
  };
}

// src/xds/weights.ts
var maxSum = 4294967295;
function fitWeights(weights) {
  if (weights.every((weight) => weight === 0)) return weights.map(() => 1);
  const sum = weights.reduce((a, b) => a + b, 0);
  return sum <= maxSum ? weights : weights.map((weight) => Math.floor(weight / sum * maxSum));
}

// src/xds/extension-cluster.ts
function writeExtension(extension, found, settings) {
  const name3 = extensionCluster(extension);
  const weights = fitWeights(found.map(({ weight }) => weight));
  const localities = found.flatMap(
    ({ service: service3, port: port2, endpoints: endpoints2 }, i) => writeLocalities(endpoints2.groups, settings).map((locality) => ({
      ...locality,
      locality: {
        ...locality.locality,
        sub_zone: subZone(`${service3}:${port2}`, locality.locality?.sub_zone)
      },
      ...weights[i] ? { load_balancing_weight: weights[i] } : {}
    }))
  );
  const mode = found.find(({ endpoints: endpoints2 }) => endpoints2.mode)?.endpoints.mode;
  const members2 = clusterMembers({ ...extension.cluster, weightedLocalities: true }, settings);
  const head3 = `{"name":${JSON.stringify(name3)},"alt_stat_name":${JSON.stringify(name3.replaceAll("/", "_"))}`;
  const common = { group: "", ...mode ? { mode } : {} };
  const endpoints = `extension:${extension.namespace}/${extension.name}`;
  return [
    { type: "cluster", ...common, name: name3, json: `${head3},${members2}}`, endpoints },
    { type: "endpoints", ...common, name: endpoints, json: JSON.stringify(localities) }
  ];
}
var subZone = (service3, cluster) => cluster ? `${cluster}/${service3}` : service3;
function writeJwksCluster(server, settings) {
  const { scheme, host: host2, port: port2, family, validation } = server;
  const base2 = `dnsname/${scheme}/${host2}/${port2}`;
  const content2 = {
    type: family === "all" ? "LOGICAL_DNS" : "STRICT_DNS",
    dns_lookup_family: families[family],
    ...scheme === "https" ? { transport_socket: upstreamTls({ sni: host2, ...validation ? { validation } : {} }, settings) } : {}
  };
  const name3 = `${base2}/${contentHash(JSON.stringify(content2))}`;
  const address = { socket_address: { address: host2, port_value: port2 } };
  const cluster = {
    name: name3,
    alt_stat_name: base2.replace(/[^A-Za-z0-9]+/g, "_"),
    connect_timeout: "2s",
    common_lb_config: { healthy_panic_threshold: {} },
    ...content2,
    load_assignment: { cluster_name: name3, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] }
  };
  return { type: "cluster", group: "", name: name3, json: JSON.stringify(cluster) };
}

// src/xds/filter-names.ts
var filterNames = {
  authorization: "envoy.filters.http.ext_authz",
  cookieRewrite: "envoy.filters.http.lua",
  cors: "envoy.filters.http.cors",
  ipFilter: "envoy.filters.http.rbac",
  jwt: "envoy.filters.http.jwt_authn",
  misdirected: "isoline.misdirected_request",
  localRateLimit: "envoy.filters.http.local_ratelimit",
  rateLimit: "envoy.filters.http.ratelimit"
};

// src/xds/policy/cookie.ts
var cookieScript = "cookie_rewrite.lua";
function cookieConfig(rewrites) {
  const rules2 = rewrites.map(({ name: name3, path: path3, domain, secure, sameSite }) => {
    const rule = {
      ...path3 === void 0 ? {} : { path: path3 },
      ...domain === void 0 ? {} : { domain },
      ...secure === void 0 ? {} : { secure },
      ...sameSite === void 0 ? {} : { same_site: sameSite }
    };
    return [name3, rule];
  });
  return {
    [filterNames.cookieRewrite]: {
      "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.LuaPerRoute",
      name: cookieScript,
      filter_context: { rules: Object.fromEntries(rules2) }
    }
  };
}
var cookieSource = `local function rewrite(cookie, rules)
  local name = string.match(cookie, "^%s*([^=;]*)=")
  local rule = name and rules[name]
  if rule == nil then return cookie end
  local wanted = {}
  if rule["path"] ~= nil then wanted["path"] = "Path=" .. rule["path"] end
  if rule["domain"] ~= nil then wanted["domain"] = "Domain=" .. rule["domain"] end
  if rule["secure"] == true then wanted["secure"] = "Secure" end
  if rule["same_site"] ~= nil then wanted["samesite"] = "SameSite=" .. rule["same_site"] end
  local parts = {}
  for part in string.gmatch(cookie, "[^;]+") do
    local text = string.match(part, "^%s*(.-)%s*$")
    local key = string.lower(string.match(text, "^([^=]*)"))
    if #parts == 0 then
      table.insert(parts, text)
    elseif key == "secure" and rule["secure"] == false then
      text = nil
    elseif wanted[key] ~= nil then
      table.insert(parts, wanted[key])
      wanted[key] = nil
    elseif text ~= "" then
      table.insert(parts, text)
    end
  end
  for _, key in ipairs({"path", "domain", "secure", "samesite"}) do
    if wanted[key] ~= nil then table.insert(parts, wanted[key]) end
  end
  return table.concat(parts, "; ")
end

function envoy_on_response(handle)
  local rules = handle:filterContext():get("rules")
  if rules == nil or handle:headers():get("set-cookie") == nil then return end
  local cookies = {}
  for key, value in pairs(handle:headers()) do
    if key == "set-cookie" then table.insert(cookies, rewrite(value, rules)) end
  end
  handle:headers():remove("set-cookie")
  for _, cookie in ipairs(cookies) do handle:headers():add("set-cookie", cookie) end
end
`;

// src/xds/http-filters.ts
var types = "type.googleapis.com/envoy.extensions";
var compressedTypes = [
  "text/html",
  "text/plain",
  "text/css",
  "application/javascript",
  "application/x-javascript",
  "text/javascript",
  "text/x-javascript",
  "text/ecmascript",
  "text/js",
  "text/jscript",
  "text/x-js",
  "application/ecmascript",
  "application/x-json",
  "application/xml",
  "application/json",
  "image/svg+xml",
  "text/xml",
  "application/xhtml+xml",
  "application/grpc-web",
  "application/grpc-web+proto",
  "application/grpc-web+json",
  "application/grpc-web+thrift",
  "application/grpc-web-text",
  "application/grpc-web-text+proto",
  "application/grpc-web-text+thrift"
];
var libraries = {
  gzip: { name: "gzip", typed_config: { "@type": `${types}.compression.gzip.compressor.v3.Gzip` } },
  brotli: { name: "brotli", typed_config: { "@type": `${types}.compression.brotli.compressor.v3.Brotli` } },
  zstd: { name: "zstd", typed_config: { "@type": `${types}.compression.zstd.compressor.v3.Zstd` } }
};
function compressor(algorithm2) {
  return {
    name: "envoy.filters.http.compressor",
    typed_config: {
      "@type": `${types}.filters.http.compressor.v3.Compressor`,
      compressor_library: libraries[algorithm2],
      response_direction_config: {
        common_config: { content_type_matcher: compressedTypes.map((exact) => ({ exact })) }
      }
    }
  };
}
var misdirected = `function envoy_on_request(handle)
  local host = string.lower(handle:headers():get(":authority") or "")
  host = string.gsub(host, ":%d+$", "")
  host = string.gsub(host, "%.$", "")
  if string.lower(handle:streamInfo():requestedServerName()) ~= host then
    handle:respond({[":status"] = "421"}, "misdirected request")
  end
end
`;
var misdirectedFilter = {
  name: filterNames.misdirected,
  typed_config: {
    "@type": `${types}.filters.http.lua.v3.Lua`,
    default_source_code: { inline_string: misdirected }
  }
};
var cookieFilter = {
  name: filterNames.cookieRewrite,
  typed_config: {
    "@type": `${types}.filters.http.lua.v3.Lua`,
    source_codes: { [cookieScript]: { inline_string: cookieSource } }
  }
};
function httpFilters(settings, options2) {
  const { checkSni, cookies, jwt, authorization: authorization2, rateLimits: rateLimits2 } = options2;
  return [
    ...checkSni ? [misdirectedFilter] : [],
    ...settings.compression === "disabled" ? [] : [compressor(settings.compression)],
    {
      name: "envoy.filters.http.grpc_web",
      typed_config: { "@type": `${types}.filters.http.grpc_web.v3.GrpcWeb` }
    },
    {
      name: "envoy.filters.http.grpc_stats",
      typed_config: {
        "@type": `${types}.filters.http.grpc_stats.v3.FilterConfig`,
        emit_filter_state: true,
        enable_upstream_stats: true
      }
    },
    { name: filterNames.cors, typed_config: { "@type": `${types}.filters.http.cors.v3.Cors` } },
    {
      name: filterNames.localRateLimit,
      typed_config: {
        "@type": `${types}.filters.http.local_ratelimit.v3.LocalRateLimit`,
        stat_prefix: "http"
      }
    },
    ...cookies ? [cookieFilter] : [],
    { name: filterNames.ipFilter, typed_config: { "@type": `${types}.filters.http.rbac.v3.RBAC` } },
    ...jwt ? [jwt] : [],
    ...authorization2 ? [authorization2] : [],
    ...rateLimits2 ? [rateLimits2] : [],
    { name: "router", typed_config: { "@type": `${types}.filters.http.router.v3.Router` } }
  ];
}

// src/xds/protection-filters.ts
var types2 = "type.googleapis.com/envoy.extensions.filters.http";
var grpcService = ({ cluster, authority, timeoutMs }) => ({
  envoy_grpc: { cluster_name: cluster, authority },
  ...timeoutMs === void 0 ? {} : { timeout: duration2(timeoutMs) }
});
var writeAllowed = ({ kind, value, ignoreCase }) => ({
  [kind]: value,
  ...ignoreCase ? { ignore_case: true } : {}
});
function authorizationFilter(authorization2) {
  const { cluster, timeoutMs, http, failOpen, body: body2 } = authorization2;
  const service3 = http ? {
    http_service: {
      // Required by Envoy, which takes only the path prefix and the cluster to heart.
      server_uri: { uri: "http://dummy/", cluster, timeout: duration2(timeoutMs ?? 0) },
      ...http.pathPrefix ? { path_prefix: http.pathPrefix.replace(/^(?!\/)/, "/") } : {},
      ...http.upstreamHeaders.length > 0 ? {
        authorization_response: {
          allowed_upstream_headers: { patterns: http.upstreamHeaders.map(writeAllowed) }
        }
      } : {}
    },
    ...http.requestHeaders.length > 0 ? { allowed_headers: { patterns: http.requestHeaders.map(writeAllowed) } } : {}
  } : { grpc_service: grpcService(authorization2) };
  return {
    name: filterNames.authorization,
    typed_config: {
      "@type": `${types2}.ext_authz.v3.ExtAuthz`,
      ...service3,
      transport_api_version: "V3",
      clear_route_cache: true,
      include_peer_certificate: true,
      status_on_error: { code: "Forbidden" },
      ...failOpen ? { failure_mode_allow: true } : {},
      ...body2 ? {
        with_request_body: {
          max_request_bytes: body2.maxBytes,
          ...body2.allowPartial ? { allow_partial_message: true } : {},
          ...body2.asBytes ? { pack_as_bytes: true } : {}
        }
      } : {}
    }
  };
}
function jwtFilter(providers, clusterOf2) {
  const written = providers.map((provider) => {
    const { name: name3, issuer, audiences, forward, keys: keys2 } = provider;
    const source2 = keys2.kind === "local" ? { local_jwks: { inline_bytes: btoa(keys2.jwks) } } : {
      remote_jwks: {
        http_uri: {
          uri: keys2.uri,
          cluster: clusterOf2(keys2.server),
          timeout: duration2(keys2.timeoutMs)
        },
        ...keys2.cacheMs === void 0 ? {} : { cache_duration: duration2(keys2.cacheMs) }
      }
    };
    return [
      name3,
      {
        ...issuer ? { issuer } : {},
        ...audiences.length > 0 ? { audiences } : {},
        ...forward ? { forward } : {},
        ...source2
      }
    ];
  });
  return {
    name: filterNames.jwt,
    typed_config: {
      "@type": `${types2}.jwt_authn.v3.JwtAuthentication`,
      providers: Object.fromEntries(written),
      requirement_map: Object.fromEntries(providers.map(({ name: name3 }) => [name3, { provider_name: name3 }]))
    }
  };
}
var rateLimitFilter = (service3) => ({
  name: filterNames.rateLimit,
  typed_config: {
    "@type": `${types2}.ratelimit.v3.RateLimit`,
    domain: service3.domain,
    ...service3.timeoutMs === void 0 ? {} : { timeout: duration2(service3.timeoutMs) },
    ...service3.failOpen ? {} : { failure_mode_deny: true },
    ...service3.limitHeaders ? { enable_x_ratelimit_headers: "DRAFT_VERSION_03" } : {},
    ...service3.resourceExhausted ? { rate_limited_as_resource_exhausted: true } : {},
    rate_limit_service: {
      grpc_service: grpcService({ cluster: service3.cluster, authority: service3.authority }),
      transport_api_version: "V3"
    }
  }
});
function writeTag({ tag, kind, value }) {
  if (kind === "literal") return { tag, literal: { value } };
  return kind === "environment" ? { tag, environment: { name: value } } : { tag, request_header: { name: value } };
}
var writeTracing = (tracing) => ({
  client_sampling: { value: tracing.client },
  random_sampling: { value: tracing.random },
  overall_sampling: { value: tracing.overall },
  max_path_tag_length: tracing.maxPathTagLength,
  ...tracing.tags.length > 0 ? { custom_tags: tracing.tags.map(writeTag) } : {},
  provider: {
    name: "envoy.tracers.opentelemetry",
    typed_config: {
      "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
      grpc_service: grpcService(tracing),
      service_name: tracing.serviceName
    }
  },
  spawn_upstream_span: true
});

// src/xds/route-shards.ts
var flipping = ["13579n-z", "2-36-7g-mt-z", "4-7d-fj-mq-sw-z", "89b-ce-fh-il-mo-pu-vy-z"];
var codes = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code).toLowerCase();
  return flipping.reduce((bits2, set, i) => bits2 | (new RegExp(`[${set}]`).test(character) ? 1 << i : 0), 0);
});
var wholeRoutes = (table, config_source) => ({
  rds: { config_source, route_config_name: table }
});

// src/xds/stats-listener.ts
var adminCluster = "envoy-admin";
var readOnly = (path3) => ({
  match: { path: path3, headers: [{ name: ":method", string_match: { exact: "GET" } }] },
  route: { cluster: adminCluster }
});
var readyPaths = ["/ready"];
var statsPaths = ["/stats", "/stats/prometheus"];
function writeStatsListeners(settings) {
  const { health, metrics, omEnforcedHealth } = readAdminEndpoints(settings).endpoints;
  const shared = metrics?.address === health.address && metrics.port === health.port;
  const exempt = { ignore_global_conn_limit: true };
  return [
    ...shared ? [{ ...writeListener("stats-health", health, [...readyPaths, ...statsPaths]), ...exempt }] : [],
    ...metrics && !shared ? [{ ...writeListener("stats", metrics, statsPaths, transport(metrics.tls, settings)), ...exempt }] : [],
    ...shared ? [] : [{ ...writeListener("health", health, readyPaths), ...exempt }],
    ...omEnforcedHealth ? [writeListener("health-om-enforced", omEnforcedHealth, readyPaths)] : []
  ];
}
var writeListener = (name3, { address, port: port2 }, paths2, transportSocket) => ({
  name: name3,
  address: listenAddress2(address, port2),
  socket_options: keepalive,
  filter_chains: [
    {
      filters: [
        {
          name: "envoy.filters.network.http_connection_manager",
          typed_config: {
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            stat_prefix: "stats",
            normalize_path: true,
            route_config: {
              name: "stats",
              validate_clusters: false,
              virtual_hosts: [{ name: "backend", domains: ["*"], routes: paths2.map(readOnly) }]
            },
            http_filters: [
              {
                name: "router",
                typed_config: {
                  "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
                }
              }
            ]
          }
        }
      ],
      ...transportSocket ? { transport_socket: transportSocket } : {}
    }
  ]
});
var certificateName = "metrics-tls-certificate";
var authoritiesName = "metrics-ca-certificate";
var certificateOf = ({ certFile, keyFile }) => ({
  certificate_chain: { filename: certFile },
  private_key: { filename: keyFile }
});
var authoritiesOf = ({ caFile }) => ({
  trusted_ca: { filename: caFile }
});
function transport(files, settings) {
  if (!files) return void 0;
  const sds = settings.secrets === "sds";
  const config = (name3) => ({ name: name3, sds_config: configSource });
  const authorities = sds ? { validation_context_sds_secret_config: config(authoritiesName) } : { validation_context: authoritiesOf(files) };
  return {
    name: "envoy.transport_sockets.tls",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
      ...files.caFile ? { require_client_certificate: true } : {},
      common_tls_context: {
        tls_params: { tls_minimum_protocol_version: "TLSv1_3", tls_maximum_protocol_version: "TLSv1_3" },
        ...sds ? { tls_certificate_sds_secret_configs: [config(certificateName)] } : { tls_certificates: [certificateOf(files)] },
        ...files.caFile ? authorities : {}
      }
    }
  };
}
function writeStatsSecrets(settings) {
  const files = readAdminEndpoints(settings).endpoints.metrics?.tls;
  if (!files || settings.secrets !== "sds") return [];
  const secrets = [
    { name: certificateName, tls_certificate: certificateOf(files) },
    ...files.caFile ? [{ name: authoritiesName, validation_context: authoritiesOf(files) }] : []
  ];
  return secrets.map((secret) => ({
    type: "secret",
    group: "",
    name: secret.name ?? "",
    json: JSON.stringify(secret)
  }));
}
function writeSentinelCluster() {
  const name3 = "isoline/none";
  const cluster = {
    name: name3,
    type: "STATIC",
    connect_timeout: "1s",
    load_assignment: { cluster_name: name3 }
  };
  return { type: "cluster", group: "", name: name3, json: JSON.stringify(cluster) };
}

// src/xds/listener.ts
var transformations = {
  overwrite: "OVERWRITE",
  append_if_absent: "APPEND_IF_ABSENT",
  pass_through: "PASS_THROUGH"
};
var escapedSlashes = {
  keep: {},
  reject: { path_with_escaped_slashes_action: "REJECT_REQUEST" },
  unescape: { path_with_escaped_slashes_action: "UNESCAPE_AND_FORWARD" }
};
function writeHttpConnectionManager({ listener: listener2, secure, table = listener2, tracing, forwardCertificate, websockets, ...filters2 }, settings) {
  const { h1, h2 } = httpVersions(settings);
  const codec = h1 && h2 ? "AUTO" : h2 ? "HTTP2" : "HTTP1";
  const { accessLog: path3 } = secure ? settings.https : settings.http;
  const log = writeAccessLog(path3, settings.accessLog);
  const streams = settings.listener.httpMaxConcurrentStreams;
  const manager = {
    codec_type: codec,
    stat_prefix: listener2,
    ...wholeRoutes(table, configSource),
    http_filters: httpFilters(settings, filters2),
    use_remote_address: true,
    ...settings.xffNumTrustedHops ? { xff_num_trusted_hops: settings.xffNumTrustedHops } : {},
    normalize_path: true,
    merge_slashes: !settings.disableMergeSlashes,
    ...escapedSlashes[settings.escapedSlashes],
    preserve_external_request_id: true,
    http_protocol_options: {
      accept_http_10: true,
      allow_chunked_length: !settings.disableAllowChunkedLength
    },
    ...streams ? { http2_protocol_options: { max_concurrent_streams: streams } } : {},
    server_header_transformation: transformations[settings.serverHeaderTransformation],
    ...settings.stripTrailingHostDot ? { strip_trailing_host_dot: true } : {},
    ...connectionTimeouts(settings),
    ...log.length > 0 ? { access_log: log } : {},
    ...websockets ? { upgrade_configs: [{ upgrade_type: "websocket" }] } : {},
    ...tracing ? { tracing: writeTracing(tracing) } : {},
    ...forwardCertificate ? {
      forward_client_cert_details: "SANITIZE_SET",
      set_current_client_cert_details: forwardCertificate
    } : {}
  };
  return {
    name: "envoy.filters.network.http_connection_manager",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
      ...manager
    }
  };
}
var proxyProtocol = {
  name: "envoy.filters.listener.proxy_protocol",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol"
  }
};
var tlsInspector = ({ ja3, ja4 }) => ({
  name: "envoy.filters.listener.tls_inspector",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector",
    ...ja3 ? { enable_ja3_fingerprinting: true } : {},
    ...ja4 ? { enable_ja4_fingerprinting: true } : {}
  }
});
var routeTable = (name3) => {
  const table = {
    name: name3,
    request_headers_to_add: [
      {
        header: { key: "x-request-start", value: "t=%START_TIME(%s.%3f)%" },
        append_action: "APPEND_IF_EXISTS_OR_ADD"
      }
    ],
    ignore_port_in_host_matching: true
  };
  return { type: "route-configuration", group: "", name: name3, json: JSON.stringify(table) };
};
function writeListeners(fronts, settings, services) {
  return [
    ...fronts.flatMap((front) => writeFront(front, settings, services)),
    ...writeStatsSecrets(settings),
    ...writeStatsListeners(settings).map((listener2) => listenerResource(listener2, ""))
  ];
}
var usualFronts = ({ http, https }) => [
  { name: ingressHttp, family: "http", port: http.port },
  { name: ingressHttps, family: "https", port: https.port }
];
var listenerResource = (listener2, group, name3 = listener2.name ?? "") => ({ type: "listener", group, name: name3, json: JSON.stringify(listener2) });
function writeFront({ name: name3, listener: envoyName = name3, family, port: port2, websockets }, settings, { authorization: authorization2, rateLimits: rateLimits2, tracing }) {
  const { address } = family === "https" ? settings.https : settings.http;
  const base2 = listenerBase(envoyName, address, port2, settings);
  const filters2 = [
    ...settings.useProxyProtocol ? [proxyProtocol] : [],
    ...family === "https" ? [tlsInspector(settings.tls.fingerprint)] : []
  ];
  const listener2 = { ...base2, ...filters2.length > 0 ? { listener_filters: filters2 } : {} };
  if (family === "tcp") return [listenerResource(listener2, "chains", name3)];
  if (family === "https") return [routeTable(name3), listenerResource(listener2, "chains", name3)];
  const manager = {
    listener: name3,
    secure: false,
    websockets,
    cookies: true,
    ...authorization2 ? { authorization: authorizationFilter(authorization2) } : {},
    ...rateLimits2 ? { rateLimits: rateLimitFilter(rateLimits2) } : {},
    ...tracing ? { tracing } : {}
  };
  const chains = [{ filters: [writeHttpConnectionManager(manager, settings)] }];
  return [routeTable(name3), listenerResource({ ...listener2, filter_chains: chains }, "http", name3)];
}

// src/xds/policy/ip-filter.ts
function rules({ allow, ranges }, http) {
  const principals = ranges.map(({ remote, address, prefixLength }) => {
    const range = { address_prefix: address, prefix_len: prefixLength };
    return remote && http ? { remote_ip: range } : { direct_remote_ip: range };
  });
  return {
    action: allow ? "ALLOW" : "DENY",
    policies: { "ip-rules": { permissions: [{ any: true }], principals } }
  };
}
var networkIpFilter = (filter2, statPrefix) => ({
  name: "envoy.filters.network.rbac",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.filters.network.rbac.v3.RBAC",
    stat_prefix: statPrefix,
    rules: rules(filter2, false)
  }
});
var ipFilterConfig = (filter2) => ({
  [filterNames.ipFilter]: {
    "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBACPerRoute",
    rbac: { rules: rules(filter2, true) }
  }
});
var writeIpFilter = (filter2) => ({ filters: ipFilterConfig(filter2) });

// src/xds/filter-chain.ts
var fallbackChain = ".fallback";
function writeFilterChain(terms, routes, context) {
  const { host: host2, listener: listener2, settings, pair } = context;
  return chainResource(listener2, host2, {
    filters: [writeHttpConnectionManager(managerOptions(terms, routes, context), settings)],
    transport_socket: writeTransport2(terms.tls, settings, pair, true)
  });
}
function writeTcpHostChain({ backends, ipFilter, tls: tls2 }, names4, context) {
  const { host: host2, listener: listener2, settings, pair } = context;
  const tcp = writeTcpProxy(backends, names4, context);
  return chainResource(listener2, host2, {
    filters: [...ipFilter ? [networkIpFilter(ipFilter, listener2)] : [], tcp],
    ...tls2 ? { transport_socket: writeTransport2(tls2, settings, pair, false) } : {}
  });
}
var chainResource = (listener2, name3, chain) => ({
  type: "filter-chain",
  group: listener2,
  name: name3,
  json: JSON.stringify(chain)
});
var writeTcpChain = (backends, names4, context) => chainResource(context.listener, "", { filters: [writeTcpProxy(backends, names4, context)] });
function managerOptions({ authorization: own, jwtProviders, tls: tls2 }, routes, { listener: listener2, services, websockets, clusterOf: clusterOf2 }) {
  const authorization2 = own ?? services.authorization;
  const tokens = jwtProviders.length > 0 || routes.some((route2) => route2.policies.jwtProvider);
  const forward = tls2.clientValidation?.forward;
  return {
    listener: listener2,
    secure: true,
    websockets,
    checkSni: true,
    cookies: routes.some(rewritesCookies),
    ...tokens ? { jwt: jwtFilter(jwtProviders, clusterOf2) } : {},
    ...authorization2 ? { authorization: authorizationFilter(authorization2) } : {},
    ...services.rateLimits ? { rateLimits: rateLimitFilter(services.rateLimits) } : {},
    ...services.tracing ? { tracing: services.tracing } : {},
    ...forward ? { forwardCertificate: forward } : {}
  };
}
var rewritesCookies = ({ action }) => action.kind === "forward" && action.backends.some(({ policies: policies2 }) => policies2.cookieRewrites !== void 0);
function writeFallbackChain(secret, context) {
  const { listener: listener2, settings, services, websockets, pair } = context;
  const { authorization: authorization2, rateLimits: rateLimits2, tracing } = services;
  const manager = {
    listener: listener2,
    secure: true,
    table: fallbackTable,
    websockets,
    cookies: true,
    ...authorization2 ? { authorization: authorizationFilter(authorization2) } : {},
    ...rateLimits2 ? { rateLimits: rateLimitFilter(rateLimits2) } : {},
    ...tracing ? { tracing } : {}
  };
  const { minimumProtocolVersion: minimum, maximumProtocolVersion: maximum } = settings.tls;
  const chain = {
    filters: [writeHttpConnectionManager(manager, settings)],
    transport_socket: writeTransport2({ secret, minimum, maximum }, settings, pair, true)
  };
  return chainResource(listener2, fallbackChain, chain);
}
function writeClientValidation(validation) {
  const { ca, crl, crlLeafOnly, optional, skipVerification } = validation;
  const context = {
    ...skipVerification ? { trust_chain_verification: "ACCEPT_UNTRUSTED" } : {},
    ...ca ? { trusted_ca: { inline_bytes: btoa(ca) } } : {},
    ...crl ? { crl: { inline_bytes: btoa(crl) } } : {},
    ...crl && crlLeafOnly ? { only_verify_leaf_cert_crl: true } : {}
  };
  return {
    require_client_certificate: !optional,
    common_tls_context: { validation_context: context }
  };
}
function writeTransport2(tls2, settings, pair, http) {
  const { h1, h2 } = httpVersions(settings);
  const client = tls2.clientValidation ? writeClientValidation(tls2.clientValidation) : {};
  const context = {
    "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
    ...client,
    common_tls_context: {
      ...client.common_tls_context,
      tls_params: writeTlsParameters(tls2.minimum, tls2.maximum, settings.tls),
      ...writeCertificate({ secret: tls2.secret, ...pair ? { pair } : {} }),
      ...http ? { alpn_protocols: [...h2 ? ["h2"] : [], ...h1 ? ["http/1.1"] : []] } : {}
    }
  };
  return { name: "envoy.transport_sockets.tls", typed_config: context };
}
var closedCluster = "isoline.closed";
var writeClosedChain = (host2, context) => chainResource(context.listener, host2, {
  filters: [writeTcpProxy([{ weight: 1 }], [closedCluster], context)]
});
function writeTcpProxy(backends, names4, { listener: listener2, settings }) {
  const clusters = fitWeights(backends.map(({ weight }) => weight)).map((weight, i) => ({ name: names4[i] ?? "", weight })).filter(({ weight }) => weight > 0).sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : a.weight - b.weight);
  const only2 = clusters.length === 1 ? clusters[0] : void 0;
  const log = writeAccessLog(settings.https.accessLog, settings.accessLog);
  return {
    name: "envoy.filters.network.tcp_proxy",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
      stat_prefix: listener2,
      ...only2 ? { cluster: only2.name } : { weighted_clusters: { clusters } },
      idle_timeout: duration2(9001e3),
      ...log.length > 0 ? { access_log: log } : {}
    }
  };
}

// src/xds/match.ts
function writePath({ kind, value }) {
  switch (kind) {
    case "exact":
    case "bare":
      return { path: value };
    case "segment":
      return { path_separated_prefix: value };
    case "regex":
      return { safe_regex: { regex: value.startsWith("^") ? value : `^${value}` } };
    case "prefix":
      return { prefix: value };
  }
}
function writeHeader(match) {
  const { name: name3, kind, value } = match;
  const ignoreCase = match.ignoreCase ? { ignore_case: true } : {};
  const flags2 = {
    ...match.invert ? { invert_match: true } : {},
    ...match.treatMissingAsEmpty ? { treat_missing_header_as_empty: true } : {}
  };
  if (kind === "present") return { name: name3, present_match: true, ...flags2 };
  if (kind === "regex") return { name: name3, string_match: { safe_regex: { regex: value } }, ...flags2 };
  return {
    name: name3,
    string_match: { ...kind === "exact" ? { exact: value } : { contains: value }, ...ignoreCase },
    ...flags2
  };
}
function writeQuery({ name: name3, kind, value, ignoreCase }) {
  if (kind === "present") return { name: name3, present_match: true };
  if (kind === "regex") return { name: name3, string_match: { safe_regex: { regex: value } } };
  return { name: name3, string_match: { [kind]: value, ...ignoreCase ? { ignore_case: true } : {} } };
}
var writeMatch = ({ path: path3, headers: headers3, queries }) => Object.assign(
  writePath(path3),
  headers3.length > 0 && { headers: headers3.map(writeHeader) },
  queries.length > 0 && { query_parameters: queries.map(writeQuery) }
);

// src/xds/policy/authorization.ts
var type3 = "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute";
var noAuthorization = {
  [filterNames.authorization]: { "@type": type3, disabled: true }
};
var writeAuthorization = (policy) => ({
  filters: "disabled" in policy ? noAuthorization : {
    [filterNames.authorization]: {
      "@type": type3,
      check_settings: { context_extensions: policy.context }
    }
  }
});

// src/xds/policy/headers.ts
var options = ({ set, add: add2 = [] }) => [
  ...set.map(({ name: name3, value }) => {
    return { header: { key: name3, value }, append_action: "OVERWRITE_IF_EXISTS_OR_ADD" };
  }),
  ...add2.map(({ name: name3, value }) => {
    return { header: { key: name3, value }, append_action: "APPEND_IF_EXISTS_OR_ADD" };
  })
];
var hasValues = (policy) => policy !== void 0 && policy.set.length + (policy.add?.length ?? 0) > 0;
var writeHeaderFields = (request, response) => ({
  ...hasValues(request) ? { request_headers_to_add: options(request) } : {},
  ...request?.remove.length ? { request_headers_to_remove: request.remove } : {},
  ...hasValues(response) ? { response_headers_to_add: options(response) } : {},
  ...response?.remove.length ? { response_headers_to_remove: response.remove } : {}
});
var writeRequestHeaders = (policy) => ({
  route: writeHeaderFields(policy, void 0),
  action: {
    ...policy.host ? { host_rewrite_literal: policy.host } : {},
    ...policy.hostFromHeader ? { host_rewrite_header: policy.hostFromHeader } : {}
  }
});
var writeResponseHeaders = (policy) => ({
  route: writeHeaderFields(void 0, policy)
});

// src/xds/policy/cors.ts
var corsConfig = (policy) => ({
  [filterNames.cors]: {
    "@type": "type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy",
    allow_origin_string_match: policy.origins.map(
      ({ kind, value }) => kind === "exact" ? { exact: value, ignore_case: true } : { safe_regex: { regex: value } }
    ),
    allow_methods: policy.methods.join(","),
    ...policy.headers.length > 0 ? { allow_headers: policy.headers.join(",") } : {},
    ...policy.exposed.length > 0 ? { expose_headers: policy.exposed.join(",") } : {},
    ...policy.maxAge === void 0 ? {} : { max_age: String(policy.maxAge) },
    allow_credentials: policy.credentials,
    allow_private_network_access: policy.privateNetwork
  }
});

// src/xds/policy/rate-limit.ts
var always = { default_value: { numerator: 100, denominator: "HUNDRED" } };
function localRateLimitFilter(limit2, host2) {
  const { requests, burst, intervalMs, status, headers: headers3 } = limit2;
  const config = {
    "@type": "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
    stat_prefix: `vhost.${host2}`,
    token_bucket: {
      max_tokens: requests + burst,
      tokens_per_fill: requests,
      fill_interval: duration2(intervalMs)
    },
    filter_enabled: always,
    filter_enforced: always,
    ...status ? { status: { code: errorStatusNames[status] } } : {},
    ...headers3.length > 0 ? {
      response_headers_to_add: headers3.map(({ name: name3, value }) => ({
        header: { key: name3, value },
        append_action: "OVERWRITE_IF_EXISTS_OR_ADD"
      }))
    } : {}
  };
  return { [filterNames.localRateLimit]: config };
}
var writeLocalRateLimit = (limit2, host2) => ({
  filters: localRateLimitFilter(limit2, host2)
});
function writeEntry(entry) {
  switch (entry.kind) {
    case "generic-key":
      return {
        generic_key: {
          ...entry.key ? { descriptor_key: entry.key } : {},
          descriptor_value: entry.value
        }
      };
    case "header":
      return { request_headers: { header_name: entry.header, descriptor_key: entry.key } };
    case "header-match":
      return {
        header_value_match: {
          descriptor_value: entry.value,
          expect_match: entry.expect,
          headers: entry.headers.map(writeHeader)
        }
      };
    case "remote-address":
      return { remote_address: {} };
  }
}
var rateLimits = (descriptors) => descriptors.map((entries) => ({ actions: entries.map(writeEntry) }));
var writeRateLimits = (descriptors) => ({
  action: { rate_limits: rateLimits(descriptors) }
});
var writeIgnoreHostRateLimits = () => ({
  filters: {
    [filterNames.rateLimit]: {
      "@type": "type.googleapis.com/envoy.extensions.filters.http.ratelimit.v3.RateLimitPerRoute",
      vh_rate_limits: "IGNORE"
    }
  }
});

// src/xds/policy/host.ts
function writeHostPolicies(policies2, host2) {
  const filters2 = {
    ...policies2.cors ? corsConfig(policies2.cors) : {},
    ...policies2.localRateLimit ? localRateLimitFilter(policies2.localRateLimit, host2) : {},
    ...policies2.ipFilter ? ipFilterConfig(policies2.ipFilter) : {}
  };
  return {
    ...Object.keys(filters2).length > 0 ? { typed_per_filter_config: filters2 } : {},
    ...policies2.rateLimits ? { rate_limits: rateLimits(policies2.rateLimits) } : {}
  };
}

// src/xds/policy/hash.ts
function writeKey(key) {
  switch (key.kind) {
    case "cookie":
      return { cookie: { name: key.name, ttl: "0s", path: "/" } };
    case "header":
      return { header: { header_name: key.name }, ...key.terminal ? { terminal: true } : {} };
    case "query":
      return { query_parameter: { name: key.name }, ...key.terminal ? { terminal: true } : {} };
    case "source-ip":
      return { connection_properties: { source_ip: true }, ...key.terminal ? { terminal: true } : {} };
  }
}
var writeHash = (policy) => ({ action: { hash_policy: policy.map(writeKey) } });

// src/xds/policy/internal-redirect.ts
var types3 = "type.googleapis.com/envoy.extensions.internal_redirect";
var safeCrossScheme = {
  name: "envoy.internal_redirect_predicates.safe_cross_scheme",
  typed_config: { "@type": `${types3}.safe_cross_scheme.v3.SafeCrossSchemeConfig` }
};
var previousRoutes = {
  name: "envoy.internal_redirect_predicates.previous_routes",
  typed_config: { "@type": `${types3}.previous_routes.v3.PreviousRoutesConfig` }
};
function writeInternalRedirect(policy) {
  const predicates = [
    ...policy.crossScheme === "SafeOnly" ? [safeCrossScheme] : [],
    ...policy.denyRepeated ? [previousRoutes] : []
  ];
  const written = {
    ...policy.maximum ? { max_internal_redirects: policy.maximum } : {},
    ...policy.codes.length > 0 ? { redirect_response_codes: policy.codes } : {},
    ...predicates.length > 0 ? { predicates } : {},
    ...policy.crossScheme === "Never" ? {} : { allow_cross_scheme_redirect: true }
  };
  return { action: { internal_redirect_policy: written } };
}

// src/xds/policy/jwt.ts
var writeJwtProvider = (provider) => ({
  filters: {
    [filterNames.jwt]: {
      "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig",
      requirement_name: provider
    }
  }
});

// src/xds/policy/path-rewrite.ts
var writeRewrite = (rewrite) => "prefix" in rewrite ? { prefix_rewrite: rewrite.prefix } : {
  regex_rewrite: {
    pattern: { regex: rewrite.regex.pattern },
    substitution: rewrite.regex.substitution
  }
};
var writePathRewrite = (rewrite) => ({ action: writeRewrite(rewrite) });

// src/xds/policy/retry.ts
var writeRetry = ({ retryOn: retryOn2, count: count2, perTryTimeoutMs, statusCodes }) => ({
  action: {
    retry_policy: {
      retry_on: retryOn2,
      num_retries: count2,
      ...perTryTimeoutMs === void 0 ? {} : { per_try_timeout: duration2(perTryTimeoutMs) },
      ...statusCodes.length > 0 ? { retriable_status_codes: statusCodes } : {}
    }
  }
});

// src/xds/policy/timeout.ts
var writeTimeout = ({ response, idle }) => ({
  action: {
    ...response === void 0 ? {} : { timeout: duration2(response) },
    ...idle === void 0 ? {} : { idle_timeout: duration2(idle) }
  }
});

// src/xds/policy/websocket.ts
var writeWebsocket = () => ({
  action: { upgrade_configs: [{ upgrade_type: "websocket" }] }
});

// src/xds/policy/index.ts
var writers = {
  timeout: writeTimeout,
  retry: writeRetry,
  pathRewrite: writePathRewrite,
  requestHeaders: writeRequestHeaders,
  responseHeaders: writeResponseHeaders,
  hash: writeHash,
  websocket: writeWebsocket,
  internalRedirect: writeInternalRedirect,
  rateLimits: writeRateLimits,
  localRateLimit: writeLocalRateLimit,
  ignoreHostRateLimits: writeIgnoreHostRateLimits,
  ipFilter: writeIpFilter,
  authorization: writeAuthorization,
  jwtProvider: writeJwtProvider
};
var names3 = Object.keys(writers);
function writePolicies(policies2, host2) {
  const route2 = {};
  const action = {};
  let filters2;
  for (const name3 of names3) {
    const policy = policies2[name3];
    if (policy === void 0) continue;
    const written = writers[name3](policy, host2);
    Object.assign(route2, written.route);
    Object.assign(action, written.action);
    if (written.filters) filters2 = { ...filters2, ...written.filters };
  }
  return { route: filters2 ? { ...route2, typed_per_filter_config: filters2 } : route2, action };
}

// src/xds/route.ts
var writeVirtualHost = (context, policies2, routes) => {
  const named3 = routes.some((route2) => route2.policies.internalRedirect?.denyRepeated);
  const written = routes.map((route2, i) => {
    const plain2 = writeRoute(route2, context);
    if (!named3 && !context.sourced) return plain2;
    return {
      ...named3 ? { name: `${context.host}/${i}` } : {},
      ...plain2,
      ...context.sourced ? { metadata: writeSource(route2.from) } : {}
    };
  });
  return {
    name: context.host,
    domains: [context.host],
    routes: written,
    ...writeHostPolicies(policies2, context.host)
  };
};
function writeSource(from) {
  const [kind = "", namespace = "", name3 = ""] = from.split("/");
  const source2 = {
    "io.projectcontour.kind": kind,
    "io.projectcontour.namespace": namespace,
    "io.projectcontour.name": name3
  };
  return { filter_metadata: { "envoy.access_loggers.file": source2 } };
}
function writeRoute(route2, context) {
  const match = writeMatch(route2.match);
  if (!context.secure && route2.insecure === "redirect") {
    return {
      match,
      redirect: { https_redirect: true },
      ...context.authorized ? { typed_per_filter_config: noAuthorization } : {}
    };
  }
  const { action } = route2;
  const policies2 = writePolicies(route2.policies, context.host);
  if (action.kind === "redirect") return { match, redirect: writeRedirect(action), ...policies2.route };
  if (action.kind === "respond") {
    const body2 = action.body === void 0 ? {} : { body: { inline_string: action.body } };
    return { match, direct_response: { status: action.status, ...body2 }, ...policies2.route };
  }
  return {
    match,
    route: Object.assign(
      writeForward(action.backends, context, route2.policies.hash !== void 0),
      action.mirrors && {
        request_mirror_policies: action.mirrors.map((mirror2) => writeMirror(mirror2, context))
      },
      policies2.action
    ),
    ...policies2.route
  };
}
var writeMirror = ({ cluster, percent: percent2 }, { nameOf: nameOf3 }) => ({
  cluster: nameOf3(cluster),
  runtime_fraction: {
    default_value: Number.isInteger(percent2) ? { numerator: percent2, denominator: "HUNDRED" } : { numerator: Math.round(percent2 * 1e4), denominator: "MILLION" }
  }
});
var codes2 = {
  301: "MOVED_PERMANENTLY",
  302: "FOUND",
  303: "SEE_OTHER",
  307: "TEMPORARY_REDIRECT",
  308: "PERMANENT_REDIRECT"
};
var writeRedirect = (action) => ({
  ...action.scheme ? { scheme_redirect: action.scheme } : {},
  ...action.host ? { host_redirect: action.host } : {},
  ...action.port ? { port_redirect: action.port } : {},
  ...action.path ? { path_redirect: action.path } : {},
  ...action.rewrite ? writeRewrite(action.rewrite) : {},
  response_code: codes2[action.status] ?? "FOUND"
});
function writeForward(backends, context, hashed) {
  const only2 = backends.length === 1 ? backends[0] : void 0;
  if (only2 && Object.keys(only2.policies).length === 0) return { cluster: context.nameOf(only2.cluster) };
  const weights = fitWeights(backends.map(({ weight }) => weight));
  const clusters = backends.map((backend2, i) => writeWeighted(backend2, weights[i] ?? 0, context)).sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : a.weight - b.weight);
  return { weighted_clusters: { clusters, ...hashed && !only2 ? { use_hash_policy: true } : {} } };
}
function writeWeighted({ cluster, policies: policies2 }, weight, { nameOf: nameOf3 }) {
  const { requestHeaders, responseHeaders, cookieRewrites } = policies2;
  return {
    name: nameOf3(cluster),
    weight,
    ...writeHeaderFields(requestHeaders, responseHeaders),
    ...requestHeaders?.host ? { host_rewrite_literal: requestHeaders.host } : {},
    ...cookieRewrites ? { typed_per_filter_config: cookieConfig(cookieRewrites) } : {}
  };
}

// src/compile.ts
function compileUnit(unit, reader) {
  const report = createReport();
  const resources = guarded(unit, reader, report);
  return { unit, resources, findings: report.findings, reads: reader.reads };
}
function guarded(unit, reader, report) {
  const colon2 = unit.indexOf(":");
  const key = unit.slice(colon2 + 1);
  try {
    return stages[unit.slice(0, colon2)](key, reader, report);
  } catch (error) {
    const message = `the compiler failed on ${unit}: ${messageOf(error)}`;
    const owners = reader.claimants(unit);
    for (const about4 of owners) report.error(about4, "InternalError", "CompilerFault", message);
    return [];
  }
}
var stages = {
  vhost: compileVirtualHost,
  endpoints: (key, reader, report) => [
    writeEndpoints(key, buildEndpoints(key, reader, report), reader.settings)
  ],
  secret: (key, reader) => {
    const { pair } = readKeyPair(reader, secretName(key, ""));
    return pair ? [writeSecret(key, pair)] : [];
  },
  extension: compileExtension,
  listeners: (_, reader, report) => {
    const gateway = judgeGateway(reader, report);
    const fronts = gateway ? frontsOf(gateway) : usualFronts(reader.settings);
    return [
      ...writeListeners(fronts, reader.settings, readGlobalServices(reader, report)),
      writeSentinelCluster()
    ];
  },
  route: (key, reader, report) => {
    judgeRoute(key, reader, report);
    return [];
  },
  tcp: compileTcpListeners
};
function compileExtension(key, reader, report) {
  const slash = key.indexOf("/");
  const extension = readExtensionService(reader, key.slice(0, slash), key.slice(slash + 1), report);
  if (!extension) return [];
  const found = extension.services.map((backend2) => ({
    ...backend2,
    endpoints: buildEndpoints(`${extension.namespace}/${backend2.service}/${backend2.port}`, reader, report)
  }));
  return writeExtension(extension, found, reader.settings);
}
function clusterNames2(settings) {
  const written = /* @__PURE__ */ new Map();
  let last;
  let lastName = "";
  const nameOf3 = (cluster) => {
    if (last && isSame(last, cluster)) return lastName;
    last = cluster;
    lastName = clusterName2(cluster, settings);
    if (!written.has(lastName)) written.set(lastName, writeCluster(cluster, lastName, settings));
    return lastName;
  };
  const clusterOf2 = (server) => {
    const cluster = writeJwksCluster(server, settings);
    written.set(cluster.name, cluster);
    return cluster.name;
  };
  return { written, nameOf: nameOf3, clusterOf: clusterOf2 };
}
function compileVirtualHost(host2, reader, report) {
  const { settings } = reader;
  const { sites, closed, websockets } = buildVirtualHost(host2, reader, report);
  const { written: clusters, nameOf: nameOf3, clusterOf: clusterOf2 } = clusterNames2(settings);
  const written = [];
  const sourced = readsSource(settings.accessLog);
  const table = (group, { policies: policies2, kind }, routes) => {
    const secure = kind === "https";
    const authorized = secure || settings.globalExtAuth !== void 0;
    const node = writeVirtualHost({ host: host2, secure, authorized, sourced, nameOf: nameOf3 }, policies2, routes);
    written.push({ type: "virtual-host", group, name: host2, json: JSON.stringify(node) });
  };
  for (const [listener2, { terms, routes }] of sites) {
    const services = readGlobalServices(reader);
    const context = { host: host2, listener: listener2, settings, services, websockets, clusterOf: clusterOf2 };
    if (terms.kind === "tcp") {
      const names4 = terms.backends.map(({ cluster }) => nameOf3(cluster));
      const tcp = writeTcpHostChain(terms, names4, {
        ...context,
        pair: certificate(terms.tls?.secret, reader)
      });
      written.push(tcp);
    }
    if (routes.length === 0 || terms.kind === "tcp" || terms.kind === "none") continue;
    table(listener2, terms, routes);
    if (terms.kind === "http") continue;
    written.push(
      writeFilterChain(terms, routes, { ...context, pair: certificate(terms.tls.secret, reader) })
    );
    if (!terms.fallback) continue;
    table(fallbackTable, terms, routes);
    const pair = certificate(terms.fallback, reader);
    written.push(routeTable(fallbackTable), writeFallbackChain(terms.fallback, { ...context, pair }));
  }
  for (const [listener2, kind] of closed)
    if (kind === "tcp") written.push(writeClosedChain(host2, { listener: listener2, settings }));
    else table(listener2, { kind: "http", policies: {} }, []);
  return [...clusters.values(), ...written];
}
function compileTcpListeners(_, reader) {
  const { settings } = reader;
  const { written: clusters, nameOf: nameOf3 } = clusterNames2(settings);
  const chains = [...readTcpListeners(reader)].map(([listener2, backends]) => {
    const names4 = backends.map(({ cluster }) => nameOf3(cluster));
    return writeTcpChain(backends, names4, { listener: listener2, settings });
  });
  return [...clusters.values(), ...chains];
}
function certificate(secret, reader) {
  if (secret === void 0) return void 0;
  const { pair } = readKeyPair(reader, secretName(secret, ""));
  if (pair && isInline(pair, reader)) return pair;
  reader.need(`secret:${secret}`);
  return void 0;
}

// src/graph/cost/forest.ts
var maxDepth7 = 64;
var maxCircleVisits = 256;
var Forest = class {
  constructor(load) {
    this.load = load;
  }
  #nodes = /* @__PURE__ */ new Map();
  #includers = /* @__PURE__ */ new Map();
  /** What an object makes with all that it includes; `circle` where it leads to one. */
  #totals = /* @__PURE__ */ new Map();
  /** The totals of those that lead to a circle. */
  #circles = /* @__PURE__ */ new Map();
  /** What is free of all that an object leads to. */
  #free = /* @__PURE__ */ new Map();
  /** Reads an object again that has changed; adds to `moved` what it includes now and did not before, or no longer. */
  reload(ref, moved) {
    const before = new Set(this.#nodes.get(ref)?.edges.map(({ to }) => to));
    const node = this.load(ref);
    if (node) this.#nodes.set(ref, node);
    else this.#nodes.delete(ref);
    const after = new Set(node?.edges.map(({ to }) => to));
    for (const to of before) {
      if (after.has(to)) continue;
      this.#includers.get(to)?.delete(ref);
      moved?.add(to);
    }
    for (const to of after) {
      if (before.has(to)) continue;
      const includers = this.#includers.get(to);
      if (includers) includers.add(ref);
      else this.#includers.set(to, /* @__PURE__ */ new Set([ref]));
      moved?.add(to);
    }
    return node;
  }
  /** Whether a change of an object may change a total. */
  has(ref) {
    return this.#nodes.has(ref) || (this.#includers.get(ref)?.size ?? 0) > 0;
  }
  /** The objects that lead to one of these, and these themselves; what is known of their totals is forgotten. */
  forgetAbove(refs) {
    const found = new Set(refs);
    for (const ref of found) {
      this.#totals.delete(ref);
      this.#circles.delete(ref);
      this.#free.delete(ref);
      for (const includer of this.#includers.get(ref) ?? []) found.add(includer);
    }
    return found;
  }
  node(ref) {
    const known5 = this.#nodes.get(ref);
    return known5 ?? (this.#nodes.has(ref) ? void 0 : this.reload(ref));
  }
  /** What an object makes with all that it includes. */
  total(ref) {
    const total = this.#totals.get(ref) ?? this.#count(ref);
    if (typeof total === "object") return total;
    const known5 = this.#circles.get(ref) ?? this.#aroundCircle(ref);
    this.#circles.set(ref, known5);
    return known5;
  }
  /** What has hosts is in no circle itself: what it includes is counted once for all that include it. */
  #aroundCircle(ref) {
    const node = this.node(ref);
    if (!node?.isOwner) return this.#walk(ref);
    let sum = node.own;
    for (const edge of node.edges) if (this.#followed(edge)) sum = withEdge(sum, edge, this.total(edge.to));
    return sum;
  }
  /** What is free at most of all that edges lead to: an object that several of them lead to counts for each. */
  mostFree(edges) {
    let sum = nothing;
    for (const edge of edges) {
      const known5 = this.#free.get(edge.to) ?? sumOf(this.reach([edge], /* @__PURE__ */ new Set()));
      this.#free.set(edge.to, known5);
      sum = plus(sum, known5);
    }
    return sum;
  }
  /** What is free of all that edges lead to and nothing else does. */
  freeAlone(edges) {
    let sum = nothing;
    const open = [...edges];
    const seen = /* @__PURE__ */ new Set();
    for (let edge = open.pop(); edge; edge = open.pop()) {
      const isAlone = this.#includers.get(edge.to)?.size === 1 && !seen.has(edge.to);
      const node = isAlone ? this.#followed(edge) : void 0;
      if (!node) continue;
      seen.add(edge.to);
      sum = plus(sum, node.free);
      for (const further of node.edges) open.push(further);
    }
    return sum;
  }
  /** Objects that are reached by edges and were not before; adds them to `reached`. */
  reach(edges, reached) {
    const found = [];
    const open = [...edges];
    for (let edge = open.pop(); edge; edge = open.pop()) {
      const node = reached.has(edge.to) ? void 0 : this.#followed(edge);
      if (!node) continue;
      reached.add(edge.to);
      found.push(node);
      for (const further of node.edges) open.push(further);
    }
    return found;
  }
  /** What an edge leads to: what has hosts of its own is not included. */
  #followed({ to }) {
    const node = this.node(to);
    return node?.isOwner ? void 0 : node;
  }
  /** Counts each object once, the included ones first; without recursion, as chains may be long. */
  #count(start) {
    const stack = [this.#frame(start)];
    for (let frame = stack.at(-1); frame; frame = stack.at(-1)) {
      const edge = frame.edges[frame.next];
      const node = edge && this.#followed(edge);
      const total = node && this.#totals.get(node.ref);
      if (node && total === void 0) {
        stack.push(this.#frame(node.ref));
        continue;
      }
      frame.next++;
      if (edge && typeof total === "object") frame.sum = withEdge(frame.sum, edge, total);
      else if (total) frame.circle = true;
      if (edge) continue;
      this.#totals.set(frame.ref, frame.circle ? "circle" : frame.sum);
      stack.pop();
    }
    return this.#totals.get(start);
  }
  #frame(ref) {
    this.#totals.set(ref, "open");
    const node = this.node(ref);
    return { ref, edges: node?.edges ?? [], next: 0, sum: node?.own ?? nothing, circle: false };
  }
  /** Goes all paths of a tree with a circle in it. */
  #walk(start) {
    let left = maxCircleVisits;
    const walk2 = (ref, path3) => {
      const node = this.node(ref);
      let sum = node?.own ?? nothing;
      for (const edge of node?.edges ?? []) {
        const target = this.#followed(edge);
        if (!target || path3.includes(target.ref) || path3.length >= maxDepth7) continue;
        const known5 = this.#totals.get(target.ref);
        if (typeof known5 !== "object" && left-- <= 0) return tooMuch;
        const total = typeof known5 === "object" ? known5 : walk2(target.ref, [...path3, target.ref]);
        sum = withEdge(sum, edge, total);
      }
      return sum;
    };
    return walk2(start, [start]);
  }
};
var sumOf = (nodes) => nodes.reduce((sum, { free }) => plus(sum, free), nothing);
var withEdge = (sum, { times, perRoute: perRoute2 }, total) => plus(plus(sum, total, times), perRoute2, times * total.routes);

// src/graph/cost/ledger.ts
var ledgers = /* @__PURE__ */ new WeakMap();
function ledgerOf(store2, reader) {
  const known5 = ledgers.get(store2);
  if (known5?.undone === store2.undone) return known5.ledger;
  const ledger = new Ledger((ref) => store2.object(ref), reader);
  ledgers.set(store2, { ledger, undone: store2.undone });
  return ledger;
}
var freeHosts = 3;
var freePorts = 2;
var Ledger = class {
  /** Begins with the objects that are there, which `reader` lists and `objectOf` gives, now and later. */
  constructor(objectOf, reader) {
    this.objectOf = objectOf;
    this.#forest = new Forest((ref) => {
      const object = objectOf(ref);
      return object && costNodeOf(object);
    });
    for (const ref of reader.claimants(costKey)) this.change(ref, true);
    this.settle(reader);
  }
  #forest;
  /** Objects whose costs are counted, by namespace. */
  #owners = /* @__PURE__ */ new Map();
  /** What each of them costs before anything is free; `unserved` for those that cost nothing as they are not served. */
  #costs = /* @__PURE__ */ new Map();
  /** What each of them makes at most beyond what is written, and their sum by namespace. */
  #bounds = /* @__PURE__ */ new Map();
  #sums = /* @__PURE__ */ new Map();
  #changed = /* @__PURE__ */ new Set();
  /** Namespaces of which some object is over a budget. */
  #crowded = /* @__PURE__ */ new Set();
  #over = /* @__PURE__ */ new Map();
  #rules = "";
  overrun(ref) {
    return this.#over.get(ref);
  }
  /** Takes note of an object that came, changed or went; `costly`: it has or had the key of such objects. */
  change(ref, costly) {
    if (costly || this.#forest.has(ref)) this.#changed.add(ref);
  }
  /** Judges what has changed. Returns the objects that are judged otherwise than before. */
  settle(reader) {
    const moved = /* @__PURE__ */ new Set();
    for (const ref of this.#changed) this.#enter(ref, moved);
    const above = this.#forest.forgetAbove([...this.#changed, ...moved]);
    this.#changed.clear();
    const view = this.#owners.size > 0 ? readGateway(reader) : void 0;
    const rules2 = rulesOf(reader.settings, view);
    const all = rules2 !== this.#rules;
    const stale = /* @__PURE__ */ new Set();
    for (const ref of all ? [...this.#owners.values()].flatMap((owners) => [...owners]) : above) {
      this.#costs.delete(ref);
      this.#bound(ref, reader.settings, view);
      stale.add(namespaceOf(ref));
    }
    this.#rules = rules2;
    const flipped = [];
    for (const namespace of stale) this.#judge(namespace, reader.settings, view, flipped);
    return flipped;
  }
  #enter(ref, moved) {
    const node = this.#forest.reload(ref, moved);
    const namespace = namespaceOf(ref);
    const owners = this.#owners.get(namespace);
    if (node?.isOwner) {
      if (owners) owners.add(ref);
      else this.#owners.set(namespace, /* @__PURE__ */ new Set([ref]));
    } else if (owners?.delete(ref) && owners.size === 0) this.#owners.delete(namespace);
    if (!node?.isOwner) this.#over.delete(ref);
  }
  /** Counts anew what an object makes at most. */
  #bound(ref, settings, view) {
    const namespace = namespaceOf(ref);
    const before = this.#bounds.get(ref) ?? nothing;
    const node = this.#owners.get(namespace)?.has(ref) ? this.#forest.node(ref) : void 0;
    const cost = node && this.#costOf(node, settings, view);
    const own = node && cost ? plus(cost, { ...nothing, keySets: node.keySets.length }) : nothing;
    const now = node && cost ? plus(own, this.#forest.freeAlone(node.edges), -1) : nothing;
    if (now === nothing) this.#bounds.delete(ref);
    else this.#bounds.set(ref, now);
    const sum = exactPlus(this.#sums.get(namespace) ?? nothing, now, 1);
    this.#sums.set(namespace, exactPlus(sum, before, -1));
  }
  #judge(namespace, settings, view, flipped) {
    const sum = this.#sums.get(namespace) ?? nothing;
    const fits2 = dimensions.every((dimension) => sum[dimension] <= settings.budgets[dimension]);
    if (fits2 && !this.#crowded.has(namespace)) return;
    const owners = [...this.#owners.get(namespace) ?? []].flatMap((ref) => this.#forest.node(ref) ?? []);
    this.#crowded.delete(namespace);
    owners.sort(byAge);
    const found = { reached: /* @__PURE__ */ new Set(), keySets: /* @__PURE__ */ new Set() };
    let charged = nothing;
    for (const owner of owners) {
      const all = this.#costOf(owner, settings, view);
      let over;
      if (all) {
        const least = plus(all, this.#forest.mostFree(owner.edges), -1);
        over = overrunOf(charged, least, settings.budgets);
        if (!over) ({ over, charged } = this.#charge(owner, all, charged, found, settings));
      }
      if (JSON.stringify(this.#over.get(owner.ref)) !== JSON.stringify(over)) flipped.push(owner.ref);
      if (over) this.#over.set(owner.ref, over);
      else this.#over.delete(owner.ref);
      if (over) this.#crowded.add(namespace);
    }
  }
  /** Adds what an object costs to what is charged, if there is room for it. */
  #charge(owner, all, charged, { reached, keySets }, { budgets: budgets2 }) {
    const fresh = this.#forest.reach(owner.edges, reached);
    const servers = owner.keySets.filter((server) => !keySets.has(server));
    const beside = plus(all, { ...nothing, keySets: servers.length });
    const cost = fresh.reduce((left, { free }) => plus(left, free, -1), beside);
    const over = overrunOf(charged, cost, budgets2);
    if (!over) {
      for (const server of servers) keySets.add(server);
      return { over, charged: plus(charged, cost) };
    }
    for (const { ref } of fresh) reached.delete(ref);
    return { over, charged };
  }
  /** What an object makes beyond what is written in it, of what it includes all; undefined when it is not served. */
  #costOf(owner, settings, view) {
    const known5 = this.#costs.get(owner.ref) ?? this.#count(owner, settings, view);
    this.#costs.set(owner.ref, known5);
    return known5 === "unserved" ? void 0 : known5;
  }
  #count(owner, settings, view) {
    const [kind] = owner.ref.split("/");
    const object = kind === "HTTPRoute" || kind === "GRPCRoute" ? this.objectOf(owner.ref) : void 0;
    if (object?.kind === "HTTPRoute" || object?.kind === "GRPCRoute") {
      const { pairs: pairs2, hosts, ports } = view ? placesOf3(object, view) : { pairs: 0, hosts: 0, ports: 0 };
      const free = Math.min(pairs2, Math.min(hosts, freeHosts) * Math.min(ports, freePorts));
      return plus(plus(nothing, owner.own, pairs2), owner.free, -free);
    }
    const isServed2 = isAllowedClass(owner, owner.className, settings) && (kind === "Ingress" || isRootNamespace(owner.meta.namespace, settings));
    return isServed2 ? plus(this.#forest.total(owner.ref), owner.free, -1) : "unserved";
  }
};
function overrunOf(charged, cost, budgets2) {
  for (const dimension of dimensions)
    if (cost[dimension] > 0 && charged[dimension] + cost[dimension] > budgets2[dimension])
      return { dimension, cost: cost[dimension], budget: budgets2[dimension] };
  return void 0;
}
var rulesOf = ({ budgets: budgets2, ingressClassNames, rootNamespaces }, view) => JSON.stringify([
  budgets2,
  ingressClassNames,
  rootNamespaces,
  view?.gateway.meta,
  view?.listeners.map(({ spec, kinds: kinds4 }) => [spec.name, spec.port, spec.hostname, kinds4])
]);

// src/graph/judged.ts
var nothing2 = { findings: [], reads: [] };
function* judgedBy({ unit }, before = nothing2, after = nothing2) {
  yield* changedAbout(before.findings, after.findings);
  const stage = unit.slice(0, unit.indexOf(":"));
  const whole2 = stage === "route" || stage === "listeners" ? gatewayKinds : policyKinds;
  if (stage === "route") yield unit.slice(unit.indexOf(":") + 1);
  for (const key of before.reads) if (isOf2(whole2, key)) yield key;
  for (const key of after.reads) if (isOf2(whole2, key)) yield key;
  if (stage === "vhost") yield* readByOne(before.reads, after.reads);
}
var gatewayKinds = /* @__PURE__ */ new Set(["GatewayClass", "Gateway", "BackendTLSPolicy"]);
var policyKinds = /* @__PURE__ */ new Set(["BackendTLSPolicy"]);
var includedKinds = /* @__PURE__ */ new Set(["HTTPProxy", "IngressRoute"]);
var isOf2 = (kinds4, key) => kinds4.has(kindOf(key));
function* changedAbout(before, after) {
  if (isSame(before, after)) return;
  const old = byObject(before);
  const now = byObject(after);
  for (const [ref, findings] of now) if (!isSame(findings, old.get(ref))) yield ref;
  for (const ref of old.keys()) if (!now.has(ref)) yield ref;
}
function* readByOne(before, after) {
  const old = new Set(before);
  for (const key of after) if (!old.delete(key) && isOf2(includedKinds, key)) yield key;
  for (const key of old) if (isOf2(includedKinds, key)) yield key;
}

// src/missed.ts
var isReference = /^(?:Service\/[^@]*|(?:Secret|ConfigMap|HTTPProxy|IngressRoute|ExtensionService)\/.*)$/;
var isNeededList = /^claims:((?:slices|delegations|grants):.*)$/;
function isFound(store2, read) {
  const list2 = isNeededList.exec(read)?.[1];
  return list2 === void 0 ? store2.object(read) !== void 0 : store2.claimants(list2).length > 0;
}
function* newlyMissed(store2, before, { reads }, gone) {
  const known5 = new Set(before?.reads);
  for (const read of reads) {
    if (known5.has(read) && !gone.has(read)) continue;
    if ((isReference.test(read) || isNeededList.test(read)) && !isFound(store2, read)) yield read;
  }
}

// src/update.ts
var unitsLeft = (store2) => store2.pendingCount;
function resume(store2, platform) {
  const marks2 = newMarks();
  return store2.transaction(() => ({
    ...recompile(store2, marks2, platform),
    edited: false,
    judged: marks2.judged,
    missed: marks2.missed
  }));
}
function update(store2, changes, platform) {
  return store2.transaction(() => {
    const marks2 = newMarks();
    const { dirty, judged, missed } = marks2;
    if (!store2.unit("listeners:")) dirty.add("listeners:");
    const ledger = ledgerOf(store2, new Recorder("listeners:", store2, settingsOf(store2), platform));
    let edited = false;
    for (const some of chunksOf(changes)) edited = applyAll(store2, some, marks2, ledger) || edited;
    settle(store2, ledger, dirty, platform);
    return { ...recompile(store2, marks2, platform), edited, judged, missed };
  });
}
function settle(store2, ledger, dirty, platform) {
  for (const ref of ledger.settle(new Recorder("listeners:", store2, settingsOf(store2), platform))) {
    const claims = store2.claimsOf(ref);
    const touched = new Touched(store2, dirty);
    touched.add(ref, claims, claims);
    touched.settle();
  }
}
var chunkSize = 100;
function* chunksOf(changes) {
  let some = /* @__PURE__ */ new Map();
  for (const change of changes) {
    const ref = "gone" in change ? change.gone : change.ref;
    if (some.size === chunkSize || some.has(ref)) {
      yield some;
      some = /* @__PURE__ */ new Map();
    }
    some.set(ref, change);
  }
  if (some.size > 0) yield some;
}
var newMarks = () => ({ dirty: /* @__PURE__ */ new Set(), judged: /* @__PURE__ */ new Set(), gone: /* @__PURE__ */ new Set(), missed: /* @__PURE__ */ new Set() });
function applyAll(store2, changes, { dirty, judged, gone: allGone }, ledger) {
  const touched = new Touched(store2, dirty);
  const puts = differing(store2, changes);
  for (const { object, claims, likeness } of puts) {
    const before = likeness === "absent" ? [] : store2.claimsOf(object.ref);
    touched.add(object.ref, before, claims);
    ledger.change(object.ref, before.includes(costKey) || claims.includes(costKey));
    judged.add(object.ref);
  }
  store2.putObjects(
    puts,
    puts.map(({ likeness }) => likeness)
  );
  let gone = 0;
  for (const change of changes.values()) {
    if (!("gone" in change) || !store2.object(change.gone)) continue;
    gone++;
    const before = store2.claimsOf(change.gone);
    store2.deleteObject(change.gone);
    touched.add(change.gone, before, []);
    ledger.change(change.gone, before.includes(costKey));
    judged.add(change.gone);
    allGone.add(change.gone);
  }
  touched.settle();
  if (changes.has(settingsRef) && (gone > 0 || puts.some(({ object }) => object.ref === settingsRef)))
    for (const { unit } of store2.units()) dirty.add(unit);
  return puts.length + gone > 0;
}
function differing(store2, changes) {
  const objects = [];
  for (const change of changes.values()) if (!("gone" in change)) objects.push(change);
  const likeness = store2.compare(objects);
  const puts = [];
  for (const [i, object] of objects.entries()) {
    const like = likeness[i];
    if (like && like !== "same") puts.push({ object, claims: claimsOf(object), likeness: like });
  }
  return puts;
}
var Touched = class {
  constructor(store2, dirty) {
    this.store = store2;
    this.dirty = dirty;
  }
  #reads = [];
  add(ref, before, after) {
    this.#reads.push(ref);
    const [old, now] = [new Set(before), new Set(after)];
    for (const key of old) this.#touch(key, !now.has(key));
    for (const key of now) this.#touch(key, !old.has(key));
  }
  /** A claim on a unit dirties it; one that is new or gone (`moved`) also dirties the readers of the list. */
  #touch(key, moved) {
    if (isUnit(key)) this.dirty.add(key);
    if (moved) this.#reads.push(["claims:", key].join(""));
  }
  /** Finds the readers of all that was added. */
  settle() {
    for (const unit of this.store.readersOfAny(this.#reads)) this.dirty.add(unit);
    this.#reads.length = 0;
  }
};
var isUnit = (key) => /^(?:vhost|extension|route|tcp):/.test(key);
function recompile(store2, { dirty: touched, judged, gone, missed }, platform) {
  const settings = settingsOf(store2);
  const { maxUnits = Number.POSITIVE_INFINITY } = platform;
  const waited = store2.pending(maxUnits);
  const dirty = waited.length > 0 ? /* @__PURE__ */ new Set([...waited, ...touched]) : touched;
  let units3 = 0;
  const neededByOld = /* @__PURE__ */ new Set();
  for (const key of dirty) {
    if (units3 === maxUnits) break;
    dirty.delete(key);
    units3++;
    const old = store2.unit(key);
    const compiled2 = isAlive(store2, key) ? compileUnit(key, new Recorder(key, store2, settings, platform)) : void 0;
    if (compiled2) store2.putUnit(compiled2);
    else if (old) store2.deleteUnit(key);
    for (const ref of judgedBy({ unit: key }, old, compiled2)) judged.add(ref);
    const wasThere = old !== void 0 || neededByOld.has(key);
    if (compiled2 && wasThere) for (const read of newlyMissed(store2, old, compiled2, gone)) missed.add(read);
    for (const need of changedNeeds(store2, old, compiled2)) {
      if (wasThere) neededByOld.add(need);
      dirty.delete(need);
      dirty.add(need);
    }
  }
  store2.dropPending(waited);
  store2.addPending(dirty);
  return { units: units3, left: store2.pendingCount };
}
var isAlive = (store2, key) => key === "listeners:" || (isUnit(key) ? store2.claimants(key) : store2.readers(`need:${key}`)).length > 0;
function changedNeeds(store2, old, now) {
  const before = needsOf(old);
  const after = needsOf(now);
  return [
    ...before.filter((need) => !after.includes(need) && !isAlive(store2, need) && store2.unit(need)),
    ...after.filter((need) => !before.includes(need) && !store2.unit(need))
  ];
}
function needsOf(unit) {
  const needs = [];
  for (const key of unit?.reads ?? []) if (key.startsWith("need:")) needs.push(key.slice(5));
  return needs;
}
function settingsOf(store2) {
  const object = store2.object(settingsRef);
  return object?.kind === "Settings" ? object.spec : defaultSettings;
}
var Recorder = class {
  constructor(unit, store2, settings, platform) {
    this.unit = unit;
    this.store = store2;
    this.settings = settings;
    this.platform = platform;
  }
  #reads = /* @__PURE__ */ new Set();
  #last;
  get reads() {
    return [...this.#reads];
  }
  get(kind, namespace, name3) {
    const last = this.#last;
    if (last?.kind === kind && last.meta.name === name3 && last.meta.namespace === namespace)
      return last;
    const ref = refOf(kind, namespace, name3);
    this.#reads.add(ref);
    const object = this.store.object(ref);
    if (object) this.#last = object;
    return object?.kind === kind ? object : void 0;
  }
  /** A claim on the unit itself dirties it anyway: that list need not be noted. */
  claimants(key) {
    if (key !== this.unit) this.#reads.add(["claims:", key].join(""));
    return this.store.claimants(key);
  }
  need(unit) {
    this.#reads.add(["need:", unit].join(""));
  }
  overrun(ref) {
    return ledgerOf(this.store, this).overrun(ref);
  }
  checkKeyPair(certificate2, privateKey) {
    return this.platform.checkKeyPair(certificate2, privateKey);
  }
};

// src/server/slices.ts
var pause = () => new Promise((resolve) => setTimeout(resolve, 0));
var sliceObjects = 500;
var inSlices = (platform) => {
  const { checkKeyPair: checkKeyPair2, maxUnits, sliceUnits = maxUnits } = platform;
  return { checkKeyPair: checkKeyPair2, ...sliceUnits === void 0 ? {} : { maxUnits: sliceUnits } };
};
async function updateInSlices(store2, changes, { checkKeyPair: checkKeyPair2 }) {
  for (let start = 0; start < changes.length; start += sliceObjects) {
    update(store2, changes.slice(start, start + sliceObjects), { checkKeyPair: checkKeyPair2, maxUnits: 0 });
    await pause();
  }
}
async function compileLeft(store2, platform, done = 0) {
  const { maxUnits = Number.POSITIVE_INFINITY } = platform;
  let units3 = done;
  while (units3 < maxUnits && unitsLeft(store2) > 0) {
    units3 += resume(store2, inSlices(platform)).units;
    await pause();
  }
  return units3;
}

// src/server/source.ts
async function parseSource(text4) {
  if (/^\s*<[!?a-z]/i.test(text4))
    return { code: "not-readable", detail: "the content is HTML or XML, such as the error page of a proxy" };
  const reader = new SourceReader();
  let unpaused = 0;
  for (const step of readDocuments(text4, "yaml", maxServedNodes)) {
    for (const nodes of step === void 0 ? [sliceNodes] : reader.read(step)) {
      if (reader.refusal) return reader.refusal;
      unpaused += nodes;
      if (unpaused < sliceNodes) continue;
      unpaused = 0;
      await pause();
    }
  }
  return reader.end();
}
var sliceNodes = 2e4;
var SourceReader = class {
  refusal;
  #objects = /* @__PURE__ */ new Map();
  #findings = [];
  #invalid = [];
  #documents = 0;
  #members = 0;
  #ignored = 0;
  #hasUnnamed = false;
  /** Takes a document; yields after each of its objects how many nodes they have on average. */
  *read(step) {
    this.#documents++;
    if ("fault" in step)
      yield this.#refuse("not-readable", `line ${step.line}:${step.column}: ${step.fault}`);
    else {
      const place = `document ${this.#documents} (line ${step.line})`;
      for (const { line, message } of step.doubts) this.#findings.push(ambiguous(`line ${line}: ${message}`));
      const found = membersOf(step.value);
      if ("problem" in found) yield this.#refuse("not-an-object", `${place} ${found.problem}`);
      else
        for (const [i, member] of found.members.entries()) {
          this.#take(member, member === step.value ? place : `${place}, item ${i}`);
          yield step.nodes / found.members.length;
        }
    }
  }
  end() {
    if (this.#documents === 0)
      return { code: "empty", detail: "there is no document; push an empty List to remove all" };
    if (this.#members > 0 && this.#ignored === this.#members)
      return {
        code: "no-objects",
        detail: `none of the ${this.#members} objects is of a kind that routing reads; push an empty List to remove all`
      };
    if (this.#hasUnnamed) this.#findings.push(unnamed);
    return {
      objects: [...this.#objects.values()],
      findings: this.#findings,
      invalid: this.#invalid,
      hasUnnamed: this.#hasUnnamed
    };
  }
  #refuse(code, detail) {
    this.refusal = { code, detail };
    return 0;
  }
  #take(value, place) {
    this.#members++;
    const settings = settingsIn(value);
    const parsed = settings ? parseSettingsDocument(settings.spec) : parseObject(value);
    if ("ignored" in parsed) {
      this.#ignored++;
      for (const finding of parsed.findings) this.#findings.push(finding);
      return;
    }
    if ("noObject" in parsed) {
      const what = parsed.findings.map(({ path: path3, message }) => path3 ? `${path3} ${message}` : message);
      this.#refuse("not-an-object", `${place}: ${what.join("; ")}`);
      return;
    }
    if ("findings" in parsed) for (const finding of parsed.findings) this.#findings.push(finding);
    if ("object" in parsed) this.#put(parsed.object);
    else if (parsed.ref) this.#invalid.push(parsed.ref);
    else this.#hasUnnamed = true;
  }
  #put(object) {
    if (this.#objects.has(object.ref)) this.#findings.push(duplicate(object.ref));
    this.#objects.set(object.ref, object);
  }
};
var ambiguous = (message) => ({
  about: "Source//",
  severity: "warning",
  type: "SourceError",
  reason: "Ambiguous",
  message
});
var unnamed = {
  about: "Source//",
  severity: "error",
  type: "SourceError",
  reason: "Unnamed",
  message: "an object has no valid kind or name and may be any of those that were there before, so that none is removed; mend it"
};
var duplicate = (ref) => ({
  about: ref,
  severity: "warning",
  type: "SchemaError",
  reason: "Duplicate",
  message: "is in the source more than once; the last one is used"
});
var settingsIn = (value) => isRecord(value) && value.kind === "IsolineSettings" ? value : void 0;
function parseSettingsDocument(spec) {
  const { settings, findings: wrong } = parseSettings(spec);
  const findings = [
    ...wrong,
    ...bootstrapFindings(settings),
    ...unfilteredFindings(settings, "push what is to be read, and nothing else")
  ];
  return { object: settings, findings };
}

// src/schema/digest.ts
var hex = (half) => (half >>> 0).toString(16).padStart(8, "0");
var formatDigest = ({ high, low }) => hex(high) + hex(low);
var encoder3 = new TextEncoder();
var room = 1 << 16;
var bytes = new Uint8Array(room + 4);
var content = bytes.subarray(0, room);
var words3 = new Int32Array(bytes.buffer);
function digest(...texts) {
  let high = 2166136261;
  let low = 2538058380;
  for (const text4 of texts) {
    let size = 0;
    for (let start = 0; start < text4.length; ) {
      const { read, written } = encoder3.encodeInto(start === 0 ? text4 : text4.slice(start), content);
      start += read;
      size += written;
      bytes.fill(0, written, written + 4);
      for (let i = 0; i << 2 < written; i++) {
        const word = words3[i];
        high = Math.imul(high ^ word, 16777619);
        low = Math.imul(low ^ word, 1540483477) ^ low >>> 15;
      }
    }
    high = Math.imul(high ^ size, 16777619);
    low = Math.imul(low ^ size, 1540483477) ^ low >>> 15;
  }
  return { high: mix2(high), low: mix2(low ^ high) };
}
function mix2(half) {
  let x = half ^ half >>> 16;
  x = Math.imul(x, 2246822507);
  x ^= x >>> 13;
  x = Math.imul(x, 3266489909);
  return x ^ x >>> 16;
}

// src/store/store.ts
var StoreError = class extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
};

// src/store/cells.ts
var cellLength = 5e5;
var inPieces = "~";
var textOf = (value) => typeof value === "string" ? value : "";
function cut(text4, start) {
  const end = start + cellLength;
  const last = text4.charCodeAt(end - 1);
  return end < text4.length && last >= 55296 && last <= 56319 ? end - 1 : end;
}
var Cells = class {
  constructor(sql) {
    this.sql = sql;
  }
  /** Owners of texts in pieces, read when it is first asked for. Few texts are so long, and no other costs a statement. */
  #owners;
  /** What to put into a cell for a text, of an owner that has had another before. */
  write(owner, text4) {
    this.forget(owner);
    if (text4.length <= cellLength && text4 !== inPieces) return text4;
    let part2 = 0;
    for (let start = 0; start < text4.length; ) {
      const end = cut(text4, start);
      this.sql.putPart.run(owner, part2++, text4.slice(start, end));
      start = end;
    }
    this.#known.add(owner);
    return inPieces;
  }
  text(owner, cell) {
    if (cell !== inPieces) return textOf(cell);
    return this.sql.getParts.all(owner).map(({ text: text4 }) => textOf(text4)).join("");
  }
  /** @throws StoreError where the text is no JSON: the database is damaged. */
  json(owner, cell) {
    try {
      return JSON.parse(this.text(owner, cell));
    } catch {
      throw new StoreError("store-damaged", `the store is damaged: what it holds of ${owner} is not JSON`);
    }
  }
  forget(...owners) {
    if (this.#known.size === 0) return;
    for (const owner of owners) if (this.#known.delete(owner)) this.sql.dropParts.run(owner);
  }
  /** After a transaction was undone. */
  reset() {
    this.#owners = void 0;
  }
  get #known() {
    this.#owners ??= new Set(this.sql.getOwners.all().map(({ owner }) => textOf(owner)));
    return this.#owners;
  }
};

// src/store/findings.ts
function findingsOf(units3) {
  const telling = [...units3].filter(({ findings }) => findings.length > 0);
  telling.sort((a, b) => a.unit < b.unit ? -1 : 1);
  const all = telling.flatMap(({ findings }) => findings);
  return all.sort((a, b) => a.about < b.about ? -1 : a.about > b.about ? 1 : 0);
}

// src/store/new-units.ts
var most = 100;
var NewUnits = class {
  constructor(sql) {
    this.sql = sql;
  }
  #units = [];
  #resources = [];
  #reads = [];
  #readers = /* @__PURE__ */ new Map();
  #count = 0;
  add(unit, row, reads) {
    if (this.#count === most) this.flush();
    this.#count++;
    this.#units.push(...row);
    for (const read of reads) {
      this.#reads.push(read, unit);
      const known5 = this.#readers.get(read);
      if (known5) known5.push(unit);
      else this.#readers.set(read, [unit]);
    }
  }
  addResource(row) {
    this.#resources.push(...row);
  }
  /** Units that are not written yet. */
  readers(key) {
    return this.#readers.get(key) ?? [];
  }
  flush() {
    if (this.#count === 0) return;
    const [units3, resources, reads] = [this.#units, this.#resources, this.#reads];
    this.clear();
    this.sql.putUnits.run(units3);
    this.sql.putResources.run(resources);
    this.sql.addReads.run(reads);
  }
  /** Drops what is not written. */
  clear() {
    this.#units = [];
    this.#resources = [];
    this.#reads = [];
    this.#readers.clear();
    this.#count = 0;
  }
};

// src/store/object-cache.ts
var generationSize = 2500;
var ObjectCache = class {
  #young = /* @__PURE__ */ new Map();
  #old = /* @__PURE__ */ new Map();
  get(ref) {
    const young = this.#young.get(ref);
    if (young) return young;
    const old = this.#old.get(ref);
    if (old) this.add(old);
    return old;
  }
  add(object) {
    if (this.#young.size >= generationSize) {
      this.#old = this.#young;
      this.#young = /* @__PURE__ */ new Map();
    }
    this.#young.set(object.ref, object);
  }
  delete(ref) {
    this.#young.delete(ref);
    this.#old.delete(ref);
  }
  clear() {
    this.#young.clear();
    this.#old.clear();
  }
};

// src/store/resource-lists.ts
var byName = (a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
var keyOf2 = (type4, group) => `${type4}/${group}`;
var ResourceLists = class {
  #lists = /* @__PURE__ */ new Map();
  /** The sorted list of a type and group; `load` reads it the first time, in any order. */
  get(type4, group, load) {
    const known5 = this.#lists.get(keyOf2(type4, group));
    if (!known5) {
      const sorted = [...load()].sort(byName);
      const list2 = {
        sorted,
        byName: new Map(sorted.map((one) => [one.name, one])),
        changed: /* @__PURE__ */ new Set()
      };
      this.#lists.set(keyOf2(type4, group), list2);
      return sorted;
    }
    if (known5.changed.size > 0) {
      known5.sorted = merged(known5);
      known5.changed.clear();
    }
    return known5.sorted;
  }
  /** A resource of a list that is known; `undefined` also when the list is not. */
  find(type4, group, name3) {
    return this.#lists.get(keyOf2(type4, group))?.byName.get(name3);
  }
  put(resource) {
    const list2 = this.#lists.get(keyOf2(resource.type, resource.group));
    list2?.byName.set(resource.name, resource);
    list2?.changed.add(resource.name);
  }
  delete({ type: type4, group, name: name3 }) {
    const list2 = this.#lists.get(keyOf2(type4, group));
    list2?.byName.delete(name3);
    list2?.changed.add(name3);
  }
  clear() {
    this.#lists.clear();
  }
};
function merged({ sorted, byName: now, changed }) {
  const added = [...changed].flatMap((name3) => now.get(name3) ?? []).sort(byName);
  const all = [];
  let next = 0;
  for (const resource of sorted) {
    if (changed.has(resource.name)) continue;
    for (let one = added[next]; one && one.name < resource.name; one = added[++next]) all.push(one);
    all.push(resource);
  }
  for (const one of added.slice(next)) all.push(one);
  return all;
}

// src/store/migrations.ts
var textOf2 = (value) => typeof value === "string" ? value : "";
function cursorOf(driver, name3) {
  const value = driver.prepare("SELECT value FROM cursor WHERE name = ?").all(name3)[0]?.value;
  if (value === void 0) return void 0;
  const text4 = value === "~" ? piecesOf(driver, `cursor/${name3}`) : textOf2(value);
  return JSON.parse(text4);
}
var piecesOf = (driver, owner) => driver.prepare("SELECT text FROM part WHERE owner = ? ORDER BY part").all(owner).map(({ text: text4 }) => textOf2(text4)).join("");
var sourceNamesOf = (driver) => JSON.parse(cursorOf(driver, "sources") ?? "[]");
var setCursor = (driver, name3, value) => driver.prepare("INSERT OR REPLACE INTO cursor (name, value) VALUES (?, ?)").run(name3, JSON.stringify(value));
var cellLength2 = 5e5;
function setLongCursor(driver, name3, value) {
  const json = JSON.stringify(value);
  if (json.length <= cellLength2) {
    setCursor(driver, name3, value);
    return;
  }
  driver.prepare("INSERT OR REPLACE INTO cursor (name, value) VALUES (?, '~')").run(name3);
  const put = driver.prepare("INSERT INTO part (owner, part, text) VALUES (?, ?, ?)");
  let part2 = 0;
  for (let start = 0; start < json.length; ) {
    let end = start + cellLength2;
    const last = json.charCodeAt(end - 1);
    if (end < json.length && last >= 55296 && last <= 56319) end--;
    put.run(`cursor/${name3}`, part2++, json.slice(start, end));
    start = end;
  }
}
function toCursorsOfPieces(driver) {
  for (const name3 of sourceNamesOf(driver)) {
    const text4 = cursorOf(driver, `source:${name3}`) ?? "";
    if (!text4.startsWith("{")) continue;
    const state = { revision: 1, digest: "", ...JSON.parse(text4) };
    const json = JSON.stringify(state);
    const count2 = Math.ceil(json.length / cellLength2);
    for (let i = 0; i < count2; i++)
      setLongCursor(driver, `source:${name3}:${i}`, json.slice(i * cellLength2, (i + 1) * cellLength2));
    driver.prepare("DELETE FROM part WHERE owner = ?").run(`cursor/source:${name3}`);
    setCursor(driver, `source:${name3}`, String(count2));
  }
}
function toKeptContents(driver) {
  for (const [table, columns, key] of [
    ["cursor", "name TEXT NOT NULL UNIQUE, value TEXT NOT NULL", "name, value"],
    [
      "part",
      "owner TEXT NOT NULL, part INTEGER NOT NULL, text TEXT NOT NULL, UNIQUE (owner, part)",
      "owner, part, text"
    ]
  ]) {
    driver.exec(`CREATE TABLE new_${table} (${columns})`);
    driver.exec(`INSERT INTO new_${table} (${key}) SELECT ${key} FROM ${table}`);
    driver.exec(`DROP TABLE ${table}`);
    driver.exec(`ALTER TABLE new_${table} RENAME TO ${table}`);
  }
  driver.exec("CREATE INDEX part_owner ON part (owner) WHERE part = 0");
  driver.exec("ALTER TABLE object ADD COLUMN digest TEXT NOT NULL DEFAULT ''");
  driver.exec("CREATE INDEX unit_finding ON unit (unit) WHERE findings <> '[]'");
  driver.exec(
    `CREATE TABLE revision (source TEXT NOT NULL, revision INTEGER NOT NULL, at INTEGER NOT NULL, digest TEXT NOT NULL,
    size INTEGER NOT NULL, author TEXT NOT NULL, text TEXT NOT NULL, held TEXT NOT NULL, UNIQUE (source, revision))`
  );
  driver.exec(`DELETE FROM cursor WHERE value = '""'`);
  splitSources(driver);
  moveLeftUnits(driver);
  driver.exec("CREATE TABLE isoline_schema (version INTEGER NOT NULL)");
  driver.exec("INSERT INTO isoline_schema (version) VALUES (3)");
  driver.exec("DROP TABLE isoline");
}
function splitSources(driver) {
  for (const name3 of sourceNamesOf(driver)) {
    const count2 = Number(cursorOf(driver, `source:${name3}`) ?? 0);
    const pieces = Array.from({ length: count2 }, (_, i) => cursorOf(driver, `source:${name3}:${i}`) ?? "");
    const { refs, findings, ...head3 } = JSON.parse(pieces.join("") || "{}");
    dropCursors(driver, `source:${name3}:`, count2);
    setCursor(driver, `source:${name3}`, JSON.stringify({ ...head3, objects: refs?.length ?? 0 }));
    setLongCursor(driver, `source:${name3}/refs`, JSON.stringify(refs ?? []));
    setLongCursor(driver, `source:${name3}/findings`, JSON.stringify(findings ?? []));
  }
}
function dropCursors(driver, start, count2) {
  for (let i = 0; i < count2; i++) {
    driver.prepare("DELETE FROM cursor WHERE name = ?").run(`${start}${i}`);
    driver.prepare("DELETE FROM part WHERE owner = ?").run(`cursor/${start}${i}`);
  }
}
function moveLeftUnits(driver) {
  driver.exec("CREATE TABLE pending (unit TEXT NOT NULL UNIQUE)");
  const left = cursorOf(driver, "left");
  const { units: units3 } = left ? JSON.parse(left) : { units: [] };
  const add2 = driver.prepare("INSERT OR IGNORE INTO pending (unit) VALUES (?)");
  for (const unit of units3) add2.run(unit);
  driver.prepare("DELETE FROM cursor WHERE name = ?").run("left");
  driver.prepare("DELETE FROM part WHERE owner = ?").run("cursor/left");
}

// src/store/schema.ts
var oldVersionTable = "isoline";
var versionTable = "isoline_schema";
var tables = [
  `CREATE TABLE ${versionTable} (version INTEGER NOT NULL)`,
  "CREATE TABLE object (ref TEXT NOT NULL UNIQUE, json TEXT NOT NULL, claims TEXT NOT NULL, digest TEXT NOT NULL DEFAULT '')",
  "CREATE TABLE claim (key TEXT NOT NULL, ref TEXT NOT NULL, PRIMARY KEY (key, ref)) WITHOUT ROWID",
  "CREATE TABLE read (key TEXT NOT NULL, unit TEXT NOT NULL, PRIMARY KEY (key, unit)) WITHOUT ROWID",
  `CREATE TABLE unit (unit TEXT NOT NULL UNIQUE, resources TEXT NOT NULL, findings TEXT NOT NULL,
    reads TEXT NOT NULL)`,
  "CREATE INDEX unit_finding ON unit (unit) WHERE findings <> '[]'",
  `CREATE TABLE resource (type TEXT NOT NULL, grp TEXT NOT NULL, name TEXT NOT NULL, json TEXT NOT NULL,
    endpoints TEXT, mode TEXT, users INTEGER NOT NULL, UNIQUE (type, grp, name))`,
  "CREATE TABLE pending (unit TEXT NOT NULL UNIQUE)",
  "CREATE TABLE cursor (name TEXT NOT NULL UNIQUE, value TEXT NOT NULL)",
  `CREATE TABLE revision (source TEXT NOT NULL, revision INTEGER NOT NULL, at INTEGER NOT NULL, digest TEXT NOT NULL,
    size INTEGER NOT NULL, author TEXT NOT NULL, text TEXT NOT NULL, held TEXT NOT NULL, UNIQUE (source, revision))`,
  "CREATE TABLE part (owner TEXT NOT NULL, part INTEGER NOT NULL, text TEXT NOT NULL, UNIQUE (owner, part))",
  "CREATE INDEX part_owner ON part (owner) WHERE part = 0"
];
var migrations = [toCursorsOfPieces, toKeptContents];
var schemaVersion = migrations.length + 1;
function openSchema(driver) {
  const names4 = tableNames(driver);
  const held = [versionTable, oldVersionTable].find((name3) => names4.includes(name3));
  if (held === void 0 && names4.length > 0)
    throw new StoreError(
      "store-foreign",
      `the database is not Isoline's: it has the table ${JSON.stringify(names4[0])}`
    );
  if (held === void 0) {
    for (const text4 of tables) driver.exec(text4);
    driver.exec(`INSERT INTO ${versionTable} (version) VALUES (${schemaVersion})`);
    return;
  }
  const version4 = driver.prepare(`SELECT version FROM ${held}`).all()[0]?.version;
  if (version4 === schemaVersion) return;
  if (typeof version4 !== "number" || !Number.isInteger(version4) || version4 < 1)
    throw new StoreError("store-damaged", `the version of the store's tables can't be read (${version4})`);
  if (version4 > schemaVersion)
    throw new StoreError(
      "store-too-new",
      `the store has tables of version ${version4}, and this Isoline reads versions up to ${schemaVersion}; start the Isoline that wrote it, or a newer one. Nothing was changed`
    );
  for (const migrate of migrations.slice(version4 - 1)) migrate(driver);
  driver.exec(`UPDATE ${versionTable} SET version = ${schemaVersion}`);
}
var tableNames = (driver) => driver.prepare(
  `SELECT name FROM sqlite_master
       WHERE type = 'table' AND name NOT GLOB 'sqlite_*' AND name NOT GLOB '_cf_*'`
).all().map(({ name: name3 }) => String(name3));

// src/store/sql.ts
var maxBound = 100;
var marks = (count2) => Array.from({ length: count2 }, () => "?").join(", ");
var ListStatement = class {
  constructor(driver, text4, width) {
    this.driver = driver;
    this.text = text4;
    this.width = width;
  }
  #statements = /* @__PURE__ */ new Map();
  run(values) {
    for (const some of this.#chunks(values)) this.#of(some).run(...some);
  }
  all(values) {
    return this.#chunks(values).flatMap((some) => this.#of(some).all(...some));
  }
  #chunks(values) {
    const most2 = Math.floor(maxBound / this.width) * this.width;
    if (values.length <= most2) return values.length > 0 ? [values] : [];
    const chunks = [];
    for (let start = 0; start < values.length; start += most2) chunks.push(values.slice(start, start + most2));
    return chunks;
  }
  #of({ length }) {
    const count2 = length / this.width;
    let statement = this.#statements.get(count2);
    if (!statement) {
      statement = this.driver.prepare(this.text(count2));
      this.#statements.set(count2, statement);
    }
    return statement;
  }
};
var statements = (driver) => {
  const resource = "type = ? AND grp = ? AND name = ?";
  const rows = (head3, width, tail = "") => new ListStatement(
    driver,
    (count2) => `${head3} VALUES ${Array.from({ length: count2 }, () => `(${marks(width)})`).join(", ")} ${tail}`,
    width
  );
  const among = (head3, tail = "") => new ListStatement(driver, (count2) => `${head3} IN (${marks(count2)}) ${tail}`, 1);
  return {
    getObject: driver.prepare("SELECT json FROM object WHERE ref = ?"),
    getClaims: driver.prepare("SELECT claims FROM object WHERE ref = ?"),
    getAllClaims: among("SELECT ref, claims FROM object WHERE ref"),
    getDigests: among("SELECT ref, digest FROM object WHERE ref"),
    setDigest: driver.prepare("UPDATE object SET digest = ? WHERE ref = ?"),
    pageObjects: driver.prepare(
      "SELECT rowid AS row, ref, json FROM object WHERE rowid > ? ORDER BY rowid LIMIT ?"
    ),
    putObjects: rows(
      "INSERT INTO object (ref, json, claims, digest)",
      4,
      "ON CONFLICT (ref) DO UPDATE SET json = excluded.json, claims = excluded.claims, digest = excluded.digest"
    ),
    deleteObject: driver.prepare("DELETE FROM object WHERE ref = ?"),
    addClaims: rows("INSERT OR IGNORE INTO claim (key, ref)", 2),
    dropClaim: driver.prepare("DELETE FROM claim WHERE key = ? AND ref = ?"),
    claimants: driver.prepare("SELECT ref FROM claim WHERE key = ?"),
    getClaimed: among("SELECT key, ref, json FROM claim CROSS JOIN object USING (ref) WHERE key"),
    addReads: rows("INSERT OR IGNORE INTO read (key, unit)", 2),
    dropRead: driver.prepare("DELETE FROM read WHERE key = ? AND unit = ?"),
    readers: driver.prepare("SELECT unit FROM read WHERE key = ?"),
    readersOfAny: among("SELECT unit FROM read WHERE key"),
    getUnit: driver.prepare("SELECT unit, resources, findings, reads FROM unit WHERE unit = ?"),
    pageUnits: driver.prepare(
      `SELECT rowid AS row, unit, resources, findings, reads FROM unit
       WHERE rowid > ? ORDER BY rowid LIMIT ?`
    ),
    getUnitKeys: driver.prepare("SELECT unit FROM unit"),
    putUnits: rows(
      "INSERT INTO unit (unit, resources, findings, reads)",
      4,
      `ON CONFLICT (unit) DO UPDATE
       SET resources = excluded.resources, findings = excluded.findings, reads = excluded.reads`
    ),
    deleteUnit: driver.prepare("DELETE FROM unit WHERE unit = ?"),
    getFindings: driver.prepare("SELECT unit, findings FROM unit WHERE findings <> '[]'"),
    getPending: driver.prepare("SELECT unit FROM pending ORDER BY rowid LIMIT ?"),
    countPending: driver.prepare("SELECT COUNT(*) AS count FROM pending"),
    addPending: rows("INSERT OR IGNORE INTO pending (unit)", 1, "RETURNING unit"),
    dropPending: among("DELETE FROM pending WHERE unit", "RETURNING unit"),
    getResource: driver.prepare(`SELECT json, endpoints, mode FROM resource WHERE ${resource}`),
    getResources: driver.prepare(
      "SELECT name, json, endpoints, mode FROM resource WHERE type = ? AND grp = ? ORDER BY name"
    ),
    putResources: rows(
      "INSERT INTO resource (type, grp, name, json, endpoints, mode, users)",
      7,
      `ON CONFLICT (type, grp, name) DO UPDATE SET json = excluded.json, endpoints = excluded.endpoints,
       mode = excluded.mode, users = users + excluded.users`
    ),
    leaveResource: driver.prepare(`UPDATE resource SET users = users - 1 WHERE ${resource}`),
    dropResource: driver.prepare(`DELETE FROM resource WHERE ${resource} AND users <= 0`),
    getCursor: driver.prepare("SELECT value FROM cursor WHERE name = ?"),
    setCursor: driver.prepare(
      "INSERT INTO cursor (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
    ),
    dropCursor: driver.prepare("DELETE FROM cursor WHERE name = ?"),
    getRevisions: driver.prepare(
      "SELECT revision, at, digest, size, author FROM revision WHERE source = ? ORDER BY revision DESC"
    ),
    getSources: driver.prepare("SELECT DISTINCT source FROM revision ORDER BY source"),
    getRevision: driver.prepare(
      "SELECT rowid AS id, text, held FROM revision WHERE source = ? AND revision = ?"
    ),
    putRevision: driver.prepare(
      `INSERT INTO revision (source, revision, at, digest, size, author, text, held)
       VALUES (?, ?, ?, ?, ?, ?, '', '') RETURNING rowid AS id`
    ),
    fillRevision: driver.prepare("UPDATE revision SET text = ?, held = ? WHERE rowid = ?"),
    renumberRevision: driver.prepare(
      "UPDATE revision SET revision = ?, at = ?, author = ? WHERE source = ? AND revision = ?"
    ),
    dropRevision: driver.prepare("DELETE FROM revision WHERE source = ? AND revision = ?"),
    putPart: driver.prepare("INSERT INTO part (owner, part, text) VALUES (?, ?, ?)"),
    getParts: driver.prepare("SELECT text FROM part WHERE owner = ? ORDER BY part"),
    dropParts: driver.prepare("DELETE FROM part WHERE owner = ?"),
    getOwners: driver.prepare("SELECT owner FROM part WHERE part = 0")
  };
};

// src/store/sql-revisions.ts
var textOwner = (id) => `revision/${id}/text`;
var heldOwner = (id) => `revision/${id}/held`;
var SqlRevisions = class {
  constructor(sql, cells) {
    this.sql = sql;
    this.cells = cells;
  }
  revisionSources() {
    return this.sql.getSources.all().map(({ source: source2 }) => textOf(source2));
  }
  revisions(source2) {
    return this.sql.getRevisions.all(source2).map(({ revision, at, digest: digest2, size, author }) => ({
      source: source2,
      revision: Number(revision),
      at: Number(at),
      digest: textOf(digest2),
      size: Number(size),
      by: textOf(author)
    }));
  }
  revisionContent(source2, revision) {
    const row = this.sql.getRevision.all(source2, revision)[0];
    if (!row) return void 0;
    return {
      text: this.cells.text(textOwner(row.id), row.text),
      held: this.cells.json(heldOwner(row.id), row.held)
    };
  }
  putRevision({ source: source2, revision, at, digest: digest2, by: by2 }, { text: text4, held }) {
    this.dropRevision(source2, revision);
    const heldText = JSON.stringify(held);
    const size = text4.length + heldText.length;
    const id = this.sql.putRevision.all(source2, revision, at, digest2, size, by2)[0]?.id ?? null;
    const textCell = this.cells.write(textOwner(id), text4);
    this.sql.fillRevision.run(textCell, this.cells.write(heldOwner(id), heldText), id);
  }
  renumberRevision({ source: source2, revision }, { revision: number, at, by: by2 }) {
    this.sql.renumberRevision.run(number, at, by2, source2, revision);
  }
  dropRevision(source2, revision) {
    const id = this.sql.getRevision.all(source2, revision)[0]?.id;
    if (id === void 0) return;
    this.sql.dropRevision.run(source2, revision);
    this.cells.forget(textOwner(id), heldOwner(id));
  }
};

// src/store/sql-store.ts
var pageSize = 256;
var claimantsSize = 1e3;
var keyOf3 = ({ type: type4, group, name: name3 }) => `${type4}/${group}/${name3}`;
var digestOf = (json) => formatDigest(digest(json));
var SqlStore = class {
  constructor(driver) {
    this.driver = driver;
    driver.transaction(() => openSchema(driver));
    this.#sql = statements(driver);
    this.#cells = new Cells(this.#sql);
    this.#newUnits = new NewUnits(this.#sql);
    this.#revisions = new SqlRevisions(this.#sql, this.#cells);
  }
  #sql;
  #cells;
  #revisions;
  #cache = new ObjectCache();
  #newUnits;
  /** Of all units, from the time that one was first asked for. */
  #unitKeys;
  /** By key, until a claim changes: who compiles a unit has just asked whether it is claimed. */
  #claimants = /* @__PURE__ */ new Map();
  #lists = new ResourceLists();
  /** Who puts or drops a unit has mostly just read it. */
  #lastRead;
  #pendingCount;
  /** Of units that have any, from the time that they were first asked for. */
  #findings;
  #undone = 0;
  /** Of transactions within each other. */
  #depth = 0;
  object(ref) {
    const cached = this.#cache.get(ref);
    if (cached) return cached;
    const row = this.#sql.getObject.all(ref)[0];
    if (!row) return void 0;
    const object = this.#cells.json(`object/${ref}`, row.json);
    this.#cache.add(object);
    return object;
  }
  *objects() {
    for (const row of this.#pages("pageObjects")) {
      yield this.#cells.json(`object/${textOf(row.ref)}`, row.json);
    }
  }
  compare(objects) {
    const rows = this.#sql.getDigests.all(objects.map(({ ref }) => ref));
    const held = new Map(rows.map(({ ref, digest: digest2 }) => [ref, textOf(digest2)]));
    return objects.map((object) => {
      const known5 = held.get(object.ref);
      if (known5 === void 0) return "absent";
      const now = digestOf(JSON.stringify(object));
      if (known5 === now) return "same";
      if (!isSame(this.object(object.ref), object)) return "other";
      this.#sql.setDigest.run(now, object.ref);
      return "same";
    });
  }
  putObject(object, claims) {
    this.putObjects([{ object, claims }], ["other"]);
  }
  putObjects(objects, likeness) {
    this.#claimants.clear();
    const rows = [];
    const added = [];
    for (const [i, { object, claims }] of objects.entries()) {
      const { ref } = object;
      const before = new Set(likeness[i] === "absent" ? [] : this.claimsOf(ref));
      for (const key of new Set(claims)) if (!before.delete(key)) added.push(key, ref);
      for (const key of before) this.#sql.dropClaim.run(key, ref);
      const json = JSON.stringify(object);
      const cell = this.#cells.write(`object/${ref}`, json);
      rows.push(ref, cell, this.#cells.write(`claims/${ref}`, JSON.stringify(claims)), digestOf(json));
      this.#cache.delete(ref);
    }
    this.#sql.putObjects.run(rows);
    this.#sql.addClaims.run(added);
  }
  deleteObject(ref) {
    this.#claimants.clear();
    for (const key of this.claimsOf(ref)) this.#sql.dropClaim.run(key, ref);
    this.#sql.deleteObject.run(ref);
    this.#cells.forget(`object/${ref}`, `claims/${ref}`);
    this.#cache.delete(ref);
  }
  claimsOf(ref) {
    const row = this.#sql.getClaims.all(ref)[0];
    return row ? this.#cells.json(`claims/${ref}`, row.claims) : [];
  }
  *claimsOfAny(refs) {
    for (const { ref, claims } of this.#sql.getAllClaims.all(refs))
      if (claims !== "[]") yield* this.#cells.json(`claims/${textOf(ref)}`, claims);
  }
  claimants(key) {
    const known5 = this.#claimants.get(key);
    if (known5) return known5;
    const rows = this.#sql.claimants.all(key);
    return this.#rememberClaimants(
      key,
      rows.map(({ ref }) => ref)
    );
  }
  #rememberClaimants(key, refs) {
    if (this.#claimants.size >= claimantsSize) this.#claimants.clear();
    this.#claimants.set(key, refs.sort());
    return refs;
  }
  /** Reads what claims units, all in a few statements. */
  #prefetch(units3) {
    const claims = new Map(units3.map((unit) => [unit, []]));
    for (const { key, ref, json } of this.#sql.getClaimed.all(units3)) {
      claims.get(textOf(key))?.push(ref);
      if (!this.#cache.get(ref))
        this.#cache.add(this.#cells.json(`object/${ref}`, json));
    }
    for (const [key, refs] of claims) this.#rememberClaimants(key, refs);
  }
  readers(key) {
    const rows = this.#sql.readers.all(key);
    return [...rows.map(({ unit }) => unit), ...this.#newUnits.readers(key)].sort();
  }
  *readersOfAny(keys2) {
    this.#newUnits.flush();
    for (const { unit } of this.#sql.readersOfAny.all(keys2)) yield unit;
  }
  unit(key) {
    let unit;
    if (this.#units.has(key)) {
      this.#newUnits.flush();
      const row = this.#sql.getUnit.all(key)[0];
      unit = row && this.#unit(row);
    }
    this.#lastRead = { key, unit };
    return unit;
  }
  get #units() {
    this.#unitKeys ??= new Set(this.#sql.getUnitKeys.all().map(({ unit }) => unit));
    return this.#unitKeys;
  }
  #read(key) {
    const known5 = this.#lastRead?.key === key ? this.#lastRead : { unit: this.unit(key) };
    this.#lastRead = void 0;
    return known5.unit;
  }
  *units() {
    this.#newUnits.flush();
    for (const row of this.#pages("pageUnits")) yield this.#unit(row);
  }
  #unit(row) {
    const unit = textOf(row.unit);
    const keys2 = this.#cells.json(`resources/${unit}`, row.resources);
    return {
      unit,
      resources: keys2.flatMap(([type4, group, name3]) => this.resource(type4, group, name3) ?? []),
      findings: this.#cells.json(`findings/${unit}`, row.findings),
      reads: this.#cells.json(`reads/${unit}`, row.reads)
    };
  }
  putUnit(unit) {
    if (this.#depth === 0) {
      this.transaction(() => this.putUnit(unit));
      return;
    }
    const key = unit.unit;
    const old = this.#read(key);
    if (unit.findings.length > 0) this.#findings?.set(key, { unit: key, findings: unit.findings });
    else this.#findings?.delete(key);
    const keys2 = unit.resources.map(({ type: type4, group, name: name3 }) => [type4, group, name3]);
    const row = [
      key,
      this.#cells.write(`resources/${key}`, JSON.stringify(keys2)),
      this.#cells.write(`findings/${key}`, JSON.stringify(unit.findings)),
      this.#cells.write(`reads/${key}`, JSON.stringify(unit.reads))
    ];
    if (old) this.#replaceUnit(unit, old, row);
    else this.#addUnit(unit, row);
  }
  /** Rows of new units are written together, at the latest at the end of a transaction. */
  #addUnit({ unit, resources, reads }, row) {
    this.#units.add(unit);
    this.#newUnits.add(unit, row, new Set(reads));
    for (const [key, resource] of new Map(resources.map((each) => [keyOf3(each), each])))
      this.#newUnits.addResource(this.#rowOf(key, resource));
    for (const resource of resources) this.#lists.put(resource);
  }
  #replaceUnit({ unit, resources, reads }, old, row) {
    this.#newUnits.flush();
    this.#putResources(resources, old.resources);
    const before = new Set(old.reads);
    const added = [];
    for (const read of reads) if (!before.delete(read)) added.push(read, unit);
    this.#sql.addReads.run(added);
    for (const read of before) this.#sql.dropRead.run(read, unit);
    this.#sql.putUnits.run(row);
  }
  #rowOf(key, { type: type4, group, name: name3, json, endpoints, mode }, users = 1) {
    const cell = this.#cells.write(`resource/${key}`, json);
    return [type4, group, name3, cell, endpoints ?? null, mode ?? null, users];
  }
  #putResources(resources, old) {
    const before = new Map(old.map((resource) => [keyOf3(resource), resource]));
    for (const [key, resource] of new Map(resources.map((each) => [keyOf3(each), each]))) {
      const known5 = before.get(key);
      before.delete(key);
      if (isSame(known5, resource)) continue;
      this.#sql.putResources.run(this.#rowOf(key, resource, known5 ? 0 : 1));
      this.#lists.put(resource);
    }
    for (const resource of before.values()) this.#dropResource(resource);
  }
  #dropResource(resource) {
    const { type: type4, group, name: name3 } = resource;
    this.#sql.leaveResource.run(type4, group, name3);
    this.#sql.dropResource.run(type4, group, name3);
    if (this.#sql.getResource.all(type4, group, name3)[0]) return;
    this.#cells.forget(`resource/${keyOf3(resource)}`);
    this.#lists.delete(resource);
  }
  deleteUnit(key) {
    const old = this.#read(key);
    if (!old) return;
    this.#newUnits.flush();
    this.#units.delete(key);
    this.#putResources([], old.resources);
    for (const read of old.reads) this.#sql.dropRead.run(read, key);
    this.#sql.deleteUnit.run(key);
    this.#findings?.delete(key);
    this.#cells.forget(`resources/${key}`, `findings/${key}`, `reads/${key}`);
  }
  resources(type4, group = "") {
    return this.#lists.get(type4, group, () => {
      this.#newUnits.flush();
      const rows = this.#sql.getResources.all(type4, group);
      return rows.map((row) => this.#resource(type4, group, textOf(row.name), row));
    });
  }
  resource(type4, group, name3) {
    const known5 = this.#lists.find(type4, group, name3);
    if (known5) return known5;
    this.#newUnits.flush();
    const row = this.#sql.getResource.all(type4, group, name3)[0];
    return row && this.#resource(type4, group, name3, row);
  }
  #resource(type4, group, name3, row) {
    const { endpoints, mode } = row;
    return {
      type: type4,
      group,
      name: name3,
      json: this.#cells.text(`resource/${type4}/${group}/${name3}`, row.json),
      ...typeof endpoints === "string" ? { endpoints } : {},
      ...typeof mode === "string" ? { mode } : {}
    };
  }
  findings() {
    if (!this.#findings) this.#newUnits.flush();
    this.#findings ??= new Map(
      this.#sql.getFindings.all().map(({ unit, findings }) => {
        const key = textOf(unit);
        return [key, { unit: key, findings: this.#cells.json(`findings/${key}`, findings) }];
      })
    );
    return findingsOf(this.#findings.values());
  }
  cursor(name3) {
    const row = this.#sql.getCursor.all(name3)[0];
    return row && this.#cells.json(`cursor/${name3}`, row.value);
  }
  setCursor(name3, value) {
    if (value !== "")
      this.#sql.setCursor.run(name3, this.#cells.write(`cursor/${name3}`, JSON.stringify(value)));
    else {
      this.#cells.forget(`cursor/${name3}`);
      this.#sql.dropCursor.run(name3);
    }
  }
  pending(limit2) {
    if (this.pendingCount === 0) return [];
    const most2 = Number.isFinite(limit2) ? limit2 : -1;
    const units3 = this.#sql.getPending.all(most2).map(({ unit }) => unit);
    this.#prefetch(units3.slice(0, claimantsSize / 2));
    return units3;
  }
  get pendingCount() {
    this.#pendingCount ??= Number(this.#sql.countPending.all()[0]?.count);
    return this.#pendingCount;
  }
  addPending(keys2) {
    const before = this.pendingCount;
    this.#pendingCount = before + this.#sql.addPending.all([...keys2]).length;
  }
  dropPending(keys2) {
    const before = this.pendingCount;
    if (before > 0) this.#pendingCount = before - this.#sql.dropPending.all([...keys2]).length;
  }
  revisionSources() {
    return this.#revisions.revisionSources();
  }
  revisions(source2) {
    return this.#revisions.revisions(source2);
  }
  revisionContent(source2, revision) {
    return this.#revisions.revisionContent(source2, revision);
  }
  putRevision(revision, content2) {
    this.#revisions.putRevision(revision, content2);
  }
  renumberRevision(revision, now) {
    this.#revisions.renumberRevision(revision, now);
  }
  dropRevision(source2, revision) {
    this.#revisions.dropRevision(source2, revision);
  }
  get undone() {
    return this.#undone;
  }
  transaction(work) {
    this.#newUnits.flush();
    this.#depth++;
    try {
      return this.driver.transaction(() => {
        const done = work();
        this.#newUnits.flush();
        return done;
      });
    } catch (error) {
      this.#newUnits.clear();
      this.#unitKeys = void 0;
      this.#claimants.clear();
      this.#cache.clear();
      this.#lists.clear();
      this.#cells.reset();
      this.#lastRead = void 0;
      this.#pendingCount = void 0;
      this.#findings = void 0;
      this.#undone++;
      throw error;
    } finally {
      this.#depth--;
    }
  }
  *#pages(statement) {
    let rows;
    let last = 0;
    do {
      rows = this.#sql[statement].all(last, pageSize);
      yield* rows;
      last = rows.at(-1)?.row ?? 0;
    } while (rows.length === pageSize);
  }
};
var createSqlStore = (sql) => new SqlStore(sql);

// test/support/counting-driver.ts
import { createRequire } from "node:module";
function countingDriver() {
  const { Database } = createRequire(import.meta.url)("node-sqlite3-wasm");
  const database = new Database(":memory:");
  const counted = { statements: 0, rows: 0, texts: /* @__PURE__ */ new Map() };
  let depth = 0;
  const prepare = (text4) => {
    const statement = database.prepare(text4);
    const all = (...values) => {
      const rows = statement.all(values);
      counted.statements++;
      counted.rows += rows.length;
      counted.texts.set(text4, (counted.texts.get(text4) ?? 0) + 1);
      return rows;
    };
    return { all, run: (...values) => void all(...values) };
  };
  return {
    counted,
    reset() {
      counted.statements = 0;
      counted.rows = 0;
      counted.texts.clear();
    },
    scans: () => [...counted.texts.keys()].flatMap(
      (text4) => database.prepare(`EXPLAIN QUERY PLAN ${text4}`).all(Array.from({ length: text4.split("?").length - 1 }, () => null)).map(({ detail }) => String(detail)).filter((detail) => detail.startsWith("SCAN ") && !/^SCAN (?:CONSTANT|\d)/.test(detail))
    ),
    rowsOf: (sql) => database.prepare(sql).all([]),
    driver: {
      exec: (text4) => database.exec(text4),
      prepare,
      transaction(work) {
        const name3 = `s${++depth}`;
        database.exec(`SAVEPOINT ${name3}`);
        try {
          const result = work();
          database.exec(`RELEASE ${name3}`);
          return result;
        } catch (error) {
          database.exec(`ROLLBACK TO ${name3}; RELEASE ${name3}`);
          throw error;
        } finally {
          depth--;
        }
      }
    }
  };
}

// src/platform/key-pair.ts
import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
function checkKeyPair(certificate2, privateKey) {
  try {
    const own = createPublicKey(createPrivateKey(privateKey)).export({ type: "spki", format: "pem" });
    const { publicKey: publicKey3 } = new X509Certificate(certificate2);
    return own === publicKey3.export({ type: "spki", format: "pem" }) ? void 0 : "the private key is not the certificate's";
  } catch {
    return "the certificate or its private key can't be parsed";
  }
}

// .tmp-prof/count.ts
var n = 2e3;
var c = countingDriver();
var store = createSqlStore(c.driver);
var source = await parseSource(applications(n));
if ("code" in source) throw new Error(source.detail);
await updateInSlices(store, source.objects, { checkKeyPair, maxUnits: 2e3, sliceUnits: 200 });
console.log("units left", store.pendingCount);
var show = () => {
  console.log((c.counted.statements / n).toFixed(2));
  for (const [k, v] of [...c.counted.texts].sort((a, b) => b[1] - a[1]).slice(0, 16)) console.log((v / n).toFixed(2), k.replace(/\s+/g, " ").slice(0, 90));
};
show();
c.reset();
while (store.pendingCount > 0) await compileLeft(store, { checkKeyPair, maxUnits: 2e3, sliceUnits: 200 });
show();
//# sourceMappingURL=count.js.map
