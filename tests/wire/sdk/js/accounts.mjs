// Flows of a user of the JavaScript SDK who looks after connected accounts; prints what came of it.
import { Seam } from 'seam'

const { ENDPOINT, TOKEN, WORKSPACE } = process.env
const seam = Seam.fromPersonalAccessToken(TOKEN, WORKSPACE, { endpoint: ENDPOINT })
const accounts = seam.connectedAccounts

const codeOf = async (call) => {
  try {
    await call
  } catch (error) {
    return error.code
  }
}

const flows = {
  async account() {
    const [{ connected_account_id }] = await accounts.list()
    await accounts.update({ connected_account_id, display_name: 'Flat', custom_metadata: { pet: true } })
    const pages = seam.createPaginator(accounts.list({ custom_metadata_has: { pet: true }, limit: 1 }))
    const found = await pages.flattenToArray()
    await accounts.sync({ connected_account_id })
    await accounts.simulate.disconnect({ connected_account_id })
    const { errors } = await accounts.get({ connected_account_id })
    const devices = await seam.devices.list()
    await accounts.delete({ connected_account_id })
    return {
      names: found.map((each) => each.display_name),
      pages: found.length,
      errors: errors.map((each) => each.error_code),
      online: [...new Set(devices.map((each) => each.properties.online))],
      gone: await codeOf(accounts.get({ connected_account_id })),
      devices: (await seam.devices.list()).length,
    }
  },

  async unmanaged() {
    const [{ device_id }] = await seam.locks.list()
    await seam.devices.update({ device_id, is_managed: false })
    const { is_managed } = await seam.devices.unmanaged.get({ device_id })
    const found = await seam.devices.unmanaged.list({ device_ids: [device_id] })
    const refused = await codeOf(seam.locks.unlockDoor({ device_id }))
    await seam.devices.unmanaged.update({ device_id, is_managed: true })
    const { status } = await seam.locks.unlockDoor({ device_id })
    return { found: [is_managed, found.length], refused, status }
  },

  async webview() {
    const { token } = await seam.clientSessions.create({ user_identifier_key: 'jane' })
    const jane = Seam.fromClientSessionToken(token, { endpoint: ENDPOINT })
    const { connect_webview_id, url, status } = await jane.connectWebviews.create()
    const before = [status, (await jane.devices.list()).length]
    const steps = [
      { step: 'choose', provider: 'virtual' },
      { step: 'sign_in', email: 'jane@example.com', password: '1234' },
      { step: 'finish' },
    ]
    for (const form of steps) await fetch(url, { method: 'POST', body: new URLSearchParams(form) })
    const done = await jane.connectWebviews.get({ connect_webview_id })
    const after = [done.status, (await jane.devices.list()).length]
    const pages = seam.createPaginator(seam.connectWebviews.list({ limit: 1 }))
    const found = await pages.flattenToArray()
    await seam.connectWebviews.delete({ connect_webview_id })
    const gone = await codeOf(seam.connectWebviews.get({ connect_webview_id }))
    return { before, after, pages: found.length, gone }
  },
}

console.log(JSON.stringify(await flows[process.argv[2]]()))
