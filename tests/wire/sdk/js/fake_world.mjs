// What a test that was written for Seam's own fake does, with the official SDK: `node fake_world.mjs`; prints what
// came of it as JSON.
import { isSeamActionAttemptFailedError, isSeamActionAttemptTimeoutError, Seam } from 'seam'

const { ENDPOINT: endpoint } = process.env
const fake = async (path, ask) => {
  const init = ask && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(ask) }
  return await (await fetch(`${endpoint}/_fake/${path}`, init)).json()
}

const seed = await fake('default_seed')
const seam = new Seam({ apiKey: seed.seam_apikey1_token, endpoint })
const door = await seam.locks.get({ device_id: seed.august_device_1 })

const attempt = await seam.locks.unlockDoor({ device_id: seed.august_device_1 })
const { action_attempt_id } = attempt
const waiting = { waitForActionAttempt: { timeout: 300, pollingInterval: 50 } }

await fake('update_action_attempt', { action_attempt_id, status: 'pending' })
const late = await seam.actionAttempts.get({ action_attempt_id }, waiting).catch(isSeamActionAttemptTimeoutError)

const error = { type: 'foo', message: 'Failed' }
setTimeout(() => fake('update_action_attempt', { action_attempt_id, status: 'error', error }), 100)
const failure = await seam.actionAttempts.get({ action_attempt_id }, waiting).catch((thrown) => thrown)

await fake('update_action_attempt', { action_attempt_id, status: 'success' })
const again = await seam.actionAttempts.get({ action_attempt_id })

const routes = ['/devices/list']
await fake('simulate_workspace_outage', { workspace_id: seed.seed_workspace_1, routes })
const patient = { axiosRetryOptions: { retries: 0 } }
const down = await new Seam({ apiKey: seed.seam_apikey1_token, endpoint, ...patient }).devices.list().catch((thrown) => thrown)
await fake('simulate_workspace_outage', { workspace_id: seed.seed_workspace_1, routes: [] })

const { connect_webview_id } = await seam.connectWebviews.create({ accepted_providers: ['august'] })
await fake('complete_connect_webview', { connect_webview_id })
const { status } = await seam.connectWebviews.get({ connect_webview_id })

const session = Seam.fromClientSessionToken(seed.seam_cst1_token, { endpoint })
const person = Seam.fromPersonalAccessToken(seed.seam_at1_token, seed.seed_workspace_1, { endpoint })
const browser = await Seam.fromPublishableKey(seed.seam_pk1_token, seed.john_user_identifier_key, { endpoint })

console.log(
  JSON.stringify({
    door: door.properties.name,
    unlocked: attempt.status,
    late,
    failure: isSeamActionAttemptFailedError(failure) ? failure.code : String(failure),
    again: again.status,
    down: down.statusCode ?? down.response?.status,
    webview: status,
    devices: await Promise.all([seam, session, person, browser].map(async (each) => (await each.devices.list()).length)),
  }),
)
