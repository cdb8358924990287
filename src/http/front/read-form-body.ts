// The form that a request at the front brings. Its size is known to be within the limit.

import type { IncomingMessage } from 'node:http'
import type { Parameters } from '../../oauth/parameters.ts'
import { parseFormBody } from '../oauth/form-body.ts'

/** Rejects with OAuthError; stays open when the sender hangs up, whom nobody answers then. */
export function readFormBody(request: IncomingMessage): Promise<Parameters> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      try {
        const [first] = chunks
        resolve(parseFormBody(chunks.length === 1 && first ? first : Buffer.concat(chunks)))
      } catch (error) {
        reject(error)
      }
    })
  })
}
