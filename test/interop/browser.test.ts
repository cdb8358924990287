// The example of examples/browser in a real Chromium (issue 3): another origin logs in, calls an API,
// refreshes silently, shares its session between tabs and logs out, and no script sees the token.

import { t as file, test } from 'tap'
import { openExampleScene, waitForState } from '../scenes/browser-scene.ts'

const scene = await openExampleScene(file)
const { service, issuer, api, clientId } = scene

/** The refresh token lives in one cookie; whatever a script can reach must not hold it. */
const REACHABLE = `JSON.stringify([
  document.cookie, { ...localStorage }, { ...sessionStorage }, document.documentElement.outerHTML,
])`

test('logs in from another origin and calls the API', async (t) => {
  const profile = await scene.openProfile(t)
  const tab = await profile.openTab()
  t.equal(await tab.textContent('#state'), 'signed out')
  await profile.logIn(tab)
  await tab.click('#call')
  await tab.locator('#output', { hasText: 'Rotate tokens' }).waitFor()
  t.match(await tab.textContent('#output'), /"owner":"[0-9a-f-]{36}"/)
})

test('a wrong password is said, and changes nothing', async (t) => {
  const profile = await scene.openProfile(t)
  const tab = await profile.openTab()
  await tab.fill('#username', profile.user.username)
  await tab.fill('#password', 'not the password')
  await tab.click('#login button')
  await tab.locator('#output', { hasText: 'Wrong username or password' }).waitFor()
  t.equal(await profile.refreshToken(), undefined)
})

test('no script sees the refresh token: not on the page, not in an answer', async (t) => {
  const profile = await scene.openProfile(t)
  const tab = await profile.openTab()
  const answers: string[] = []
  tab.on('response', async (response) => {
    if (response.url() === `${issuer}/token`) answers.push(await response.text())
  })
  await profile.logIn(tab)
  const refreshed = tab.waitForResponse(`${issuer}/token`)
  await tab.click('#refresh')
  await (await refreshed).finished()
  const token = await profile.refreshToken()
  t.match(token, /^lrt_/)
  t.equal(await tab.evaluate('document.cookie'), '')
  t.notMatch(await tab.evaluate(REACHABLE), /lrt_/)
  t.equal(await tab.evaluate('cookieStore.getAll().then((all) => all.length)'), 0)
  t.notMatch(answers.join(), /lrt_/)
  // A page of the issuer's own origin, where the cookie belongs, sees no more.
  await tab.goto(`${issuer}/livez`)
  t.equal(await tab.evaluate('document.cookie'), '')
  const [cookie] = await profile.context.cookies(issuer)
  t.match(cookie, { httpOnly: true, sameSite: 'Strict', path: '/', domain: 'localhost' })
})

test('a page that is loaded anew is signed in again, without a word', async (t) => {
  const profile = await scene.openProfile(t)
  const tab = await profile.openTab()
  await profile.logIn(tab)
  const before = await profile.refreshToken()
  await tab.reload()
  await waitForState(tab, 'signed in')
  t.not(await profile.refreshToken(), before, 'the token was rotated')
})

test('refreshes silently before the token expires, and when the API refuses it', async (t) => {
  const profile = await scene.openProfile(t)
  const limits = { accessTokenTtlSeconds: 2, refreshGraceSeconds: 1 }
  await service.admin('PATCH', `/admin/clients/${clientId}`, limits)
  t.teardown(() =>
    service.admin('PATCH', `/admin/clients/${clientId}`, {
      accessTokenTtlSeconds: null,
      refreshGraceSeconds: null,
    }),
  )
  const tab = await profile.openTab()
  const ahead = tab.waitForResponse((response) =>
    (response.request().postData() ?? '').includes('grant_type=refresh_token'),
  )
  await profile.logIn(tab)
  t.equal((await ahead).status(), 200, 'nobody pressed anything')
  await service.admin('PATCH', `/admin/clients/${clientId}`, { accessTokenTtlSeconds: 600 })
  await tab.reload()
  await waitForState(tab, 'signed in')
  let refusals = 0
  await tab.route(`${api}/notes`, async (route) => {
    const isFirst = refusals === 0 && route.request().method() === 'GET'
    if (!isFirst) return await route.continue()
    refusals += 1
    return await route.fulfill({
      status: 401,
      headers: { 'access-control-allow-origin': scene.app },
    })
  })
  await tab.click('#call')
  await tab.locator('#output', { hasText: 'Rotate tokens' }).waitFor()
  t.equal(refusals, 1)
})

test('two tabs that wake together stay signed in, without a lock', async (t) => {
  const profile = await scene.openProfile(t)
  const [one, two] = [await profile.openTab(), await profile.openTab()]
  await profile.logIn(one)
  await waitForState(two, 'signed in')
  for (let round = 0; round < 5; round += 1) {
    const answers = [one, two].map((tab) => tab.waitForResponse(`${issuer}/token`))
    // Both requests leave with the same cookie: neither is answered before the other is sent.
    const release = await holdUntilBoth(profile, 2)
    await Promise.all([one.click('#refresh'), two.click('#refresh')])
    const statuses = (await Promise.all(answers)).map((answer) => answer.status())
    t.strictSame(statuses, [200, 200])
    await release()
  }
  const retries = service.log('refresh.retried').length
  t.ok(retries > 0, 'they did present the same token')
  t.strictSame(service.log('refresh.reuse_detected'), [])
  for (const tab of [one, two]) {
    await tab.click('#call')
    await tab.locator('#output', { hasText: 'Rotate tokens' }).waitFor()
  }

  async function holdUntilBoth({ context }: typeof profile, wanted: number) {
    let waiting = 0
    let open = () => {}
    const bothAreHere = new Promise<void>((resolve) => {
      open = resolve
    })
    await context.route(`${issuer}/token`, async (route) => {
      waiting += 1
      if (waiting === wanted) open()
      await bothAreHere
      await route.continue()
    })
    return () => context.unroute(`${issuer}/token`)
  }
})

test('logging out ends the session in both tabs, and in the store', async (t) => {
  const profile = await scene.openProfile(t)
  const [one, two] = [await profile.openTab(), await profile.openTab()]
  await profile.logIn(one)
  await waitForState(two, 'signed in')
  const token = (await profile.refreshToken()) ?? ''
  await one.click('#logout')
  await Promise.all([one, two].map((tab) => waitForState(tab, 'signed out')))
  t.equal(await profile.refreshToken(), undefined, 'the cookie is gone')
  const replay = await service.form(
    '/token',
    { grant_type: 'refresh_token', client_id: clientId },
    { origin: scene.app, cookie: `${scene.cookieName}=${token}` },
  )
  t.match(await replay.json(), { error: 'invalid_grant' })
  await two.reload()
  await two.locator('#state', { hasText: /signed/ }).waitFor()
  t.equal(await two.textContent('#state'), 'signed out')
})
