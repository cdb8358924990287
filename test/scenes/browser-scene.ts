// A real Chromium beside a real Lineage and the example of examples/browser, each a process of its
// own, on origins of `localhost`; and an attacker's site, on whichever host a test wants it.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import type { Test } from 'tap'
import { findFreePort } from '../../src/embedded/free-port.ts'
import { ADMIN } from '../support/app.ts'
import { type LineageProcess, serverEnvironment, startLineage } from '../support/lineage-process.ts'
import { openTestDatabase } from '../support/postgres.ts'

const ROOT = join(import.meta.dirname, '../..')

/** So that Chromium stays on this machine, and runs as root in a container. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export interface ExampleScene {
  readonly service: LineageProcess
  readonly issuer: string
  readonly app: string
  readonly api: string
  readonly clientId: string
  readonly cookieName: string
  /** A browser profile of its own, and somebody to log in with. */
  openProfile(t: Test): Promise<Profile>
}

export interface Profile {
  readonly context: BrowserContext
  readonly user: { readonly username: string; readonly password: string }
  /** A tab on the example that has come to rest, signed in or out. */
  openTab(): Promise<Page>
  /** Fills the form of a tab and waits until it is signed in. */
  logIn(tab: Page): Promise<void>
  /** The refresh token in the cookie, which only the test can see. */
  refreshToken(): Promise<string | undefined>
}

export async function startChromium(t: Test): Promise<Browser> {
  const executablePath = process.env.TEST_CHROMIUM ?? '/usr/bin/chromium'
  const browser = await chromium.launch({ executablePath, args: FLAGS })
  t.teardown(() => browser.close())
  return browser
}

/** `t` is the file: everything lives until its end. */
export async function openExampleScene(t: Test): Promise<ExampleScene> {
  const { url: databaseUrl } = await openTestDatabase(t)
  const [port, appPort, apiPort] = await Promise.all([1, 2, 3].map(() => findFreePort()))
  const issuer = `http://localhost:${port}`
  const service = await startLineage(t, {
    ...serverEnvironment(databaseUrl),
    PORT: String(port),
    LINEAGE_ISSUER: issuer,
  })
  const user = await service.makeUser()
  const demoFile = join(t.testdir({}), 'demo.json')
  writeFileSync(demoFile, JSON.stringify({ issuer, user, adminClient: ADMIN }))
  await startExample(t, { DEMO_FILE: demoFile, APP_PORT: `${appPort}`, API_PORT: `${apiPort}` })
  const browser = await startChromium(t)
  const clientId = 'example-browser'
  const scene: ExampleScene = {
    service,
    issuer,
    app: `http://localhost:${appPort}`,
    api: `http://localhost:${apiPort}`,
    clientId,
    cookieName: `lineage_refresh-${clientId}`,
    async openProfile(test) {
      const context = await browser.newContext()
      test.teardown(() => context.close())
      return openProfileOn(context, scene, await service.makeUser())
    },
  }
  return scene
}

function openProfileOn(
  context: BrowserContext,
  { app, issuer, cookieName }: ExampleScene,
  user: Profile['user'],
): Profile {
  return {
    context,
    user,
    async openTab() {
      const page = await context.newPage()
      await page.goto(app)
      await page.locator('#state', { hasText: /signed/ }).waitFor()
      return page
    },
    async logIn(tab) {
      await tab.fill('#username', user.username)
      await tab.fill('#password', user.password)
      await tab.click('#login button')
      await waitForState(tab, 'signed in')
    },
    async refreshToken() {
      const cookies = await context.cookies(issuer)
      return cookies.find((cookie) => cookie.name === cookieName)?.value
    },
  }
}

export async function waitForState(tab: Page, state: 'signed in' | 'signed out'): Promise<void> {
  await tab.locator('#state', { hasText: state }).waitFor()
}

/** Serves a page for every path; gives its port. Both `localhost` and 127.0.0.1 reach it. */
export async function servePages(t: Test, listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

async function startExample(t: Test, env: Record<string, string>): Promise<void> {
  const script = join(ROOT, 'examples/browser/start.mjs')
  const child: ChildProcess = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, script], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  if (!child.stdout) throw new Error('the example has no output')
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('Open http://localhost:')) return
  }
  throw new Error('the example ended')
}
