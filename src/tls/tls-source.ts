// The TLS files while the service runs: read again every two seconds, because a file system tells
// nobody of the links that Kubernetes turns over. What is no good keeps the former files in force.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { StartError } from '../runtime/start-error.ts'
import { findTlsProblems, readTlsFiles, type TlsFiles, type TlsMaterial } from './tls-files.ts'

const POLL_MS = 2_000

export interface TlsSource {
  /** What is in force. */
  current(): TlsMaterial
  /** Calls `listener` with each material to come. */
  onChange(listener: (material: TlsMaterial) => void): void
  close(): void
}

export interface TlsNotices {
  readonly reloaded: () => void
  /** Once for what is wrong, however long it stays so. */
  readonly failed: (problems: readonly string[]) => void
}

type Reading =
  | { readonly material: TlsMaterial; readonly digest: string }
  | { readonly problems: readonly string[]; readonly digest: string }

/** Throws StartError where the files are no good. */
export function openTlsSource(files: TlsFiles, notices: TlsNotices, pollMs = POLL_MS): TlsSource {
  const first = check(read(files))
  if ('problems' in first) throw new StartError(first.problems.join(' '))
  const listeners: ((material: TlsMaterial) => void)[] = []
  let { material, digest } = first
  let seen = digest
  let judged = digest

  function poll(): void {
    const reading = read(files)
    // Somebody may be between two files: whatever is new has to be found twice.
    const isSettled = reading.digest === seen
    seen = reading.digest
    if (!isSettled || reading.digest === judged) return
    judged = reading.digest
    if (reading.digest === digest) return
    const found = check(reading)
    if ('problems' in found) notices.failed(found.problems)
    else take(found)
  }

  function take(found: Extract<Reading, { material: TlsMaterial }>): void {
    ;({ material, digest } = found)
    for (const listener of listeners) listener(material)
    notices.reloaded()
  }

  const timer = setInterval(poll, pollMs).unref()
  return {
    current: () => material,
    onChange: (listener) => void listeners.push(listener),
    close: () => clearInterval(timer),
  }
}

/** Small local files, read at once so that no two readings ever run beside each other. */
function read(files: TlsFiles): Reading {
  const found = readTlsFiles(files, (path) => readFileSync(path, 'utf8'))
  const content = 'problems' in found ? found.problems : Object.values(found.material)
  const digest = createHash('sha256').update(JSON.stringify(content)).digest('base64')
  return { ...found, digest }
}

function check(reading: Reading): Reading {
  if ('problems' in reading) return reading
  const problems = findTlsProblems(reading.material)
  return problems.length > 0 ? { problems, digest: reading.digest } : reading
}
