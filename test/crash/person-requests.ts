// What one user, and an administrator about this user, ask the service; 0 stands for no answer.

import type { LineageProcess } from '../support/lineage-process.ts'
import { until } from '../support/until.ts'
import type { Account } from './person.ts'

const PATIENCE_MS = 15_000

export interface Tokens {
  readonly said: number
  readonly access: string
  readonly token: string
}

export function openPersonRequests({ id, username }: Account, client: { readonly id: string }) {
  const form = (service: LineageProcess, path: string, parameters: Record<string, string>) =>
    answer(service, path, { method: 'POST', body: new URLSearchParams(parameters) })

  async function asAdministrator(
    service: LineageProcess,
    method: string,
    path: string,
    body?: object,
  ): Promise<number> {
    const authorization = await service.adminToken().then(
      (token) => `Bearer ${token}`,
      () => undefined,
    )
    if (authorization === undefined) return 0
    const json = body && { 'content-type': 'application/json' }
    return (
      await answer(service, `/admin/users/${id}${path}`, {
        method,
        headers: { authorization, ...json },
        ...(body && { body: JSON.stringify(body) }),
      })
    ).said
  }

  const bear = async (service: LineageProcess, method: string, path: string, token: string) =>
    (await answer(service, path, { method, headers: { authorization: `Bearer ${token}` } })).said

  return {
    logIn: (service: LineageProcess, password: string) =>
      form(service, '/token', { grant_type: 'password', client_id: client.id, username, password }),
    refresh: (service: LineageProcess, token: string) =>
      form(service, '/token', {
        grant_type: 'refresh_token',
        client_id: client.id,
        refresh_token: token,
      }),
    revoke: async (service: LineageProcess, token: string) =>
      (await form(service, '/revoke', { client_id: client.id, token })).said,
    verify: (service: LineageProcess, access: string) => bear(service, 'GET', '/verify', access),
    logOutOthers: (service: LineageProcess, access: string) =>
      bear(service, 'DELETE', '/users/me/sessions', access),
    logOutAll: (service: LineageProcess) => asAdministrator(service, 'DELETE', '/sessions'),
    setStatus: (service: LineageProcess, status: string) =>
      asAdministrator(service, 'PATCH', '', { status }),
    setPassword: (service: LineageProcess, password: string) =>
      asAdministrator(service, 'PUT', '/password', { password }),
  }
}

/** What says nothing of what was asked for: nobody there, or not now. */
export const isNoAnswer = (said: number) => said === 0 || said === 503

/** The same as often as it takes: a service that has just started may be busy. */
export function answered(ask: () => Promise<number>): Promise<number> {
  return until('an answer', async () => {
    const said = await ask()
    return !isNoAnswer(said) && said
  })
}

export function answeredTokens(ask: () => Promise<Tokens>): Promise<Tokens> {
  return until('an answer', async () => {
    const tokens = await ask()
    return !isNoAnswer(tokens.said) && tokens
  })
}

async function answer(service: LineageProcess, path: string, init: RequestInit): Promise<Tokens> {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS)
    const response = await service.fetch(path, { ...init, signal })
    const text = await response.text()
    const isJson = /json/.test(response.headers.get('content-type') ?? '')
    const body = (isJson ? JSON.parse(text) : {}) as Record<string, string | undefined>
    const { access_token: access = '', refresh_token: token = '' } = body
    return { said: response.status, access, token }
  } catch {
    return { said: 0, access: '', token: '' }
  }
}
