// Every resource of the files that are to be applied, or every fault of them together.

import { dirname, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import type { Labels } from '../runtime/applied-mark.ts'
import { type DeclarationProblem, DeclarationRefused, problemsOf } from './declaration-problem.ts'
import type { Resource } from './declared-resource.ts'
import { readBounded, readBoundedFile } from './read-bounded.ts'
import { readDocuments } from './read-documents.ts'
import { asResource, findSchemaFaults } from './resource-schema.ts'

const FILE_BYTES_MAX = 1024 * 1024
const FILES_MAX = 256
/** All of them together: an apply holds others up for as long as it takes. */
export const RESOURCES_MAX = 2_000

export interface FileOptions {
  /** Paths; `-` is `stdin`. */
  readonly files: readonly string[]
  readonly stdin?: Readable
  /** Every resource has these, too. */
  readonly labels?: Labels | undefined
}

/** Throws DeclarationRefused with every fault that is found without the database. */
export async function readResources({
  files,
  stdin,
  labels = {},
}: FileOptions): Promise<Resource[]> {
  const problems: DeclarationProblem[] = []
  const refuse = (problem: DeclarationProblem) => void problems.push(problem)
  if (files.length > FILES_MAX) {
    refuse(fileProblem(files[FILES_MAX] ?? '', `is one of more than ${FILES_MAX} files`))
  }
  const resources: Resource[] = []
  for (const path of files.slice(0, FILES_MAX)) {
    resources.push(...(await readFileResources(path, stdin, refuse)))
  }
  const first = resources[RESOURCES_MAX]
  if (first)
    refuse(
      fileProblem(first.place.file, `has more than ${RESOURCES_MAX} resources with those before`),
    )
  const labelled = resources.map((resource) => withLabels(resource, labels, refuse))
  if (problems.length > 0) throw new DeclarationRefused(problems)
  return labelled
}

async function readFileResources(
  path: string,
  stdin: Readable | undefined,
  refuse: (problem: DeclarationProblem) => void,
): Promise<Resource[]> {
  const isStdin = path === '-' && stdin !== undefined
  const file = isStdin ? 'stdin' : path
  const read = isStdin
    ? await readBounded(stdin, FILE_BYTES_MAX)
    : await readBoundedFile(path, FILE_BYTES_MAX)
  if ('fault' in read) {
    refuse(fileProblem(file, read.fault))
    return []
  }
  const folder = isStdin ? resolve('.') : dirname(resolve(path))
  return readDocuments(read.text, file, refuse).flatMap(({ value, lineOf }) => {
    const place = { file, folder, lineOf }
    const faults = findSchemaFaults(value)
    for (const { pointer, detail } of faults) {
      refuse({ file, line: lineOf(pointer), pointer, resource: '', detail })
    }
    return faults.length > 0 ? [] : [{ ...asResource(value), place }]
  })
}

function withLabels(
  resource: Resource,
  labels: Labels,
  refuse: (problem: DeclarationProblem) => void,
): Resource {
  const { metadata } = resource
  const own = metadata.labels ?? {}
  for (const [name, value] of Object.entries(labels)) {
    if (own[name] === undefined || own[name] === value) continue
    const detail = 'has another value than the label that is given for all of them'
    for (const problem of problemsOf(resource, [{ pointer: '/metadata/labels', detail }]))
      refuse(problem)
  }
  const labelled = { ...resource, metadata: { ...metadata, labels: { ...own, ...labels } } }
  if (Object.keys(labels).length === 0) return labelled
  const { place: _, ...document } = labelled
  // A label of the command keeps the rule of those in files.
  for (const problem of problemsOf(resource, findSchemaFaults(document))) refuse(problem)
  return labelled
}

function fileProblem(file: string, detail: string): DeclarationProblem {
  return { file, line: 1, pointer: '', resource: '', detail }
}
