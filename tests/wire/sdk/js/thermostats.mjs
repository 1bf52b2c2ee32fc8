// What the official JavaScript SDK can do with a thermostat: `node thermostats.mjs`; prints what came of it as JSON.
import { Seam } from 'seam'

const { ENDPOINT: endpoint, TOKEN: personalAccessToken, WORKSPACE: workspaceId } = process.env
const seam = new Seam({ personalAccessToken, workspaceId, endpoint, waitForActionAttempt: { pollingInterval: 50 } })
const { thermostats } = seam

const [{ device_id }] = await thermostats.list()
const preset = { device_id, climate_preset_key: 'guests' }
const properties = async () => (await seam.devices.get({ device_id })).properties

const attempts = [
  await thermostats.heat({ device_id, heating_set_point_fahrenheit: 70 }),
  await thermostats.cool({ device_id, cooling_set_point_celsius: 24 }),
  await thermostats.heatCool({ device_id, heating_set_point_celsius: 20, cooling_set_point_celsius: 24 }),
  await thermostats.off({ device_id }),
  await thermostats.setHvacMode({ device_id, hvac_mode_setting: 'eco' }),
  await thermostats.setFanMode({ device_id, fan_mode_setting: 'circulate' }),
]
const refusal = await thermostats
  .heatCool({ device_id, heating_set_point_celsius: 23, cooling_set_point_celsius: 24 })
  .catch(({ code }) => code)

await thermostats.createClimatePreset({ ...preset, hvac_mode_setting: 'heat', heating_set_point_celsius: 21 })
await thermostats.updateClimatePreset({ ...preset, heating_set_point_celsius: 22 })
attempts.push(await thermostats.activateClimatePreset(preset))
const { current_climate_setting: current } = await properties()
await thermostats.setFallbackClimatePreset({ device_id, climate_preset_key: 'away' })
await thermostats.setTemperatureThreshold({ device_id, upper_limit_celsius: 30, lower_limit_celsius: null })
await thermostats.simulate.temperatureReached({ device_id, temperature_fahrenheit: 80 })
await thermostats.simulate.hvacModeAdjusted({ device_id, hvac_mode: 'cool', cooling_set_point_celsius: 25 })

const hour = 3_600_000
const { thermostat_schedule_id } = await thermostats.schedules.create({
  device_id,
  climate_preset_key: 'sleep',
  starts_at: new Date(Date.now() + hour).toISOString(),
  ends_at: new Date(Date.now() + 2 * hour).toISOString(),
})
await thermostats.schedules.update({ thermostat_schedule_id, name: 'Night', is_override_allowed: true })
const schedules = await thermostats.schedules.list({ device_id })
await thermostats.schedules.get({ thermostat_schedule_id })
await thermostats.schedules.delete({ thermostat_schedule_id })

const periods = [{ starts_at_time: '06:00:00', climate_preset_key: 'home' }]
const { thermostat_daily_program_id } = await thermostats.dailyPrograms.create({ device_id, name: 'Day', periods })
attempts.push(
  await thermostats.updateWeeklyProgram({ device_id, sunday_program_id: thermostat_daily_program_id }),
  await thermostats.dailyPrograms.update({ thermostat_daily_program_id, name: 'New', periods }),
)
const programmed = await properties()
await thermostats.updateWeeklyProgram({ device_id, sunday_program_id: null })
await thermostats.dailyPrograms.delete({ thermostat_daily_program_id })
await thermostats.deleteClimatePreset(preset)
const { available_climate_presets } = await properties()

console.log(
  JSON.stringify({
    attempts: attempts.map(({ action_type, status }) => [action_type, status]),
    refusal,
    setting: [current.climate_preset_key, current.heating_set_point_celsius],
    schedules: schedules.map(({ name, is_override_allowed }) => [name, is_override_allowed]),
    program: thermostat_daily_program_id,
    week: programmed.thermostat_weekly_program.sunday_program_id,
    programs: programmed.thermostat_daily_programs.map(({ name }) => name),
    presets: available_climate_presets.map(({ climate_preset_key }) => climate_preset_key),
  }),
)
