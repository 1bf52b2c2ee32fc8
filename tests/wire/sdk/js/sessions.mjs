// One flow of client sessions with the official JavaScript SDK: `node sessions.mjs <flow>`; prints what came
// of it as JSON. The server and the caller come from the environment: ENDPOINT, TOKEN, WORKSPACE, KEY, ACCOUNT.
import { Seam, isSeamActionAttemptFailedError, isSeamHttpApiError, isSeamHttpUnauthorizedError } from 'seam'

const { ENDPOINT: endpoint, TOKEN: personalAccessToken, WORKSPACE: workspaceId, KEY: publishableKey } = process.env
const connected_account_ids = [process.env.ACCOUNT]
const backend = new Seam({ personalAccessToken, workspaceId, endpoint })

const refusal = async (promise) => {
  try {
    await promise
  } catch (error) {
    return {
      isApiError: isSeamHttpApiError(error),
      isUnauthorized: isSeamHttpUnauthorizedError(error),
      code: error.code,
      status: error.statusCode,
    }
  }
  throw new Error('nothing was refused')
}

const flows = {
  // A page begins with nothing; the backend grants its user an account; the page opens a door.
  page: async () => {
    const page = await Seam.fromPublishableKey(publishableKey, 'a user nobody guesses', { endpoint })
    const before = await page.devices.list()
    const { client_session_id } = await page.clientSessions.get()
    await backend.clientSessions.grantAccess({ client_session_id, connected_account_ids })
    const [door] = await page.locks.list()
    const attempt = await page.locks.unlockDoor({ device_id: door.device_id })
    const again = await Seam.fromPublishableKey(publishableKey, 'a user nobody guesses', { endpoint })
    const events = await again.events.list({ device_id: door.device_id })
    return {
      before: before.length,
      status: attempt.status,
      same: (await again.clientSessions.get()).client_session_id === client_session_id,
      told: events.some((event) => event.event_type === 'lock.unlocked'),
      closed: await refusal(page.clientSessions.list()),
    }
  },

  // A backend makes sessions and hands their tokens out.
  handedOut: async () => {
    const session = await backend.clientSessions.create({ connected_account_ids, user_identifier_key: 'jane' })
    const jane = Seam.fromClientSessionToken(session.token, { endpoint })
    const same = await backend.clientSessions.create({ user_identifier_key: 'jane' })
    const { token } = await backend.clientSessions.create({ user_identifier_key: 'joe' })
    const seen = (await jane.devices.list()).length
    const { device_id } = (await jane.locks.list())[0]
    const joe = Seam.fromClientSessionToken(token, { endpoint })
    const foreign = await refusal(joe.locks.unlockDoor({ device_id }))
    await jane.updateClientSessionToken(token)
    const afterwards = (await jane.devices.list()).length
    await backend.clientSessions.revoke({ client_session_id: session.client_session_id })
    const revoked = await refusal(Seam.fromClientSessionToken(session.token, { endpoint }).devices.list())
    await backend.clientSessions.delete({ client_session_id: session.client_session_id })
    const deleted = await refusal(backend.clientSessions.get({ client_session_id: session.client_session_id }))
    return {
      sameSession: same.token === session.token,
      counted: seen === session.device_count,
      afterwards,
      foreign,
      revoked,
      deleted,
    }
  },

  // An attempt of a session that fails is thrown as to anybody else.
  failure: async () => {
    const session = await backend.clientSessions.create({ connected_account_ids })
    const guest = Seam.fromClientSessionToken(session.token, { endpoint })
    const { device_id } = (await guest.locks.list())[0]
    try {
      await guest.locks.unlockDoor({ device_id })
    } catch (error) {
      return { isFailure: isSeamActionAttemptFailedError(error), code: error.code }
    }
    return {}
  },
}

console.log(JSON.stringify(await flows[process.argv[2]]()))
