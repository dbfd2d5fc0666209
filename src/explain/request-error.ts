/** An invalid method, URL or header; the message has the details. */
export class RequestSyntaxError extends Error {}
