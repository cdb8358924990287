// What a gateway is put through that asks /verify about every request, with a bearer token and with
// a cookie.

import type { Test } from 'tap'
import { type Scene, startScene } from '../../scenes/gateway-scene.ts'
import { ask, bearerSubject } from './checks.ts'
import { checkCookieMode } from './cookie-checks.ts'
import { checkDocumented, type DocumentedGateway } from './documented-gateway.ts'
import { checkEveryGateway } from './every-gateway.ts'
import { checkStolenBoundToken } from './forged-certificates.ts'
import type { Gateway } from './gateway-process.ts'
import { checkSeparators, checkSilentAnswer, readTrailers } from './spoofing-checks.ts'
import { makeTokens } from './tokens.ts'
import { checkOutages } from './traffic-checks.ts'

export async function checkVerifyGateway(
  t: Test,
  documented: DocumentedGateway,
  start: (t: Test, scene: Scene) => Promise<Gateway>,
): Promise<void> {
  const scene = await startScene(t)
  const subject = bearerSubject(await start(t, scene), scene, await makeTokens(t, scene))
  const { tokens } = subject
  await checkEveryGateway(t, subject)
  await t.test('as it is documented', (t) => checkDocumented(t, subject, documented))
  await t.test('names that are nearly ours', (t) => checkSeparators(t, subject))
  await t.test('no trailer passes', async (t) => {
    t.strictSame(await readTrailers(t, subject), [])
  })
  await t.test('an answer that says nobody', (t) => {
    return checkSilentAnswer(t, subject, (scene) => start(t, scene))
  })
  await t.test('a browser with cookies', (t) => checkCookieMode(t, subject))
  await t.test('a bound token and the text of its certificate', (t) => {
    return checkStolenBoundToken(t, start)
  })
  await t.test('connections to Lineage are kept', async (t) => {
    const { passage } = scene
    const before = passage.connections()
    for (let count = 0; count < 20; count += 1) {
      await ask(subject, { path: '/notes/1', headers: subject.present(tokens.client) })
    }
    t.ok(passage.connections() - before <= 1, `${passage.connections() - before} for 20 requests`)
  })
  await t.test('outages', (t) => checkOutages(t, subject))
}
