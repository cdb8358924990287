// The log of a command: errors outside of its own work, on stderr, in lines for people.

import type { Writable } from 'node:stream'
import type { Logger } from 'pino'
import { createLogger } from '../ops/logger.ts'

interface ErrorLine {
  readonly event: string
  readonly dependency?: string
  readonly doing?: string
  readonly detail?: unknown
  readonly err?: { readonly message?: string }
}

/** Writes errors alone, each once. Secrets are removed as in the service's log. */
export function createCommandLog(stderr: Writable): Logger {
  const told = new Set<string>()
  return createLogger('error', {
    write(line: string) {
      const { event, dependency, doing, detail, err } = JSON.parse(line) as ErrorLine
      const said = typeof detail === 'string' ? detail : detail && JSON.stringify(detail)
      const text = [event, dependency, doing, said, err?.message].filter(Boolean).join(' ')
      if (!told.has(text)) stderr.write(`lineage: ${text}\n`)
      told.add(text)
    },
  })
}
