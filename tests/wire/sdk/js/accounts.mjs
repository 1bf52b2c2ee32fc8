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
}

console.log(JSON.stringify(await flows[process.argv[2]]()))
