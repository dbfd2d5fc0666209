/** An option is wrong, so that the bootstrap can't be written. */
export class BootstrapError extends Error {
  override readonly name = "BootstrapError";
}
