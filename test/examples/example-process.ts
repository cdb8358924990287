// The examples as processes of their own, beside a real Lineage whose issuer is where it listens.

import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import { findFreePort } from '../../src/embedded/free-port.ts'
import { type LineageProcess, serverEnvironment, startLineage } from '../support/lineage-process.ts'
import { openTestDatabase } from '../support/postgres.ts'

export const EXAMPLES = join(import.meta.dirname, '../../examples')

/** Resolves with the URL that the example says it listens on; it ends with the test. */
export async function startExample(
  t: Test,
  script: string,
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const program = [process.execPath, join(EXAMPLES, script)]
  // tap would load itself into every Node child.
  const child = spawn('env', ['-u', 'NODE_OPTIONS', ...program], {
    env: { PATH: process.env.PATH, PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill())
  for await (const line of createInterface(child.stdout)) {
    const url = / listens on (http:\S+)$/.exec(line)?.[1]
    if (url) return url
  }
  throw new Error(`${script} ended without listening`)
}

export interface ExampleLineage {
  readonly service: LineageProcess
  readonly issuer: string
}

export async function startIssuer(t: Test): Promise<ExampleLineage> {
  const [{ url }, port] = await Promise.all([openTestDatabase(t), findFreePort()])
  const issuer = `http://localhost:${port}`
  const env = { ...serverEnvironment(url), PORT: String(port), LINEAGE_ISSUER: issuer }
  return { service: await startLineage(t, env), issuer }
}
