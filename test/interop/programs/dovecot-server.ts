// A Dovecot of its own, with the settings that docs/integrations.md shows: in the foreground, on a
// port of loopback, with everything that it keeps in a temporary directory.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { findFreePort } from '../../../src/embedded/free-port.ts'
import type { SceneClient } from '../../scenes/gateway-scene.ts'
import { fillIn, readBlocks } from '../../support/documented.ts'
import { makeServerDir } from '../../support/temp-dir.ts'
import { until } from '../../support/until.ts'
import { requirePrograms } from '../gateways/debian-package.ts'

/** Its heading in docs/integrations.md. */
export const PROGRAM = 'Dovecot'

const PACKAGES = {
  'dovecot-core': '/usr/sbin/dovecot',
  'dovecot-imapd': '/usr/lib/dovecot/imap',
}
/** nobody and nogroup of Debian, whose mail it is. */
const MAIL_OWNER = 65_534
const START_ATTEMPTS = 3
/** It then refuses nothing, and goes on to the next. */
const WITHOUT_GUARD = { 'result_success = return-fail': 'result_success = continue' }

export interface DovecotServer {
  readonly port: number
  readonly dir: string
  /** What it has logged so far. */
  log(): string
  /** Resolves when it has logged this, which it may do after it has answered. */
  logged(pattern: RegExp): Promise<RegExpExecArray>
}

export interface DovecotOptions {
  /** Where Lineage is asked. */
  readonly lineageUrl: string
  /** In `aud`, as the document has its own name there. */
  readonly audience: string
  readonly clients: Clients
}

/** The clients of Dovecot, by their ids in the document. */
export type Clients = Readonly<Record<'mail-server' | 'mail-passwords', SceneClient>>

/** Settings after those of the document; the last of a name is in force. */
export interface Changes {
  readonly main?: string
  readonly tokens?: string
  readonly passwords?: string
  /** Without the passdb that refuses empty passwords. */
  readonly isUnguarded?: boolean
}

/** The path of the program; throws one line that says what is missing. */
export function findDovecot(): string {
  const program = requirePrograms(PACKAGES)
  if (process.getuid?.() !== 0) throw new Error('this test needs root: Dovecot changes its users')
  return program
}

/** Without the commit that it was built from. */
export function readVersion(program: string): string {
  return execFileSync(program, ['--version'], { encoding: 'utf8' }).split(' ')[0] ?? ''
}

/** Resolves when it takes connections; ends all its processes with the test. */
export async function startDovecot(
  t: Test,
  program: string,
  options: DovecotOptions,
  changes: Changes = {},
): Promise<DovecotServer> {
  for (let attempt = 1; ; attempt += 1) {
    const dir = makeServerDir()
    const port = await findFreePort()
    writeSettings(dir, port, options, changes)
    const log = () => readText(join(dir, 'log'))
    const child = spawn(program, ['-F', '-c', join(dir, 'dovecot.conf')], {
      cwd: dir,
      env: { PATH: process.env.PATH, LANG: 'C.UTF-8' },
      stdio: ['ignore', 'ignore', 'pipe'],
      // A process group of its own, by which its children are found.
      detached: true,
    })
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    endWith(t, child)
    const hasStarted = await until('a Dovecot', () => {
      if (child.exitCode !== null) return 'ended' as const
      return /master: Info: Dovecot v\S+ .*starting up/.test(log()) && ('started' as const)
    })
    const logged = (pattern: RegExp) =>
      until(`${pattern} in the log`, () => pattern.exec(log()) ?? undefined).catch((error) => {
        throw new Error(log(), { cause: error })
      })
    if (hasStarted === 'started') return { port, dir, log, logged }
    const isPortTaken = /Address already in use/.test(said + log())
    if (!isPortTaken || attempt === START_ATTEMPTS) throw new Error(`Dovecot: ${said}${log()}`)
  }
}

function endWith(t: Test, child: ChildProcess): void {
  const exited = once(child, 'exit')
  const { pid = 0 } = child
  t.teardown(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM')
      await exited
    }
    await until('the end of all its processes', () => !isThere(-pid))
  })
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

function readText(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

function writeSettings(
  dir: string,
  port: number,
  { lineageUrl, audience, clients }: DovecotOptions,
  { main = '', tokens = '', passwords = '', isUnguarded = false }: Changes,
): void {
  const mail = join(dir, 'mail')
  mkdirSync(mail)
  chownSync(mail, MAIL_OWNER, MAIL_OWNER)
  const [tokenConf = '', tokenFile = '', passwordConf = '', passwordFile = ''] = readBlocks(
    PROGRAM,
    'conf',
  )
  const place = { '/etc/dovecot': dir }
  const files = {
    'dovecot.conf': [
      ownSettings(dir, port),
      fillIn(tokenConf, place),
      fillIn(passwordConf, isUnguarded ? { ...place, ...WITHOUT_GUARD } : place),
      main,
    ],
    'dovecot-oauth2.conf.ext': [
      fillIn(tokenFile, {
        'http://localhost:3000': lineageUrl,
        'https\\://mail.example.com': audience.replaceAll(':', '\\:'),
        'scope = mail': 'scope = notes:read',
        // A machine that is busy does not fail the test.
        'timeout_msecs = 5000': 'timeout_msecs = 55000',
        'mail-server': clients['mail-server'].id,
        MAIL_SERVER_SECRET: clients['mail-server'].secret,
      }),
      tokens,
    ],
    'dovecot-oauth2-plain.conf.ext': [
      fillIn(passwordFile, {
        'http://localhost:3000': lineageUrl,
        'scope = mail': 'scope = notes:read',
        // A machine that is busy does not fail the test.
        'timeout_msecs = 5000': 'timeout_msecs = 55000',
        'mail-passwords': clients['mail-passwords'].id,
        MAIL_PASSWORDS_SECRET: clients['mail-passwords'].secret,
      }),
      passwords,
    ],
  }
  for (const [name, parts] of Object.entries(files)) {
    writeFileSync(join(dir, name), parts.join('\n'))
  }
}

/** What has nothing to do with tokens, and keeps it apart from any other Dovecot. */
function ownSettings(dir: string, port: number): string {
  return `
base_dir = ${dir}/run
state_dir = ${dir}/state
log_path = ${dir}/log
auth_verbose = yes
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
mail_location = maildir:${dir}/mail/%u
userdb {
  driver = static
  args = uid=${MAIL_OWNER} gid=${MAIL_OWNER} home=${dir}/mail/%u
}
service imap-login {
  inet_listener imap {
    port = ${port}
  }
  inet_listener imaps {
    port = 0
  }
}
# Refusals are slowed down otherwise.
auth_failure_delay = 0
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
`
}

/** Puts a letter into somebody's inbox, for them to find. */
export function deliver({ dir }: DovecotServer, user: string): void {
  for (const folder of ['', '/cur', '/new', '/tmp']) {
    const path = join(dir, 'mail', `${user}${folder}`)
    mkdirSync(path)
    chownSync(path, MAIL_OWNER, MAIL_OWNER)
  }
  const letter = join(dir, 'mail', user, 'new', '1.letter')
  appendFileSync(letter, 'Subject: Hi\r\n\r\nA\r\n')
  chownSync(letter, MAIL_OWNER, MAIL_OWNER)
}
