// What the official JavaScript SDK does when a device was asked too often: `node rate_limits.mjs`; prints it as JSON.
import { Seam } from 'seam'

const { ENDPOINT: endpoint, TOKEN: personalAccessToken, WORKSPACE: workspaceId } = process.env
const seam = new Seam({ personalAccessToken, workspaceId, endpoint, waitForActionAttempt: { pollingInterval: 50 } })

const { device_id } = await seam.devices.get({ name: 'Front Door' })
const { status } = await seam.locks.lockDoor({ device_id })
const began = Date.now()
const { code, statusCode, data } = await seam.locks.lockDoor({ device_id }).catch((error) => error)
const other = await seam.locks.unlockDoor({ device_id })

console.log(JSON.stringify({ status, code, statusCode, data, waited: Date.now() - began > 5000, other: other.status }))
