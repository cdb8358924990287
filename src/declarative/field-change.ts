// What a plan says of one field: as it is and as it will be. Secrets are no fields.

import { isDeepStrictEqual } from 'node:util'
import type { Labels } from '../runtime/applied-mark.ts'
import { escapePointer } from './plain-node.ts'

export interface FieldChange {
  /** A JSON Pointer into the resource. */
  readonly pointer: string
  /** Undefined where there is none. */
  readonly before: unknown
  readonly after: unknown
}

/** Null stands for none. Members that only one of the two has count as well. */
export function diffMembers(base: string, before: object, after: object): FieldChange[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  const read = (members: object, name: string) =>
    (members as Readonly<Record<string, unknown>>)[name] ?? undefined
  return names.flatMap((name) => {
    const change = {
      pointer: `${base}/${escapePointer(name)}`,
      before: read(before, name),
      after: read(after, name),
    }
    return isDeepStrictEqual(change.before, change.after) ? [] : [change]
  })
}

/** Of a new resource, what its file says. */
export function listMembers(base: string, members: object): FieldChange[] {
  return diffMembers(base, {}, members)
}

/** Of a spec that is stored, `after` with all its defaults; of a new one, what its file says. */
export function diffSpec(before: object | undefined, after: object, said: object): FieldChange[] {
  return before ? diffMembers('/spec', before, after) : listMembers('/spec', said)
}

export function diffLabels(before: Labels | undefined, after: Labels | undefined): FieldChange[] {
  return diffMembers('/metadata/labels', before ?? {}, after ?? {})
}
