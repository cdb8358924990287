// PostgreSQL away under a running service, stopped and paused (docs/semantics.md §12).

import { test } from 'tap'
import { checkOutage, openOutageScene } from '../scenes/outage-scene.ts'

test('without PostgreSQL: sessions go on, accounts say 503', async (t) => {
  const scene = await openOutageScene(t)
  const { postgres } = scene
  const away = {
    down: 'postgresql',
    works: [
      ...['clientCredentials', 'jwks', 'metadata', 'liveness'],
      ...['refresh', 'introspection', 'verification'],
    ],
  } as const

  await t.test('stopped', (t) =>
    checkOutage(t, scene, { ...away, begin: postgres.stop, end: postgres.start }),
  )
  await t.test('paused', (t) =>
    checkOutage(t, scene, { ...away, begin: postgres.pause, end: postgres.resume }),
  )
})
