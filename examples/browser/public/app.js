// The page: a form, three buttons, and a session.

import { openSession } from './session.js'

const find = (id) => document.getElementById(id)
const settings = await (await fetch('settings.json')).json()

const session = openSession({ ...settings, onChange: show })

function show(isSignedIn) {
  find('state').textContent = isSignedIn ? 'signed in' : 'signed out'
  find('login').hidden = isSignedIn
  find('notes').hidden = !isSignedIn
  find('output').textContent = ''
}

/** Runs what a button asks for, and shows what comes of it. */
function on(id, event, action) {
  find(id).addEventListener(event, async (happened) => {
    happened.preventDefault()
    try {
      const text = await action()
      if (text !== undefined) find('output').textContent = text
    } catch (error) {
      find('output').textContent = `Not now: ${error.message}`
    }
  })
}

on('login', 'submit', async () => {
  const isRight = await session.logIn(find('username').value, find('password').value)
  find('password').value = ''
  return isRight ? undefined : 'Wrong username or password'
})
on('call', 'click', async () => await (await session.fetch(`${settings.api}/notes`)).text())
on('refresh', 'click', async () => ((await session.refresh()) ? 'refreshed' : undefined))
on('logout', 'click', async () => await session.logOut())

// Whoever was signed in still is: the cookie outlives the page.
show(await session.refresh())
