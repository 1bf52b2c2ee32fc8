// Access codes with the JavaScript SDK; what came is written to the standard output.
import { Seam } from "seam";

const { ENDPOINT, TOKEN, WORKSPACE } = process.env;
const seam = Seam.fromPersonalAccessToken(TOKEN, WORKSPACE, { endpoint: ENDPOINT });
const codes = seam.accessCodes;

const until = async (holds) => {
  for (let tries = 0; tries < 100; tries += 1) {
    const found = await holds();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("it never came to this");
};
const refused = async (asking) => {
  try {
    await asking;
  } catch (error) {
    return error.code;
  }
  return null;
};
const whenSet = (access_code_id) =>
  until(async () => {
    const code = await codes.get({ access_code_id });
    return code.status === "set" ? code : null;
  });

const front = (await seam.locks.get({ name: "Front Door" })).device_id;
const back = (await seam.locks.get({ name: "Back Door" })).device_id;
const code = await codes.create({ device_id: front, name: "Jane", code: "4711" });
const access_code_id = code.access_code_id;
await whenSet(access_code_id);
await codes.update({ access_code_id, name: "Joe" });
const set = await whenSet(access_code_id);
const refusal = await refused(codes.create({ device_id: front, code: "4711" }));
const together = await codes.createMultiple({ device_ids: [front, back] });
await codes.updateMultiple({ common_code_key: together[0].common_code_key, name: "Others" });
const byHand = await codes.simulate.createUnmanagedAccessCode({
  device_id: front,
  code: "2468",
  name: "Cleaner",
});
const unmanaged = await codes.unmanaged.list({ device_id: front });
await codes.unmanaged.convertToManaged({ access_code_id: byHand.access_code_id });
const converted = await whenSet(byHand.access_code_id);
const generated = await codes.generateCode({ device_id: front });
await codes.delete({ access_code_id });
const gone = await until(() => refused(codes.get({ access_code_id })));

console.log(
  JSON.stringify({
    made: [code.code, code.type],
    set: [set.status, set.name],
    together: new Set(together.map((each) => each.code)).size,
    unmanaged: unmanaged.map((each) => each.code),
    converted: converted.is_managed,
    generated: generated.code.length,
    refusal,
    gone,
  }),
);
