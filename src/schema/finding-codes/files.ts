import { either, error, warning } from "./code.js";

/** Files, documents, fields and annotations. */
export const fileCodes = {
  Ambiguous: warning(
    "YAML parsers read the text in different ways.",
    "Write the value so that it has one meaning; quote text.",
    "A key `y` without quotes, which some parsers read as `true`.",
  ),
  AnnotationNotValid: either(
    "The value of an annotation can't be read. This is a warning, and the annotation has no effect. For an annotation that decides who may include the object it is an error, and includes from other namespaces are refused.",
    "Use a value that the message lists.",
    '`projectcontour.io/max-connections: "many"` on a Service.',
  ),
  AnnotationOfAnotherKind: warning(
    "The annotation is for another kind and has no effect on this object.",
    "Move it to an object of the kind in the message.",
    "`projectcontour.io/max-connections` on an HTTPProxy; it is for a Service.",
  ),
  Duplicate: warning(
    "An object or a setting is defined twice. The later one is used.",
    "Remove one of them.",
    "`HTTPProxy/shop/web` in `a.yaml` and in `b.yaml`.",
  ),
  ForeignAnnotation: warning(
    "The annotation restricts access in another controller and has no effect in Isoline: the routes are open.",
    "Use an HTTPProxy or an HTTPRoute with the policy, or remove the annotation.",
    "`nginx.ingress.kubernetes.io/auth-url` on an Ingress.",
  ),
  Invalid: error(
    "A field is missing or has a value that its kind does not accept. The object is not served; in a Gateway, only the listener is not served.",
    "Write the field as the message describes.",
    "`services: [{name: web}]` without `port`.",
  ),
  NotBuilt: either(
    "The files of a kustomization are read without its patches and names (a warning); with `--build`, the build failed (an error).",
    "Give `--build`, or build the kustomization first and check the result.",
    "A folder with `kustomization.yaml`, checked without `--build`.",
  ),
  NotReadable: error(
    "A file or document can't be read. Its objects are unknown, so no object is removed.",
    "Write the file as YAML or JSON that `kubectl` accepts; the message has the line.",
    "A key that occurs twice in one map.",
  ),
  NotRendered: warning(
    "A Helm chart is not read: its templates must be rendered to manifests first.",
    "Render the chart and check the result: `helm template NAME CHART | isoline check -f -`.",
    "A folder with `Chart.yaml` and `templates/`.",
  ),
  SuppressionExpired: warning(
    "The last day of a suppression is over. Its finding is reported again.",
    "Correct the cause, or set a later day.",
    "`SameMatch until 2026-01-31: until the move is done`, in February.",
  ),
  SuppressionNotAllowed: warning(
    "A suppression names a finding that is an error. Errors can't be suppressed: their objects are not served.",
    "Correct the error, and remove the suppression.",
    "A suppression of `SecretNotValid`.",
  ),
  SuppressionNotValid: warning(
    "A line of the annotation `isoline.dev/suppress` can't be read. It hides nothing.",
    "Write `CODE: reason` or `CODE until 2027-01-31: reason`.",
    "`isoline.dev/suppress: SameMatch`, without a reason.",
  ),
  SuppressionUnused: warning(
    "A suppression has no effect: its finding does not occur.",
    "Remove the suppression.",
    "A suppression whose cause is corrected.",
  ),
  TooManyFindings: either(
    "One object has more findings of one type than the output lists.",
    "Correct the listed ones and check again.",
    "An HTTPProxy with 150 routes to a missing Service.",
  ),
  UnknownAnnotation: warning(
    "The annotation has a prefix that Isoline reads, but an unknown name. It has no effect.",
    "Use the name that the message suggests, or remove the annotation.",
    '`projectcontour.io/max-conections: "10"` on a Service.',
  ),
  UnknownField: either(
    "The kind does not have the field. A field that may be intended to restrict access is an error, and its object is not served. Other fields are warnings and have no effect.",
    "Use the name or the level that the message suggests, or remove the field.",
    "`spec.routes[0].timeoutPolcy`.",
  ),
  UnsupportedField: warning(
    "The field is valid in the Gateway API, but Isoline does not support it. It has no effect.",
    "Remove the field.",
    "`sessionPersistence` in a rule of an HTTPRoute.",
  ),
} as const;
