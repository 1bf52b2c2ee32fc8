// Webhooks with the official JavaScript SDK: `node webhooks.mjs <flow>`; prints what came of it as JSON.
// Server, caller and whatever a flow needs come from the environment.
import { Seam, SeamWebhook } from 'seam'
import { Webhook as StandardWebhook } from 'standardwebhooks'
import { Webhook as SvixWebhook } from 'svix'

const { ENDPOINT: endpoint, TOKEN: personalAccessToken, WORKSPACE: workspaceId } = process.env
const seam = new Seam({ personalAccessToken, workspaceId, endpoint })

const listed = async () => (await seam.webhooks.list()).map((each) => [each.webhook_id, each.event_types])

const flows = {
  webhooks: async () => {
    const { webhook_id } = await seam.webhooks.create({ url: process.env.URL, event_types: ['lock.locked'] })
    await seam.webhooks.update({ webhook_id, event_types: ['lock.unlocked'] })
    const { secret } = await seam.webhooks.get({ webhook_id })
    return { webhook_id, secret, listed: await listed() }
  },

  verify: async () => {
    const { SECRET: secret, BODY: body } = process.env
    const headers = JSON.parse(process.env.HEADERS)
    const type = (Receiver) => new Receiver(secret).verify(body, headers).event_type
    let tampered = 'nothing was thrown'
    try {
      new SeamWebhook(secret).verify(body.replace('lock', 'clock'), headers)
    } catch (error) {
      tampered = error.constructor.name
    }
    return { seam: type(SeamWebhook), svix: type(SvixWebhook), standard: type(StandardWebhook), tampered }
  },

  forget: async () => {
    await seam.webhooks.delete({ webhook_id: process.env.WEBHOOK })
    return { listed: await listed() }
  },
}

console.log(JSON.stringify(await flows[process.argv[2]]()))
