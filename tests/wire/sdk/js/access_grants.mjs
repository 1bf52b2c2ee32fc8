// What the official JavaScript SDK can do with access grants: `node access_grants.mjs`; prints what came of it as JSON.
import { setTimeout as pause } from 'node:timers/promises'

import { Seam } from 'seam'

const { ENDPOINT: endpoint, TOKEN: personalAccessToken, WORKSPACE: workspaceId } = process.env
const seam = new Seam({ personalAccessToken, workspaceId, endpoint })
const { accessGrants, accessMethods } = seam

const [{ device_id }] = (await seam.locks.list()).filter((each) => each.display_name === 'Back Door')
const [{ acs_entrance_id }] = await seam.acs.entrances.list()
const [{ acs_encoder_id }] = await seam.acs.encoders.list()
const { access_grant_id } = await accessGrants.create({
  user_identity: { full_name: 'Jane' },
  device_ids: [device_id],
  acs_entrance_ids: [acs_entrance_id],
  access_grant_key: 'stay',
  requested_access_methods: [{ mode: 'code' }, { mode: 'cloud_key' }],
})
await accessGrants.requestAccessMethods({ access_grant_id, requested_access_methods: [{ mode: 'card' }] })
const methods = await accessMethods.list({ access_grant_id })
const idOf = (mode) => methods.find((each) => each.mode === mode).access_method_id
const card = { access_method_id: idOf('card') }
const unlocked = await accessMethods.unlockDoor({ access_method_id: idOf('cloud_key'), acs_entrance_id })
const encoded = await accessMethods.encode({ ...card, acs_encoder_id })
const failed = await accessMethods.assignCard({ ...card, card_number: 'nobody' }).catch(({ code }) => code)
const assigned = await accessMethods.assignCard({ ...card, card_number: encoded.result.card_number })
await accessGrants.update({ access_grant_id, name: 'Suite', ends_at: '2100-01-01T00:00:00Z' })
const { name, ends_at } = await accessGrants.get({ access_grant_key: 'stay' })
const include = ['devices', 'acs_entrances', 'access_methods']
const batch = await accessGrants.getRelated({ access_grant_ids: [access_grant_id], include })
await accessMethods.delete(card)
const left = (await accessMethods.list({ access_grant_id })).length
await accessGrants.delete({ access_grant_id })
let gone
for (let tries = 0; gone === undefined && tries < 200; tries += 1) {
  gone = await accessGrants.get({ access_grant_id }).then(() => pause(50), ({ code }) => code)
}
console.log(
  JSON.stringify({
    modes: methods.map((each) => each.mode).sort(),
    attempts: [unlocked, encoded, assigned].map((each) => each.action_type),
    failed,
    changed: [name, ends_at],
    related: Object.keys(batch).sort(),
    left,
    gone,
  }),
)
