// What the official JavaScript SDK can do with a noise sensor: `node noise_sensors.mjs`; prints what came of it as JSON.
import { Seam } from 'seam'

const { ENDPOINT: endpoint, TOKEN: personalAccessToken, WORKSPACE: workspaceId } = process.env
const seam = new Seam({ personalAccessToken, workspaceId, endpoint, waitForActionAttempt: { pollingInterval: 50 } })
const { noiseThresholds: thresholds, simulate } = seam.noiseSensors

const [{ device_id }] = await seam.noiseSensors.list()
const { noise_threshold_id } = await thresholds.create({
  device_id,
  starts_daily_at: '22:00:00[Europe/Berlin]',
  ends_daily_at: '07:00:00[Europe/Berlin]',
  name: 'Night',
  noise_threshold_decibels: 60,
})
await thresholds.update({ device_id, noise_threshold_id, noise_threshold_decibels: 62, sync: true })
const { name, noise_threshold_decibels } = await thresholds.get({ noise_threshold_id })
const held = (await thresholds.list({ device_id })).map((each) => each.name)
await simulate.triggerNoiseThreshold({ device_id })
const events = await seam.events.list({ device_id, event_type: 'noise_sensor.noise_threshold_triggered' })
await thresholds.delete({ device_id, noise_threshold_id, sync: true })
const refusal = await thresholds.get({ noise_threshold_id }).catch(({ code }) => code)

const triggered = events.map((each) => each.noise_threshold_name)
console.log(JSON.stringify({ found: [name, noise_threshold_decibels], held, triggered, refusal }))
