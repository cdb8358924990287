// What the checks of a public address share: the address, what the service behind it is, and how an
// answer is read.

import type { ServiceConfig } from '../../config/service-config.ts'
import type { Database } from '../../database/database.ts'
import type { Clock } from '../../runtime/clock.ts'
import { type Address, type Answer, NoAnswer } from './ask-address.ts'
import { type Finding, warn } from './finding.ts'

export interface AddressScene {
  readonly address: Address
  readonly config: Pick<
    ServiceConfig,
    'issuer' | 'jwksMaxAgeSeconds' | 'trustProxy' | 'certificateHeader' | 'dpopNonce' | 'opsPort'
  >
  /** Undefined where PostgreSQL could not be reached: what the service saw cannot be looked up then. */
  readonly database: Database | undefined
  /** By the clock that the instances share, where it is known. */
  readonly clock: Clock
  /** Stands in the user agent, by which our own requests are found again. */
  readonly userAgent: string
  /** How many days a certificate must still be good for. */
  readonly certDays: number
}

/** The `error` of `WWW-Authenticate`; undefined where there is none. */
export function challengeError({ headers }: Pick<Answer, 'headers'>): string | undefined {
  return /error="([a-z_]+)"/.exec(headers['www-authenticate'] ?? '')?.[1]
}

/** Whether it is an error that the service itself has written, and no page of a proxy. */
export function isProblem({ headers }: Pick<Answer, 'headers'>): boolean {
  return (headers['content-type'] ?? '').startsWith('application/problem+json')
}

/** A member of a JSON body; undefined where the body is something else. */
export function memberOfBody({ body }: Pick<Answer, 'body'>, name: string): unknown {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
  } catch {
    return undefined
  }
}

/** The findings of `examine`, or that the address did not answer one of its questions. */
export async function unlessSilent(
  check: string,
  examine: () => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    return await examine()
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error
    const advice = 'look into the log of the proxy: it ended a request that others got an answer to'
    return [warn(check, error.message, advice)]
  }
}
