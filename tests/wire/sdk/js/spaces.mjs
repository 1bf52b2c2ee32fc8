// What the official JavaScript SDK can do with spaces: `node spaces.mjs`; prints what came of it as JSON.
import { Seam } from 'seam'

const { ENDPOINT: endpoint, TOKEN: personalAccessToken, WORKSPACE: workspaceId } = process.env
const seam = new Seam({ personalAccessToken, workspaceId, endpoint })
const { spaces } = seam

const locks = (await seam.locks.list()).slice(0, 2)
const device_ids = locks.map((each) => each.device_id)
const acs_entrance_ids = (await seam.acs.entrances.list()).map((each) => each.acs_entrance_id)
const [{ connected_account_id }] = locks
const { space_id } = await spaces.create({ name: 'Room', space_key: '101' })
await spaces.addDevices({ space_id, device_ids })
await spaces.addAcsEntrances({ space_id, acs_entrance_ids })
await spaces.addConnectedAccount({ space_id, connected_account_id })
const { device_count, acs_entrance_count } = await spaces.get({ space_key: '101' })
const lists = [seam.devices.list({ space_id }), seam.acs.entrances.list({ space_id }), seam.connectedAccounts.list({ space_id })]
const listed = (await Promise.all(lists)).map((each) => each.length)
const batch = await spaces.getRelated({ space_ids: [space_id], exclude: ['spaces', 'access_methods'] })
await spaces.removeDevices({ space_id, device_ids })
await spaces.removeAcsEntrances({ space_id, acs_entrance_ids })
await spaces.removeConnectedAccount({ space_id, connected_account_id })
const suite = await spaces.update({ space_id, name: 'Suite' })
const found = (await spaces.list({ search: 'suite' })).length
await spaces.delete({ space_id })
const gone = await spaces.get({ space_id }).catch(({ code }) => code)
console.log(
  JSON.stringify({
    counts: [device_count, acs_entrance_count],
    listed,
    related: Object.keys(batch).sort(),
    left: [suite.name, suite.device_count, suite.acs_entrance_count],
    found,
    gone,
  }),
)
