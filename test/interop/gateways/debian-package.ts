// Gateways come from Debian packages; installing one starts no service of it.

import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs'
import { install } from '../container-tools.ts'

const POLICY = '/usr/sbin/policy-rc.d'

/** The path of the first program; throws one line that says what to install when one is missing. */
export function requirePrograms(packages: Readonly<Record<string, string>>): string {
  const missing = () => Object.keys(packages).filter((name) => !isThere(packages[name] ?? ''))
  if (missing().length > 0 && process.getuid?.() === 0) installQuietly(missing())
  if (missing().length > 0) {
    throw new Error(`this test needs the Debian packages ${missing().join(', ')}: install them`)
  }
  return Object.values(packages)[0] ?? ''
}

function isThere(path: string): boolean {
  try {
    accessSync(path, constants.R_OK)
    return true
  } catch {
    return false
  }
}

/** Debian starts a service that it installs, unless this file says no (invoke-rc.d(8)). */
function installQuietly(names: readonly string[]): void {
  const ours = !existsSync(POLICY)
  if (ours) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    install(names)
  } finally {
    if (ours) rmSync(POLICY, { force: true })
  }
}
