// What the official JavaScript SDK can do with access control: `node access.mjs`; prints what came of it as JSON.
import { Seam } from 'seam'

const { ENDPOINT: endpoint, TOKEN: personalAccessToken, WORKSPACE: workspaceId } = process.env
const seam = new Seam({ personalAccessToken, workspaceId, endpoint, waitForActionAttempt: { pollingInterval: 50 } })
const { acs, userIdentities } = seam

const [{ acs_system_id }] = await acs.systems.list()
const { user_identity_id } = await userIdentities.create({ full_name: 'Jane', acs_system_ids: [acs_system_id] })
const [{ acs_user_id }] = await userIdentities.listAcsUsers({ user_identity_id })
const [{ acs_access_group_id }] = await acs.accessGroups.list({ search: 'residents' })
await acs.users.addToAccessGroup({ acs_user_id, acs_access_group_id })
const entrances = await acs.users.listAccessibleEntrances({ acs_user_id })
const { acs_credential_id } = await acs.credentials.create({ acs_user_id, access_method: 'cloud_key' })
await acs.credentials.create({ user_identity_id, access_method: 'code' })
const { action_type, status } = await acs.entrances.unlock({
  acs_credential_id,
  acs_entrance_id: entrances[0].acs_entrance_id,
})
const held = (await acs.credentials.list({ acs_user_id })).map((each) => each.access_method)
const [{ acs_encoder_id }] = await acs.encoders.list({ acs_system_id })
const card = await acs.credentials.create({ acs_user_id, access_method: 'card' })
const at = { acs_encoder_id, acs_credential_id: card.acs_credential_id }
const encoding = await acs.encoders.encodeCredential(at)
const scan = await acs.encoders.scanCredential({ acs_encoder_id })
const assigning = await acs.encoders.scanToAssignCredential({ acs_encoder_id, acs_user_id })
await acs.encoders.simulate.nextCredentialEncodeWillFail({ acs_encoder_id, error_code: 'encoding_interrupted' })
const pulled = await acs.encoders.encodeCredential(at).catch(({ code }) => code)
const cards = [encoding, scan, assigning].map((each) => each.action_type)
const scanned = scan.result.acs_credential_on_seam.acs_credential_id
const encoded = encoding.result.acs_credential_id
const { device_id } = await seam.phones.simulate.createSandboxPhone({ user_identity_id })
const phones = [(await seam.phones.list()).length]
await seam.phones.deactivate({ device_id })
phones.push((await seam.phones.list()).length)
await userIdentities.delete({ user_identity_id })
const gone = await acs.users.get({ acs_user_id }).catch(({ code }) => code)

// Whom the system knows by itself: the sandbox plays the person at its console.
await seam.client.post('/thumbturn/sandbox/add_acs_user', { acs_system_id, full_name: 'Ann' })
const [found] = await userIdentities.unmanaged.list({ search: 'ann' })
const who = { user_identity_id: found.user_identity_id }
await userIdentities.unmanaged.update({ ...who, is_managed: true, user_identity_key: 'ann' })
const takenOver = (await userIdentities.get({ user_identity_key: 'ann' })).user_identity_id === found.user_identity_id
const unmanaged = [takenOver, await userIdentities.unmanaged.get(who).catch(({ code }) => code)]

const doors = entrances.map((each) => each.display_name)
const attempt = [action_type, status]
console.log(JSON.stringify({ doors, attempt, held, phones, cards, scanned, encoded, pulled, gone, unmanaged }))
