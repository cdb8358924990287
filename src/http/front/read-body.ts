// The body of a request at the front, whose size is known to be within the limit of its route.

import type { IncomingMessage } from 'node:http'

/** Stays open when the sender hangs up, whom nobody answers then. */
export function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const [first] = chunks
      resolve(chunks.length === 1 && first ? first : Buffer.concat(chunks))
    })
  })
}
