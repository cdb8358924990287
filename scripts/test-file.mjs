// One test file as a process of its own, and what its TAP says.

import { spawn } from 'node:child_process'
import { Parser } from 'tap-parser'
import { describeThreads } from './thread-states.mjs'

/** After its time a file ends itself, telling what it waits for; one that hangs is killed. */
const GRACE_SECONDS = 20

/**
 * Runs `node` with `args` and reads its standard output. `ok` is false also for a file that was
 * killed, ended with a status of its own or did not come to its end; `diag` says which, and of one that
 * hung what its threads were doing.
 */
export async function runFile(args, { env, timeoutSeconds }) {
  const startedAt = performance.now()
  const child = spawn(process.execPath, args, {
    env: { ...env, TAP: '1', TAP_TIMEOUT: String(timeoutSeconds) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let threads
  const timer = setTimeout(
    () => {
      threads = describeThreads(child.pid)
      child.kill('SIGKILL')
    },
    (timeoutSeconds + GRACE_SECONDS) * 1000,
  )
  const ended = new Promise((resolve) => {
    child.on('error', (error) => resolve({ error: error.message }))
    child.on('close', (code, signal) => resolve({ code, signal }))
  })
  const { tests, failures, completed } = readTap(child.stdout)
  const [end, results] = await Promise.all([ended, completed])
  clearTimeout(timer)
  const ok = results.ok && end.code === 0
  const diag = ok ? undefined : { ...end, threads, bailout: results.bailout || undefined }
  return { tests, failures, ok, diag, ms: Math.round(performance.now() - startedAt) }
}

/** A test is what a file itself calls: its own subtests are parts of it. */
function readTap(output) {
  const failures = []
  const tests = { passed: 0, failed: 0, skipped: 0 }
  const parser = new Parser()
  parser.on('assert', (test) => {
    tests[test.skip || test.todo ? 'skipped' : test.ok ? 'passed' : 'failed'] += 1
  })
  collectFailures(parser, [], failures)
  const completed = new Promise((resolve) => parser.on('complete', resolve))
  output.pipe(parser)
  return { tests, failures, completed }
}

function collectFailures(parser, path, failures) {
  let inner = 0
  parser.on('child', (child) => {
    const before = failures.length
    collectFailures(child, [...path, child.name], failures)
    child.on('complete', () => {
      inner = failures.length - before
    })
  })
  parser.on('assert', (result) => {
    // A test whose own assertion failed says nothing new.
    if (!result.ok && !result.skip && !result.todo && inner === 0) {
      failures.push({ name: [...path, result.name].join(' > '), diag: result.diag })
    }
    inner = 0
  })
}
