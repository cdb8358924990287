// A closed loop of requests: so many at once, each chain waiting for its own answers.

import { Agent, request } from 'node:http'

export interface Target {
  readonly port: number
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** Of a bearer token. */
  readonly authorization?: string
}

/** One chain of requests: the body of the next one, from the answer to the one before. */
export type Chain = (answer: string | undefined) => string

const agent = new Agent({ keepAlive: true, maxSockets: 64 })

function send({ port, method, path, authorization }: Target, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = {
      ...(authorization === undefined ? {} : { authorization }),
      ...(method === 'GET'
        ? {}
        : {
            'content-type': 'application/x-www-form-urlencoded',
            'content-length': Buffer.byteLength(body),
          }),
    }
    const sent = request({ host: '127.0.0.1', port, method, path, agent, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () => {
        if (response.statusCode === 200) resolve(text)
        else reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`))
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

/** Runs every chain for `seconds`; the number of answers. Any answer but 200 rejects. */
export async function load(
  target: Target,
  chains: readonly Chain[],
  seconds: number,
): Promise<number> {
  const endsAt = performance.now() + seconds * 1000
  let answers = 0
  await Promise.all(
    chains.map(async (chain) => {
      let answer: string | undefined
      while (performance.now() < endsAt) {
        answer = await send(target, chain(answer))
        answers += 1
      }
    }),
  )
  return answers
}

export function closeLoad(): void {
  agent.destroy()
}
