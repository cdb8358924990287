// Stands in for the API behind a gateway: shows which request reached it, and as whose.

import { createServer } from 'node:http'

const PORT = Number(process.env.PORT ?? 9000)

const server = createServer((request, response) => {
  const { method, url, headers } = request
  const identity = Object.entries(headers).filter(([name]) => name.startsWith('x-auth-'))
  request.resume()
  response.setHeader('content-type', 'application/json')
  response.end(`${JSON.stringify({ method, url, ...Object.fromEntries(identity) }, null, 2)}\n`)
})
server.listen(PORT, '127.0.0.1', () => {
  console.log(`echo listens on http://127.0.0.1:${server.address().port}`)
})
