// `lineage top`: what a running instance does at the moment, from its metrics. On a terminal it goes on
// until it is told to end; anywhere else it prints once.

import { setTimeout as delay } from 'node:timers/promises'
import { type Command, InvalidArgumentError } from 'commander'
import { addCommand, parseWholeNumber } from '../add-command.ts'
import type { CommandContext, OutputOptions } from '../command-context.ts'
import { CommandFailure } from '../command-failure.ts'
import { printResult } from '../command-output.ts'
import { type MetricsTarget, type Scrape, scrapeMetrics } from './metrics-scrape.ts'
import type { TopFigures } from './top-document.ts'
import { toTopFigures } from './top-figures.ts'
import { openScreen } from './top-screen.ts'
import { findMetricsTarget, parseMetricsUrl } from './top-target.ts'
import { renderTop } from './top-view.ts'

const INTERVAL_DEFAULT = 2
const INTERVAL_MAX = 60
/** Of text that is no screen. */
const PRINTED_COLUMNS = 110

interface TopOptions extends OutputOptions {
  readonly url?: URL
  readonly interval: number
  readonly once?: boolean
}

export function addTopCommand(program: Command, context: CommandContext): void {
  addCommand(program, {
    usage: 'top',
    summary: 'show what a running instance does at the moment, from its metrics',
    examples: [
      'lineage top',
      'lineage top --url http://10.0.0.7:9090 --interval 5',
      'lineage top --once',
    ],
  })
    .option(
      '--url <url>',
      'where its metrics are, in place of the port of the environment',
      parseMetricsUrl,
    )
    .option('--interval <s>', 'seconds between two looks', parseInterval, INTERVAL_DEFAULT)
    .option('--once', 'look twice, print, and end; so it is where stdout is no terminal')
    .action(async (options: TopOptions) => {
      const target = findMetricsTarget(context.env, options.url)
      const first = await scrapeMetrics(target)
      if (options.once || options.json || !context.stdout.isTTY) {
        await printOnce(first, target, options, context)
      } else {
        await watch(first, target, options, context)
      }
    })
}

function parseInterval(text: string): number {
  const seconds = parseWholeNumber(text)
  if (seconds < 1 || seconds > INTERVAL_MAX) {
    throw new InvalidArgumentError(`It must be from 1 to ${INTERVAL_MAX}.`)
  }
  return seconds
}

async function printOnce(
  first: Scrape,
  target: MetricsTarget,
  options: TopOptions,
  context: CommandContext,
): Promise<void> {
  await delay(options.interval * 1_000)
  const figures = toTopFigures(first, await scrapeMetrics(target), Date.now() / 1_000)
  const lines = renderTop(figures, {
    ...{ columns: PRINTED_COLUMNS, rows: undefined, isColoured: false },
    heading: target.url.href,
  })
  printResult(context, options, figures, lines.join('\n'))
}

async function watch(
  first: Scrape,
  target: MetricsTarget,
  { interval }: TopOptions,
  context: CommandContext,
): Promise<void> {
  const screen = openScreen(context)
  const isColoured = !context.env.NO_COLOR && context.env.TERM !== 'dumb'
  let figures = toTopFigures(undefined, first, Date.now() / 1_000)
  let problem: string | undefined
  const draw = () => {
    const heading = `${target.url.href}  ${timeOfDay()}  q ends`
    const shown = { heading, isColoured, ...(problem !== undefined && { problem }) }
    screen.draw(renderTop(figures, { ...screen.size(), ...shown }))
  }
  screen.onResize(draw)
  const ending = new AbortController()
  const { signal } = ending
  void screen.ended.then(() => ending.abort())
  let before = first
  try {
    while (!signal.aborted) {
      draw()
      await delay(interval * 1_000, undefined, { signal }).catch(() => {})
      if (signal.aborted) return
      const looked = await look(before, target, signal)
      problem = looked.problem
      figures = looked.figures ?? figures
      before = looked.scrape ?? before
    }
  } finally {
    screen.close()
  }
}

interface Look {
  readonly scrape?: Scrape
  readonly figures?: TopFigures
  readonly problem?: string
}

/** A service that is away for a while is no reason to end: it may be starting anew. */
async function look(before: Scrape, target: MetricsTarget, signal: AbortSignal): Promise<Look> {
  try {
    const scrape = await scrapeMetrics(target, signal)
    return { scrape, figures: toTopFigures(before, scrape, Date.now() / 1_000) }
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error
    return { problem: error.message }
  }
}

function timeOfDay(): string {
  return new Date().toTimeString().slice(0, 8)
}
