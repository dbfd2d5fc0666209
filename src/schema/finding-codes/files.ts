import { either, error, warning } from "./code.js";

/** Files, documents, fields and annotations. */
export const fileCodes = {
  Ambiguous: warning(
    "A text is read in one way, and other readers of YAML take it in another.",
    "Write the value so that it has one meaning; quote a text.",
    "A key `y` without quotes, which some readers take for `true`.",
  ),
  AnnotationNotValid: either(
    "The value of an annotation can't be read. A value without effect is a warning; a value that decides who may include the object is an error, and includes of other namespaces are refused.",
    "Write a value that the message names.",
    '`projectcontour.io/max-connections: "many"` on a Service.',
  ),
  AnnotationOfAnotherKind: warning(
    "The annotation is for objects of another kind and has no effect here.",
    "Move it to an object of the kind that the message names.",
    "`projectcontour.io/max-connections` on an HTTPProxy; it is for a Service.",
  ),
  Duplicate: warning(
    "An object, or a setting, is there twice. The later one is used.",
    "Remove one of them.",
    "`HTTPProxy/shop/web` in `a.yaml` and in `b.yaml`.",
  ),
  ForeignAnnotation: warning(
    "The annotation restricts access in another controller and has no effect here: what it restricts is open.",
    "Use an HTTPProxy or an HTTPRoute with the policy, or remove the annotation.",
    "`nginx.ingress.kubernetes.io/auth-url` on an Ingress.",
  ),
  Invalid: error(
    "A field is missing or has a value that its kind does not take. The object is not served; of a Gateway, the listener is not.",
    "Write the field as the message says.",
    "`services: [{name: web}]` without `port`.",
  ),
  NotBuilt: either(
    "The files of a kustomization are read as they are, without its patches and names (a warning); with `--build`, the build failed (an error).",
    "Give `--build`, or build the kustomization first and check the result.",
    "A folder with `kustomization.yaml`, checked without `--build`.",
  ),
  NotReadable: error(
    "A file or document can't be read. Its objects are not known, so that nothing that was there before is removed.",
    "Write the file as YAML or JSON that `kubectl` reads; the message has the line.",
    "A key that is in one map twice.",
  ),
  NotRendered: warning(
    "A Helm chart is not read: its templates are no manifests before they are rendered.",
    "Render the chart and check the result: `helm template NAME CHART | isoline check -f -`.",
    "A folder with `Chart.yaml` and `templates/`.",
  ),
  SuppressionExpired: warning(
    "The last day of a suppression is over. What it hid is told again.",
    "Mend the cause, or set a later day.",
    "`SameMatch until 2026-01-31: until the move is done`, in February.",
  ),
  SuppressionNotAllowed: warning(
    "A suppression names a finding that is an error. Errors stay: their objects are not served.",
    "Mend the error, and remove the suppression.",
    "A suppression of `SecretNotValid`.",
  ),
  SuppressionNotValid: warning(
    "A line of the annotation `isoline.dev/suppress` can't be read. It hides nothing.",
    "Write `CODE: reason` or `CODE until 2027-01-31: reason`.",
    "`isoline.dev/suppress: SameMatch`, without a reason.",
  ),
  SuppressionUnused: warning(
    "A suppression hides nothing: its finding is not there.",
    "Remove the suppression.",
    "A suppression that stayed after its cause was mended.",
  ),
  TooManyFindings: either(
    "More findings of one kind about one object than are listed.",
    "Mend those that are listed and check again.",
    "An HTTPProxy with 150 routes to a Service that is not there.",
  ),
  UnknownAnnotation: warning(
    "No kind has the annotation, although its prefix is one that is read. It has no effect.",
    "Write the name that the message suggests, or remove the annotation.",
    '`projectcontour.io/max-conections: "10"` on a Service.',
  ),
  UnknownField: either(
    "The kind does not have the field. A field that may be meant to restrict access is an error and its object is not served; others are warnings and have no effect.",
    "Write the name that the message suggests, move the field to the level that it names, or remove it.",
    "`spec.routes[0].timeoutPolcy`.",
  ),
  UnsupportedField: warning(
    "The field is valid in the Gateway API and has no effect here.",
    "Remove the field, or do without what it asks for.",
    "`sessionPersistence` in a rule of an HTTPRoute.",
  ),
} as const;
