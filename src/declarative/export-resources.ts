// What is stored, in the form that is applied. A secret is never told: where there is one, its place is
// left to be filled in.

import { Document } from 'yaml'
import type { Labels } from '../runtime/applied-mark.ts'
import type { KindOfResource, StoredResource } from './planned-change.ts'

const SECRET_COMMENT =
  ' secretFrom: {env: NAME}  # or {file: PATH}. There is a secret, which stays as it is without this line.'

/** Kind by kind, oldest first within each. Rejects with DependencyUnavailable. */
export async function* exportResources(
  kinds: readonly KindOfResource[],
  labels: Labels | undefined,
): AsyncGenerator<StoredResource> {
  for (const kind of kinds) {
    for await (const page of kind.listStored(labels)) yield* page
  }
}

/** One document of YAML, which begins with its marker. */
export function toYaml({ document, hasSecret }: StoredResource): string {
  const yaml = new Document(document, { aliasDuplicateObjects: false })
  if (hasSecret) yaml.comment = SECRET_COMMENT
  // Of a text of several lines that begins with an empty one, a block would lose what is before it.
  return `---\n${yaml.toString({ lineWidth: 100, blockQuote: false })}`
}
