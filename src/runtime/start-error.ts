// The error for what keeps the service from starting and the operator has to mend.

/** Stops the start with one line; the message never holds a configured value. */
export class StartError extends Error {
  override name = 'StartError'
}
