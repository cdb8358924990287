// A process that runs the embedded PostgreSQL as the service does: it holds the data directory,
// prints one line of JSON, and stops when its standard input ends. Bundled by embedded-process.ts.

import { holdDataDir } from '../../src/embedded/data-dir-lock.ts'
import { startEmbeddedPostgres } from '../../src/embedded/postgres-server.ts'

const options = JSON.parse(process.argv[2] ?? '{}')
// A service drains after Ctrl-C; this one just goes on.
process.on('SIGINT', () => {})
try {
  const held = await holdDataDir(options.dataDir)
  const server = options.lockOnly
    ? undefined
    : await startEmbeddedPostgres({ ...options, dataDir: held.path })
  process.stdout.write(`${JSON.stringify({ url: server?.url })}\n`)
  process.stdin.resume().once('end', async () => {
    await server?.stop()
    await held.release()
  })
} catch (error) {
  process.stdout.write(`${JSON.stringify({ error: String(error) })}\n`)
  process.exitCode = 1
}
