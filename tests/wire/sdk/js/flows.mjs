// One flow with the official JavaScript SDK: `node flows.mjs <flow>`; prints what came of it as JSON.
// The server and the caller come from the environment: ENDPOINT, TOKEN, WORKSPACE, DOOR.
import {
  Seam,
  SeamWithoutWorkspace,
  isSeamActionAttemptFailedError,
  isSeamActionAttemptTimeoutError,
  isSeamHttpApiError,
  isSeamHttpInvalidInputError,
  isSeamHttpUnauthorizedError,
} from 'seam'

const { ENDPOINT: endpoint, TOKEN: personalAccessToken, WORKSPACE: workspaceId, DOOR: device_id } = process.env
const seam = new Seam({ personalAccessToken, workspaceId, endpoint })

// Asks more often than the SDK does by itself, where waiting is not what is tested.
const hasty = new Seam({ personalAccessToken, workspaceId, endpoint, waitForActionAttempt: { pollingInterval: 50 } })

const thrown = async (promise) => {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

const refusal = (error) => ({
  isApiError: isSeamHttpApiError(error),
  isInvalidInput: isSeamHttpInvalidInputError(error),
  isUnauthorized: isSeamHttpUnauthorizedError(error),
  code: error.code,
  status: error.statusCode,
  hasRequestId: Boolean(error.requestId),
})

const flows = {
  unlock: async () => {
    const attempt = await seam.locks.unlockDoor({ device_id })
    const { properties } = await seam.locks.get({ device_id })
    return { attempt, locked: properties.locked }
  },

  commands: async () => {
    const attempts = [
      await hasty.locks.unlockDoor({ device_id }),
      await hasty.locks.lockDoor({ device_id }),
      await hasty.locks.configureAutoLock({ device_id, auto_lock_enabled: true, auto_lock_delay_seconds: 20 }),
      await hasty.locks.simulate.keypadCodeEntry({ device_id, code: '1234' }),
      await hasty.workspaces.resetSandbox(),
    ]
    return attempts.map(({ action_type, status }) => [action_type, status])
  },

  failure: async () => {
    const error = await thrown(seam.locks.unlockDoor({ device_id }))
    return { isFailure: isSeamActionAttemptFailedError(error), code: error.code, status: error.actionAttempt.status }
  },

  timeout: async () => {
    const waitForActionAttempt = { timeout: 200, pollingInterval: 100 }
    const error = await thrown(seam.locks.unlockDoor({ device_id }, { waitForActionAttempt }))
    const { action_attempt_id } = error.actionAttempt
    const { status } = await seam.actionAttempts.get({ action_attempt_id })
    return { isTimeout: isSeamActionAttemptTimeoutError(error), first: error.actionAttempt.status, last: status }
  },

  byHand: async () => {
    const begun = await seam.locks.unlockDoor({ device_id }, { waitForActionAttempt: false })
    const { action_attempt_id } = begun
    const ended = await seam.actionAttempts.get(
      { action_attempt_id },
      { waitForActionAttempt: { timeout: 5000, pollingInterval: 50 } },
    )
    return { keys: Object.keys(begun).sort(), same: ended.action_attempt_id === action_attempt_id, last: ended.status }
  },

  lists: async () => {
    const { action_attempt_id } = await hasty.locks.unlockDoor({ device_id })
    const byId = await seam.actionAttempts.list({ action_attempt_ids: [action_attempt_id] })
    const byDevice = await seam.actionAttempts.list({ device_id })
    const events = await seam.events.list({ device_id })
    const pages = seam.createPaginator(seam.devices.list({ limit: 2 }))
    return {
      found: [byId, byDevice].map((attempts) => attempts.every((each) => each.action_attempt_id === action_attempt_id)),
      events: events.filter((each) => each.action_attempt_id === action_attempt_id).map((each) => each.event_type),
      walked: (await pages.flattenToArray()).map((each) => each.device_id),
      listed: (await seam.devices.list()).map((each) => each.device_id),
    }
  },

  invalidInput: async () => {
    const error = await thrown(
      seam.locks.configureAutoLock({ device_id, auto_lock_enabled: true, auto_lock_delay_seconds: 100 }),
    )
    return { ...refusal(error), messages: error.getValidationErrorMessages('auto_lock_delay_seconds') }
  },

  notFound: async () => [
    refusal(await thrown(seam.devices.get({ device_id: 'nobody' }))),
    refusal(await thrown(seam.locks.unlockDoor({ device_id: 'august_device_1' }))),
    refusal(await thrown(seam.actionAttempts.get({ action_attempt_id: 'nothing' }))),
  ],

  unauthorized: async () => {
    const stranger = new Seam({ apiKey: 'seam_test_nobody_has_this', endpoint })
    return refusal(await thrown(stranger.devices.list()))
  },

  workspaces: async () => {
    const wanderer = new SeamWithoutWorkspace({ personalAccessToken, endpoint })
    const made = await wanderer.workspaces.create({ name: 'Made by the SDK', company_name: 'Example', is_sandbox: true })
    const listed = await wanderer.workspaces.list()
    return { isListed: listed.some((each) => each.workspace_id === made.workspace_id) }
  },
}

console.log(JSON.stringify(await flows[process.argv[2]]()))
