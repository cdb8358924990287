// A program in another language that answers requests, one JSON line each; and how it, and with it
// the libraries it uses, is driven through the suites of test/integrations.

import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type {
  ClientSettings,
  LibraryClient,
  Tokens,
  TokenWishes,
} from '../../integrations/client-suite.ts'
import type { VerifierSettings, Verify } from '../../integrations/verifier-suite.ts'
import { attempt } from '../../support/container-tools.ts'
import { installDebianPackages } from '../../support/debian-packages.ts'

const ANSWER_TIMEOUT_MS = 20_000

/** What the library in there called its refusal. */
export class ForeignRefusal extends Error {
  readonly kind: string
  readonly code: string

  constructor(kind: string, code: string) {
    super(`${kind}: ${code}`)
    this.kind = kind
    this.code = code
  }
}

export interface ForeignProgram {
  ask(request: { readonly do: string } & Record<string, unknown>): Promise<unknown>
  /** Ends the process; the next request starts another one. */
  close(): void
}

interface Interpreter {
  /** The first of these that knows the libraries runs the program. */
  readonly programs: readonly string[]
  /** Its arguments for a script that loads the libraries and does nothing. */
  readonly probe: readonly string[]
  /** Of Debian. */
  readonly packages: readonly string[]
}

/** Installs what is missing where apt-get may; throws one line that says what to install. */
export function findInterpreter({ programs, probe, packages }: Interpreter): string {
  const find = () => programs.find((program) => attempt(program, ...probe).status === 0)
  const found = find()
  if (found !== undefined) return found
  installDebianPackages(packages)
  const installed = find()
  if (installed !== undefined) return installed
  throw new Error(`this test needs ${packages.join(', ')}: install what is missing`)
}

export function openForeignProgram(interpreter: string, script: string): ForeignProgram {
  let running: ReturnType<typeof startProgram> | undefined
  return {
    async ask(request) {
      running ??= startProgram(interpreter, join(import.meta.dirname, script))
      return await running.ask(JSON.stringify(request))
    },
    close() {
      running?.kill()
      running = undefined
    },
  }
}

function startProgram(interpreter: string, path: string) {
  // Nothing of the environment, where a proxy could be named.
  const child = spawn(interpreter, [path], {
    env: { PATH: process.env.PATH, LANG: 'C.UTF-8' },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  return {
    kill: () => child.kill('SIGKILL'),
    async ask(line: string): Promise<unknown> {
      child.stdin.write(`${line}\n`)
      const timer = setTimeout(() => child.kill('SIGKILL'), ANSWER_TIMEOUT_MS)
      const { value, done } = await lines.next()
      clearTimeout(timer)
      if (done) throw new Error(`${path} ended without an answer`)
      const answer = JSON.parse(value) as { ok?: unknown; refused?: string; code?: string }
      if (answer.refused === undefined) return answer.ok
      throw new ForeignRefusal(answer.refused, answer.code ?? '')
    },
  }
}

export function openForeignClient(program: ForeignProgram, client: ClientSettings): LibraryClient {
  const request = async (action: string, more: object): Promise<Tokens> =>
    toTokens((await program.ask({ do: action, client, ...more })) as Record<string, unknown>)
  return {
    requestByCredentials: (wishes: TokenWishes = {}) => request('requestByCredentials', wishes),
    logIn: (username, password, wishes = {}) => request('logIn', { username, password, ...wishes }),
    refresh: (token, wishes = {}) => request('refresh', { token, ...wishes }),
    async revoke(token, kind) {
      await program.ask({ do: 'revoke', client, token, kind })
    },
    introspect: async (token) =>
      (await program.ask({ do: 'introspect', client, token })) as Record<string, unknown>,
  }
}

function toTokens(answer: Record<string, unknown>): Tokens {
  const { access_token: accessToken, refresh_token: refreshToken } = answer
  return {
    accessToken: String(accessToken),
    tokenType: String(answer.token_type),
    // Some libraries keep the moment instead.
    expiresIn: Number(answer.expires_in ?? Number(answer.expires_at) - nowSeconds()),
    scope: String(answer.scope),
    refreshToken: typeof refreshToken === 'string' ? refreshToken : undefined,
  }
}

/** The program is told the time of this process, which a test may step. */
export function openForeignVerifier(program: ForeignProgram, settings: VerifierSettings): Verify {
  return async (token) => {
    const request = { do: 'verify', settings, token, now: nowSeconds() }
    return (await program.ask(request)) as Record<string, unknown>
  }
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000)
}
