// django-notes.py as a process, with the settings and the validator that docs/integrations.md shows,
// on a database of Django's own.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import type { Scene, SceneClient } from '../../scenes/gateway-scene.ts'
import { readBlocks } from '../../support/documented.ts'
import { openTestDatabase } from '../../support/postgres.ts'
import { makeServerDir } from '../../support/temp-dir.ts'
import { findInterpreter } from '../clients/foreign-program.ts'

/** Its heading in docs/integrations.md. */
export const PROGRAM = 'django-oauth-toolkit'

/** What the settings of the document are changed by. */
export interface Changes {
  /** Members of OAUTH2_PROVIDER. */
  readonly provider?: Readonly<Record<string, unknown>>
  readonly timeZone?: string
  readonly useTz?: boolean
  /** In place of the one in PostgreSQL. */
  readonly database?: Readonly<Record<string, unknown>>
  /** Made before it listens. */
  readonly users?: readonly Readonly<Record<string, unknown>>[]
  /** Commands of Django that run before it listens. */
  readonly commands?: readonly string[]
}

export interface DjangoProject {
  readonly port: number
  /** As the document has it, of everything that has one. */
  readonly version: string
  /** What it has said on its standard error. */
  log(): string
}

/** The validator of toolkit itself, which `OAUTH2_VALIDATOR_CLASS` replaces. */
export const OWN_VALIDATOR = {
  OAUTH2_VALIDATOR_CLASS: 'oauth2_provider.oauth2_validators.OAuth2Validator',
}

/** The Python that has everything, all of Debian. */
export function findPython(): string {
  return findInterpreter({
    // Debian's own first: another one on PATH does not see Debian's packages.
    programs: ['/usr/bin/python3', 'python3'],
    probe: ['-c', 'import oauth2_provider, rest_framework, psycopg2'],
    packages: ['python3-django-oauth-toolkit', 'python3-djangorestframework', 'python3-psycopg2'],
  })
}

/** Django's `DATABASES['default']`. */
export async function openDjangoDatabase(t: Test) {
  const { url } = await openTestDatabase(t)
  const { hostname, port, pathname, username, password } = new URL(url)
  return {
    url,
    settings: {
      ENGINE: 'django.db.backends.postgresql',
      HOST: hostname,
      PORT: port,
      NAME: pathname.slice(1),
      USER: decodeURIComponent(username),
      PASSWORD: decodeURIComponent(password),
    },
  }
}

export interface ProjectOptions {
  readonly python: string
  readonly scene: Scene
  /** Who asks Lineage about tokens. */
  readonly introspector: SceneClient
  readonly database: Readonly<Record<string, unknown>>
}

/** Resolves when it listens; ends it with the test. */
export async function startDjango(
  t: Test,
  { python, scene, introspector, ...own }: ProjectOptions,
  { provider = {}, users = [], commands = [], ...others }: Changes = {},
): Promise<DjangoProject> {
  const dir = makeServerDir()
  writeBlocks(dir, {
    'http://localhost:3000/': `http://127.0.0.1:${scene.passage.port}/`,
    'notes-api': introspector.id,
    'https://notes.example.com': scene.addresses.issuer,
  })
  const given = { ...own, provider, users, commands, ...others }
  const script = join(import.meta.dirname, 'django-notes.py')
  // Nothing of the environment, where a proxy could be named.
  const child = spawn(python, [script, JSON.stringify(given)], {
    cwd: dir,
    env: { PATH: process.env.PATH, LANG: 'C.UTF-8', NOTES_API_SECRET: introspector.secret },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const ended = once(child, 'close')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text
  })
  const { value, done } = await createInterface(child.stdout)[Symbol.asyncIterator]().next()
  if (done) {
    await ended
    throw new Error(`Django ended: ${log}`)
  }
  return { ...(JSON.parse(value) as Omit<DjangoProject, 'log'>), log: () => log }
}

/** Each Python block into the file that its first line names, each replacement made somewhere. */
function writeBlocks(dir: string, replacements: Readonly<Record<string, string>>): void {
  const unused = new Set(Object.keys(replacements))
  for (const block of readBlocks(PROGRAM, 'python')) {
    let text = block
    for (const [from, to] of Object.entries(replacements)) {
      if (text.includes(from)) unused.delete(from)
      text = text.replaceAll(from, to)
    }
    writeFileSync(join(dir, /^# (\S+)\n/.exec(block)?.[1] ?? 'unnamed'), text)
  }
  if (unused.size > 0) throw new Error(`not in the document: ${[...unused].join(', ')}`)
}
