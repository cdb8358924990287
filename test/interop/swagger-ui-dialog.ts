// The page of Swagger UI as somebody uses it: the dialog behind "Authorize", and "Try it out".

import type { BrowserContext, Locator, Page, Request } from 'playwright-core'
import { until } from '../support/until.ts'

export type Flow = 'password' | 'clientCredentials'

export interface Answer {
  readonly status: number
  /** The row of the panel that shows it. */
  readonly shown: string
  readonly authorization: string | undefined
}

export interface Preflight {
  /** What the browser asks for, as it says it. */
  readonly headers: string
  readonly status: number
  readonly allowOrigin: string | undefined
}

export interface SwaggerPage {
  readonly page: Page
  /** Everything that was asked over the network, preflights apart. */
  readonly requests: readonly Request[]
  readonly preflights: readonly Preflight[]
  openDialog(): Promise<void>
  closeDialog(): Promise<void>
  /** The part of the dialog that one flow has. */
  dialog(flow: Flow): Locator
  fillPassword(login: {
    readonly username: string
    readonly password: string
    readonly clientId: string
    readonly location?: 'basic' | 'request-body'
  }): Promise<void>
  chooseScope(flow: Flow, scope: string): Promise<void>
  /** Presses "Authorize"; gives what the dialog then says: that it worked, or why it did not. */
  authorize(flow: Flow): Promise<string>
  /** "Try it out" on an operation, or once more; gives what the API answered. */
  tryOut(operationId: string): Promise<Answer>
}

/** A tab at `url`; the context is a browser that has been nowhere before. */
export async function openSwaggerPage(context: BrowserContext, url: string): Promise<SwaggerPage> {
  const page = await context.newPage()
  const requests: Request[] = []
  page.on('request', (request) => {
    // Images that are part of the style are `data:` and ask nobody.
    if (request.url().startsWith('http')) requests.push(request)
  })
  let ended = 0
  page.on('requestfinished', () => (ended += 1))
  page.on('requestfailed', () => (ended += 1))
  const preflights = await watchPreflights(page)
  await page.goto(url)
  const dialog: SwaggerPage['dialog'] = (flow) =>
    page.locator('.auth-container', { hasText: `Flow: ${flow}` })
  return {
    page,
    requests,
    preflights,
    dialog,
    openDialog: () => page.locator('.scheme-container .authorize').click(),
    closeDialog: () => page.locator('.btn-done').first().click(),
    async fillPassword({ username, password, clientId, location = 'basic' }) {
      await page.fill('#oauth_username', username)
      await page.fill('#oauth_password', password)
      await page.selectOption('#password_type', location)
      await page.fill('#client_id_password', clientId)
    },
    chooseScope: (flow, scope) => page.locator(`[for^="${scope}-${flow}-checkbox"]`).click(),
    async authorize(flow) {
      const before = ended
      await dialog(flow).locator('.authorize').click()
      // By then it no longer shows what it said before.
      await until('the end of a token request', () => ended > before)
      return (await dialog(flow).locator('h6, .errors span').textContent()) ?? ''
    },
    tryOut: (operationId) => tryOut(page, operationId),
  }
}

async function tryOut(page: Page, operationId: string): Promise<Answer> {
  const operation = page.locator(`.opblock[id$="-${operationId}"]`)
  if ((await operation.locator('.execute').count()) === 0) {
    await operation.locator('.opblock-summary-control').click()
    await operation.locator('.try-out__btn').click()
  }
  const answered = page.waitForResponse((answer) => new URL(answer.url()).pathname === '/notes')
  await operation.locator('.execute').click()
  const answer = await answered
  const status = answer.status()
  const row = operation.locator('.live-responses-table .response', {
    has: page.locator('.response-col_status', { hasText: String(status) }),
  })
  const shown = (await row.textContent()) ?? ''
  return { status, shown, authorization: (await answer.request().allHeaders()).authorization }
}

/** Playwright does not tell of them; the browser's own protocol does. */
async function watchPreflights(page: Page): Promise<Preflight[]> {
  const preflights: Preflight[] = []
  const asked = new Map<string, string>()
  const protocol = await page.context().newCDPSession(page)
  protocol.on('Network.requestWillBeSent', ({ requestId, request }) => {
    if (request.method !== 'OPTIONS') return
    asked.set(requestId, request.headers['Access-Control-Request-Headers'] ?? '')
  })
  protocol.on('Network.responseReceived', ({ requestId, response: { status, headers } }) => {
    const names = asked.get(requestId)
    if (names === undefined) return
    const allowOrigin = headers['access-control-allow-origin']
    preflights.push({ headers: names, status, allowOrigin })
  })
  await protocol.send('Network.enable')
  return preflights
}
