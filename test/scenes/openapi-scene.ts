// Calls by operation of openapi.yaml: each answer is held to what the contract says of it, and all
// of them together to what it promises.

import type { Test } from 'tap'
import { follow } from '../../scripts/api-page/contract.ts'
import type { TestApp } from '../support/app.ts'
import {
  type ContractOperation,
  codesOf,
  openValidator,
  operationsOf,
  readContract,
} from '../support/contract.ts'

export interface Call {
  /** What stands in the path. */
  readonly ids?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly form?: Readonly<Record<string, string>>
  readonly json?: unknown
  /** Sent as it is. */
  readonly raw?: string
}

export interface ContractScene {
  readonly operations: readonly ContractOperation[]
  /** Sends the call, checks all of the answer, and gives its body. */
  call(app: TestApp, id: string, status: number, call?: Call): Promise<Record<string, unknown>>
  /** `status code` of every refusal that the operation documents, and was not seen. */
  unseen(): string[]
}

/** What no test here provokes: a dead database, throttling, and faults of ours. */
const ELSEWHERE = ['429', '503', 'default']

/** Not on every answer that may have them. */
const RARE_HEADERS = ['Set-Cookie', 'DPoP-Nonce']

export function openContractScene(t: Test): ContractScene {
  const contract = readContract()
  const operations = operationsOf(contract)
  const validate = openValidator(contract)
  const seen = new Set<string>()

  function checkRequest({ id, body = {} }: ContractOperation, { json }: Call): void {
    const [media] = Object.values(body)
    if (json !== undefined && media)
      t.strictSame(validate(media.schema, json), [], `${id} takes it`)
  }

  function checkAnswer(operation: ContractOperation, answer: Response, text: string): unknown {
    const { id, answers } = operation
    const said = answers[answer.status]
    if (!said) throw new Error(`${id}: ${answer.status} is not documented: ${text}`)
    for (const [name, header] of Object.entries(said.headers ?? {})) {
      const value = answer.headers.get(name)
      const { schema } = follow(contract, header) as unknown as { schema: object }
      if (RARE_HEADERS.includes(name) && value === null) continue
      t.strictSame(validate(schema, value), [], `${id} ${answer.status} ${name}`)
    }
    const mediaType = (answer.headers.get('content-type') ?? '').split(';')[0] ?? ''
    const media = said.content?.[mediaType]
    if (!media) {
      t.equal(said.content, undefined, `${id} ${answer.status} is ${mediaType}`)
      t.equal(text, '', `${id} ${answer.status} has no body`)
      return {}
    }
    const body: unknown = mediaType.endsWith('json') ? JSON.parse(text) : text
    t.strictSame(validate(media.schema, body), [], `${id} ${answer.status}`)
    return body
  }

  function noteCode({ id, answers }: ContractOperation, status: number, body: unknown): void {
    const { code, error } = body as { code?: string; error?: string }
    const name = code ?? error ?? ''
    const said = answers[status]
    if (status >= 400 && name !== '') {
      t.ok(said && codesOf(contract, said).includes(name), `${id} ${status} documents ${name}`)
    }
    seen.add(`${id} ${status} ${name}`.trim())
  }

  return {
    operations,

    async call(app, id, status, call = {}) {
      const operation = operations.find((one) => one.id === id)
      if (!operation) throw new Error(`the contract has no ${id}`)
      if (status < 300) checkRequest(operation, call)
      const answer = await send(app, operation, call)
      const text = await answer.text()
      t.equal(answer.status, status, `${id}: ${text.slice(0, 200)}`)
      const body = checkAnswer(operation, answer, text)
      noteCode(operation, answer.status, body)
      return body as Record<string, unknown>
    },

    unseen() {
      const promised = operations.flatMap(({ id, answers }) =>
        Object.entries(answers).flatMap(([status, answer]) => {
          if (ELSEWHERE.includes(status) && id !== 'getReadiness') return []
          const codes = Number(status) >= 400 ? codesOf(contract, answer) : []
          return codes.length > 0
            ? codes.map((code) => `${id} ${status} ${code}`)
            : `${id} ${status}`
        }),
      )
      return promised.filter((line) => !seen.has(line))
    },
  }
}

async function send(app: TestApp, operation: ContractOperation, call: Call): Promise<Response> {
  const { ids = {}, query = {}, form, json, raw, headers } = call
  const path = operation.path.replace(/\{(\w+)\}/g, (_, name) => ids[name] ?? 'missing')
  const type = Object.keys(operation.body ?? {})[0] ?? 'application/json'
  const body = form ? new URLSearchParams(form).toString() : (raw ?? JSON.stringify(json))
  return await app.fetch(`${path}?${new URLSearchParams(query)}`.replace(/\?$/, ''), {
    method: operation.method,
    headers: { ...(body === undefined ? {} : { 'content-type': type }), ...headers },
    ...(body === undefined ? {} : { body }),
  })
}

export const UNKNOWN = 'deadbeef-0000-4000-8000-000000000000'
export const UNKNOWN_IDS = { id: UNKNOWN, sessionId: UNKNOWN, secretId: UNKNOWN }

/** Who may call, by scheme of the contract. */
export interface Bearers {
  readonly admin: Record<string, string>
  readonly user: Record<string, string>
}

/** Headers of somebody who may call the operation. */
function allowed({ path }: ContractOperation, { admin, user }: Bearers) {
  return path.startsWith('/admin') ? admin : path.startsWith('/users/me') ? user : {}
}

/** The refusals that come about in the same manner everywhere, none of which changes anything. */
export function commonRefusals(
  operation: ContractOperation,
  bearers: Bearers,
): (readonly [status: number, call: Call])[] {
  const { path, body = {}, method } = operation
  const headers = allowed(operation, bearers)
  const isForm = 'application/x-www-form-urlencoded' in body
  const calls: (readonly [number, Call])[] = []
  if (path.startsWith('/admin') || path.startsWith('/users/me')) {
    calls.push([401, { ids: UNKNOWN_IDS }])
    const other = path.startsWith('/admin') ? bearers.user : bearers.admin
    calls.push([403, { ids: UNKNOWN_IDS, headers: other }])
  }
  if (isForm) {
    calls.push([400, { form: {} }])
    calls.push([413, { form: { token: 'x'.repeat(17_000) } }])
    const form = { grant_type: 'client_credentials', token: 'x', client_id: 'nobody' }
    calls.push([401, { form }])
  } else if (Object.keys(body).length > 0) {
    const ids = UNKNOWN_IDS
    calls.push([400, { ids, headers, raw: '{' }])
    calls.push([413, { ids, headers, raw: JSON.stringify('x'.repeat(66_000)) }])
    calls.push([415, { ids, headers: { ...headers, 'content-type': 'text/plain' }, raw: '{}' }])
    calls.push([422, { ids, headers, json: { nothing: 'like this' } }])
  }
  const isList = operation.parameters.some(({ name }) => name === 'limit')
  if (isList && !path.includes('{id}')) {
    calls.push([400, { headers, query: { limit: '0' } }])
    calls.push([400, { headers, query: { cursor: 'x' } }])
  }
  if (path.includes('{id}') && method === 'GET') calls.push([404, { ids: UNKNOWN_IDS, headers }])
  return calls
}
