// What is wrong with files that are to be applied: every fault with its place, and no value, because it may
// be a secret in the wrong place.

import type { FieldError } from '../runtime/field-error.ts'
import type { Resource } from './declared-resource.ts'

export interface DeclarationProblem {
  readonly file: string
  readonly line: number
  /** A JSON Pointer into the resource, empty for the whole of it. */
  readonly pointer: string
  /** Such as `Client web`; empty where that is not known. */
  readonly resource: string
  readonly detail: string
}

/** More than these nobody reads. */
const PROBLEMS_MAX = 50

/** Nothing was changed. */
export class DeclarationRefused extends Error {
  override name = 'DeclarationRefused'
  readonly problems: readonly DeclarationProblem[]

  constructor(problems: readonly DeclarationProblem[]) {
    super(
      `what is declared is not valid: ${problems.length} ${problems.length === 1 ? 'fault' : 'faults'}`,
    )
    this.problems = problems.slice(0, PROBLEMS_MAX)
  }
}

/** The faults of one resource, with their places. */
export function problemsOf(
  resource: Resource,
  errors: readonly FieldError[],
): DeclarationProblem[] {
  const { kind, metadata, place } = resource
  return errors.map(({ pointer, detail }) => ({
    file: place.file,
    line: place.lineOf(pointer),
    pointer,
    resource: `${kind} ${metadata.name}`,
    detail,
  }))
}

/** One line: `clients.yaml:12: Client web: /spec/scopes/0 must …`. */
export function formatDeclarationProblem(problem: DeclarationProblem): string {
  const { file, line, pointer, resource, detail } = problem
  const subject = resource === '' ? '' : ` ${resource}:`
  return `${file}:${line}:${subject}${pointer === '' ? '' : ` ${pointer}`} ${detail}`
}
