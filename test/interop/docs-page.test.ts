// The page of the contract in a real Chromium: what it loads, whether it fits, what it says when
// something is wrong. Scripts are off, as nothing of it needs them.

import type { Browser, Page } from 'playwright-core'
import { type Test, test } from 'tap'
import { startChromium } from '../scenes/browser-scene.ts'
import { MAIL, startApp } from '../support/app.ts'
import { operationsOf, readContract } from '../support/contract.ts'

const WIDTHS = { desktop: 1440, tablet: 1024, phone: 390 }

interface Opened {
  readonly page: Page
  /** Everything that the console said, which is where violations of the policy are told. */
  readonly complaints: readonly string[]
  readonly requests: readonly string[]
}

async function openPage(
  t: Test,
  browser: Browser,
  url: string,
  options: { width: number; colorScheme?: 'light' | 'dark'; javaScriptEnabled?: boolean },
): Promise<Opened> {
  const { width, ...rest } = options
  const context = await browser.newContext({ viewport: { width, height: 900 }, ...rest })
  t.teardown(() => context.close())
  const page = await context.newPage()
  const complaints: string[] = []
  const requests: string[] = []
  page.on('console', (message) => complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('requestfailed', (request) => complaints.push(`failed: ${request.url()}`))
  page.on('request', (request) => requests.push(request.url()))
  await page.goto(url)
  return { page, complaints, requests }
}

test('the page fits every width, in light and dark, and loads nothing from elsewhere', async (t) => {
  const { url } = await startApp(t, { config: { mail: MAIL } })
  const browser = await startChromium(t)
  for (const [name, width] of Object.entries(WIDTHS)) {
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page, complaints, requests } = await openPage(t, browser, `${url}/docs`, {
        width,
        colorScheme,
      })
      t.strictSame(complaints, [], `${name} ${colorScheme}`)
      t.ok(requests.includes(`${url}/docs/style.css`))
      t.strictSame(
        requests.filter((one) => !one.startsWith(`${url}/docs`)),
        [],
      )
      const [content, overflowing] = await page.evaluate<[number, string[]]>(`[
        document.documentElement.scrollWidth,
        [...document.querySelectorAll('main *')]
          .filter((element) => element.scrollWidth > element.clientWidth + 1)
          .filter((element) => getComputedStyle(element).display !== 'inline')
          .map((element) => element.outerHTML.slice(0, 80)),
      ]`)
      t.equal(content, width, `${name}: nothing is wider than the window`)
      t.strictSame(overflowing, [], `${name}: nor wider than its place`)
    }
  }
})

test('every operation is there and its link leads to it, without scripts', async (t) => {
  const { url } = await startApp(t, { config: { mail: MAIL } })
  const browser = await startChromium(t)
  const { page } = await openPage(t, browser, `${url}/docs`, {
    width: WIDTHS.desktop,
    javaScriptEnabled: false,
  })
  for (const { id, operation } of operationsOf(readContract())) {
    const article = page.locator(`article#${id}`)
    t.equal(await article.locator('h3').textContent(), operation.summary)
    t.match(await article.locator('pre').first().textContent(), /^curl /, id)
  }
  await page.locator('nav').getByRole('link', { name: 'Create a webhook' }).click()
  t.match(page.url(), /#createWebhook$/)
  const box = await page.locator('#createWebhook').boundingBox()
  t.ok(box && box.y >= 0 && box.y < 200, 'it was scrolled to')
})

test('words can be read against their ground (WCAG 2.2, 1.4.3)', async (t) => {
  const { url } = await startApp(t)
  const browser = await startChromium(t)
  for (const colorScheme of ['light', 'dark'] as const) {
    const { page } = await openPage(t, browser, `${url}/docs`, { width: 1440, colorScheme })
    const worst = await page.evaluate<{ ratio: number; what: string }>(`(() => {
      const numbers = (color) => color.match(/[\\d.]+/g).map(Number)
      const light = (color) => {
        const [r, g, b] = numbers(color).map((value) => {
          const part = value / 255
          return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
        })
        return 0.2126 * r + 0.7152 * g + 0.0722 * b
      }
      const groundOf = (element) => {
        for (let at = element; at; at = at.parentElement) {
          const { backgroundColor } = getComputedStyle(at)
          if (numbers(backgroundColor)[3] !== 0) return backgroundColor
        }
      }
      let worst = { ratio: 21, what: '' }
      for (const element of document.querySelectorAll('body *')) {
        if (![...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim())) continue
        const pair = [light(getComputedStyle(element).color), light(groundOf(element))].sort((a, b) => b - a)
        const ratio = (pair[0] + 0.05) / (pair[1] + 0.05)
        if (ratio < worst.ratio) worst = { ratio, what: element.outerHTML.slice(0, 80) }
      }
      return worst
    })()`)
    t.ok(worst.ratio >= 4.5, `${colorScheme}: ${worst.ratio.toFixed(2)} at ${worst.what}`)
  }
})
