// Writes the root certificate by which test devices are known, as a controller wants it: node paa.mjs FOLDER
import { mkdirSync, writeFileSync } from "node:fs";
import { TestCert_PAA_NoVID_Cert } from "@matter/protocol";

const folder = process.argv[2];
mkdirSync(folder, { recursive: true });
writeFileSync(`${folder}/test_paa.der`, TestCert_PAA_NoVID_Cert);
// A server that finds this thinks that it has fetched all others, too, and asks nobody for them.
writeFileSync(`${folder}/.version`, "1");
