// What is wrong with one place of a document: found by the domain, told by HTTP or the command
// line.

/** `pointer` is a JSON Pointer (RFC 6901) into the document; `detail` never repeats the value. */
export interface FieldError {
  readonly pointer: string
  readonly detail: string
}

/** What was checked as a whole: the value that came of it, or every fault. */
export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly errors: readonly FieldError[] }

/** A name, address or id that somebody else holds already. */
export class AlreadyTaken extends Error {
  readonly pointer: string

  constructor(pointer: string) {
    super('already taken')
    this.name = 'AlreadyTaken'
    this.pointer = pointer
  }
}
