// The contract and its page as scripts/api-page finished them, with what this installation knows:
// the issuer, the port of the operations and whether it sends mail. Nothing is rendered here.

import { readFileSync } from 'node:fs'

const DIRECTORY = new URL('../../generated/api/', import.meta.url)

export interface ApiFiles {
  readonly contract: string
  readonly page: string
  readonly style: string
  readonly icon: string
}

export interface Installation {
  readonly issuer: string
  /** Where operations have a port of their own. */
  readonly opsPort?: number | undefined
  /** Undefined where no mail is sent: what needs one is then left out. */
  readonly mail?: object | undefined
}

/** Reads the files of `npm run generate`, those that are about such an installation. */
export function loadApiFiles({ issuer, opsPort, mail }: Installation): ApiFiles {
  const ports = opsPort === undefined ? 'one-port' : 'two-ports'
  const name = mail === undefined ? ports : `${ports}-mail`
  const values = valuesOf(issuer, opsPort)
  return {
    contract: fillIn(readGenerated(`${name}.json`), values, escapeJson),
    page: fillIn(readGenerated(`${name}.html`), values, escapeHtml),
    style: readGenerated('style.css'),
    icon: readGenerated('icon.svg'),
  }
}

function readGenerated(name: string): string {
  return readFileSync(new URL(name, DIRECTORY), 'utf8')
}

type Values = Readonly<Record<string, string>>

/** By the names in scripts/api-page/placeholders.ts. */
function valuesOf(issuer: string, opsPort: number | undefined): Values {
  const { origin, pathname } = new URL(issuer)
  return {
    issuer,
    issuerOrigin: origin,
    issuerPath: pathname.replace(/\/$/, ''),
    opsOrigin: `http://localhost:${opsPort}`,
    // The commands of the page are to be pasted into a shell.
    quote: /^[\w=.:/~-]+$/.test(issuer) ? '' : "'",
    issuerWithinQuotes: escapeQuotes(issuer),
    issuerOriginWithinQuotes: escapeQuotes(origin),
  }
}

/** In one pass, so that what was put in is never taken for a name. */
function fillIn(text: string, values: Values, escapeValue: (value: string) => string): string {
  return text.replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name]
    if (value === undefined) throw new Error(`a generated file names ${name}: npm run generate`)
    return escapeValue(value)
  })
}

function escapeJson(value: string): string {
  return JSON.stringify(value).slice(1, -1)
}

function escapeHtml(value: string): string {
  return value.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)
}

function escapeQuotes(value: string): string {
  return value.replaceAll("'", "'\\''")
}
