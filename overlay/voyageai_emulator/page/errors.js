/** An error to show to the user: a response's, with its status, or the page's own, with status 0. */
export class RequestError extends Error {
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}
