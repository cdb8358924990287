// The version of this program, as its package says it.

import { readFileSync } from 'node:fs'

const PACKAGE = new URL('../../package.json', import.meta.url)

/** Reads the file each time; two steps above this one, in the sources as in a build. */
export function readProgramVersion(): string {
  return (JSON.parse(readFileSync(PACKAGE, 'utf8')) as { version: string }).version
}
