// The documents of one text, YAML or JSON (which is YAML): one resource each, or a list of them. No message
// repeats what is written, as those of the parser do.

import { type Document, LineCounter, parseAllDocuments, type YAMLError } from 'yaml'
import type { DeclarationProblem } from './declaration-problem.ts'
import { NodeFault, toPlain } from './plain-node.ts'

/** A value that is meant to be a resource. */
export interface ReadDocument {
  readonly value: unknown
  /** The line of a JSON Pointer into it, or of the nearest part around. */
  lineOf(pointer: string): number
}

const FAULTS: Partial<Record<YAMLError['code'], string>> = {
  BAD_ALIAS: 'has an alias of nothing',
  BAD_INDENT: 'is not indented as YAML asks',
  NON_STRING_KEY: 'has a name that is no text',
  TAB_AS_INDENT: 'is indented by a tab',
  TAG_RESOLVE_FAILED: 'has a tag, or a value, that is not known here',
  UNEXPECTED_TOKEN: 'has something that YAML does not expect here',
}

/** Reports every fault to `refuse`, and leaves out what has one. */
export function readDocuments(
  text: string,
  file: string,
  refuse: (problem: DeclarationProblem) => void,
): ReadDocument[] {
  const counter = new LineCounter()
  const lineAt = (offset: number) => Math.max(1, counter.linePos(offset).line)
  const refuseAt = (offset: number, detail: string) =>
    refuse({ file, line: lineAt(offset), pointer: '', resource: '', detail })

  function readOne(document: Document.Parsed): ReadDocument[] {
    const faults = [...document.errors, ...document.warnings]
    for (const { pos, code } of faults) refuseAt(pos[0], FAULTS[code] ?? 'is not valid YAML')
    if (document.directives?.yaml.explicit) refuseAt(0, 'has a directive, of which none is taken')
    if (faults.length > 0 || document.contents === null) return []
    try {
      const { value, offsets } = toPlain(document.contents, document)
      const lineOf = (pointer: string) => lineAt(findOffset(offsets, pointer))
      // Of a document that is empty but for comments.
      if (value === null) return []
      if (!Array.isArray(value)) return [{ value, lineOf }]
      return value.map((item: unknown, index) => ({
        value: item,
        lineOf: (pointer) => lineOf(`/${index}${pointer}`),
      }))
    } catch (error) {
      if (!(error instanceof NodeFault)) throw error
      refuseAt(error.offset, error.message)
      return []
    }
  }

  try {
    const documents = parseAllDocuments(text, {
      lineCounter: counter,
      prettyErrors: false,
      stringKeys: true,
      // It compares each with each; plain-node.ts does it in one pass.
      uniqueKeys: false,
      version: '1.2',
      schema: 'core',
      logLevel: 'silent',
    })
    return Array.isArray(documents) ? documents.flatMap(readOne) : []
  } catch (error) {
    // Of a nesting that is deeper than the stack.
    if (!(error instanceof RangeError)) throw error
    refuse({ file, line: 1, pointer: '', resource: '', detail: 'is nested too deeply' })
    return []
  }
}

/** Of what is not there the place of what it would be in. */
function findOffset(offsets: ReadonlyMap<string, number>, pointer: string): number {
  for (let at = pointer; ; at = at.slice(0, at.lastIndexOf('/'))) {
    const offset = offsets.get(at)
    if (offset !== undefined) return offset
    if (at === '') return 0
  }
}
