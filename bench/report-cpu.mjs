// Loaded into a measured server: answers a message with the CPU time that it has used so far.

process.on('message', (message) => {
  if (message === 'cpu') process.send?.({ cpu: process.cpuUsage() })
})
