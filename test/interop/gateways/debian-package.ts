// Gateways come from Debian packages.

import { accessSync, constants } from 'node:fs'
import { installDebianPackages } from '../../support/debian-packages.ts'

/** The path of the first program; throws one line that says what to install when one is missing. */
export function requirePrograms(packages: Readonly<Record<string, string>>): string {
  const missing = () => Object.keys(packages).filter((name) => !isThere(packages[name] ?? ''))
  installDebianPackages(missing())
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
