// A request of the suite comes to an end whatever bytes it is answered with.

import { test } from 'tap'
import { EARLY_HINTS, SWITCHING, startRawServer } from '../../../test/support/raw-server.ts'
import { exchange } from '../src/http-exchange.ts'

test('what is no answer rejects, and any status is one', async (t) => {
  const server = await startRawServer(t)
  for (const bytes of [SWITCHING, EARLY_HINTS + SWITCHING]) {
    server.answerWith(bytes)
    await t.rejects(exchange(server.url, {}), { message: 'closed without an answer' })
  }
  const cut = 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart'
  for (const bytes of ['', 'HTTP/1.1 200 OK\r\nx: ', cut]) {
    server.answerWith((socket) => socket.end(bytes))
    await t.rejects(exchange(server.url, {}), { code: 'ECONNRESET' }, bytes)
  }
  server.answerWith(`${EARLY_HINTS}HTTP/1.1 999 No\r\nContent-Length: 2\r\n\r\n{}`)
  t.match(await exchange(server.url, {}), { status: 999, text: '{}' })
})
