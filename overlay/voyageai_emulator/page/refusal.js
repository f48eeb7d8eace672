/** What could not be done, and why; a status of 0 is the page's own. */
export class Refusal extends Error {
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}
