// Loaded into a measured process: answers a message with the CPU time that it has used so far, of
// all its threads, and the memory that it holds now.

process.on('message', (message) => {
  if (message !== 'usage') return
  const { user, system } = process.cpuUsage()
  process.send?.({ usage: { cpuMicros: user + system, rssBytes: process.memoryUsage.rss() } })
})
