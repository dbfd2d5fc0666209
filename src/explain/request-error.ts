/** An invalid method, URL, header or choice of a listener; the message has the details. */
export class RequestSyntaxError extends Error {}

/** Several listeners serve a request in different ways, and the request chooses none of them. */
export class AmbiguousRequestError extends RequestSyntaxError {
  constructor(
    message: string,
    /** One for each of the listeners. */
    readonly choices: readonly { readonly gateway?: string; readonly addresses: readonly string[] }[],
  ) {
    super(message);
  }
}
