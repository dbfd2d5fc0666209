/** One thing that a test expects, and what there is. */
export interface Check {
  /** In `expect` of the test, such as `tls.certificate`. */
  readonly field: string;
  readonly expected: string;
  readonly found: string;
  readonly holds: boolean;
}
