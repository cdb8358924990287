// Hundreds who send headers or a body for ever are cut off, while others are served. With thousands, and at
// the limits of a real service: `npm run hostile`.

import { test } from 'tap'
import { logIn, startApp, type TokenAnswer } from '../support/app.ts'
import { openSlowCrowd, SLOW_BODY, SLOW_HEADERS } from './slow-senders.ts'

const EACH = 150

test('slow headers and slow bodies are ended, and refreshes go on beside them', async (t) => {
  const app = await startApp(t)
  // Those of a real service are 10 s and 15 s; it looks every 5 s, and so does this one.
  app.app.server.headersTimeout = 500
  app.app.server.requestTimeout = 1_000
  const [client, user] = [await app.makeClient({}), await app.makeUser()]
  let { refresh_token: token } = await logIn(app, client, user)
  const port = Number(new URL(app.url).port)
  const crowds = [
    openSlowCrowd(t, port, EACH, SLOW_HEADERS),
    openSlowCrowd(t, port, EACH, SLOW_BODY),
  ]
  let isOver = false
  const ends = Promise.all(crowds.map(({ ended }) => ended)).finally(() => {
    isOver = true
  })
  let served = 0
  while (!isOver) {
    const form = { grant_type: 'refresh_token', client_id: client.id, refresh_token: token }
    const answer = await app.form('/token', form)
    t.equal(answer.status, 200)
    token = ((await answer.json()) as TokenAnswer).refresh_token
    served += 1
  }
  t.not(served, 0)
  const statuses = (await ends).map((told) => [...new Set(told)])
  t.strictSame(statuses, [[408], [408]])
})
