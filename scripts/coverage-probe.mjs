// Loaded into each process of a measured run: which pieces of our sources it has executed, as V8 says,
// written at its end. A process that is killed writes nothing: no more is counted than did run.

import { writeFileSync } from 'node:fs'
import inspector from 'node:inspector'
import { join } from 'node:path'

// Not from the environment, of which the tests give their processes nothing but what they name.
const parameters = new URL(import.meta.url).searchParams
const [directory, sources] = [parameters.get('directory'), parameters.get('sources')]

const session = new inspector.Session()
session.connect()
session.post('Profiler.enable')
// Whether, not how often: V8 need not count in what runs hot.
session.post('Profiler.startPreciseCoverage', { callCount: false, detailed: true })
process.on('exit', () => {
  session.post('Profiler.takePreciseCoverage', (error, taken) => {
    if (error) return
    const ours = taken.result.filter(({ url }) => url.startsWith(sources))
    if (ours.length === 0) return
    writeFileSync(join(directory, `${process.pid}-${Date.now()}.json`), JSON.stringify(ours))
  })
})
