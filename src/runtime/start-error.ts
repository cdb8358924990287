// What keeps the service from starting and is for the operator to mend.

/** Stops the start with one line; the message never holds a configured value. */
export class StartError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StartError'
  }
}
